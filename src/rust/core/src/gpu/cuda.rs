//! The kernels on a CUDA device, through candle's context, stream and cuBLAS handle.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use candle_core::cuda_backend::cudarc::cublas::sys;
use candle_core::cuda_backend::cudarc::driver::sys as driver;
use candle_core::cuda_backend::cudarc::driver::{result, CudaFunction, CudaModule, DevicePtr};
use candle_core::cuda_backend::cudarc::nvrtc::Ptx;
use candle_core::cuda_backend::{CudaDevice, CudaStorage, CudaStorageSlice, DeviceId};
use candle_core::{bail, Device, Error, Result};

use super::call::Arguments;
use super::{Gemm, Runner};

/// Machine code and PTX of `cuda/*.cu`, made by build.rs.
static KERNELS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kernels.fatbin"));

struct Cuda {
    device: CudaDevice,
    module: Arc<CudaModule>,
    functions: Mutex<HashMap<&'static str, CudaFunction>>,
}

type Runners = Mutex<HashMap<DeviceId, Arc<Cuda>>>;

/// The kernels of a device, loaded on first use.
pub(super) fn runner(device: &CudaDevice) -> Result<Arc<dyn Runner>> {
    static RUNNERS: OnceLock<Runners> = OnceLock::new();
    let Ok(mut runners) = RUNNERS.get_or_init(Mutex::default).lock() else {
        bail!("the kernels are poisoned");
    };
    if let Some(runner) = runners.get(&device.id()) {
        return Ok(runner.clone());
    }
    let runner = Arc::new(Cuda::load(device)?);
    runners.insert(device.id(), runner.clone());
    Ok(runner)
}

impl Cuda {
    fn load(device: &CudaDevice) -> Result<Self> {
        let stream = device.cuda_stream();
        let module = stream
            .context()
            .load_module(Ptx::from_binary(KERNELS.to_vec()))
            .map_err(Error::wrap)?;
        Ok(Self {
            device: device.clone(),
            module,
            functions: Mutex::default(),
        })
    }

    fn function(&self, name: &'static str) -> Result<CudaFunction> {
        let Ok(mut functions) = self.functions.lock() else {
            bail!("the kernels are poisoned");
        };
        if let Some(function) = functions.get(name) {
            return Ok(function.clone());
        }
        let function = self.module.load_function(name).map_err(Error::wrap)?;
        functions.insert(name, function.clone());
        Ok(function)
    }
}

impl Runner for Cuda {
    unsafe fn launch(
        &self,
        name: &'static str,
        grid: [u32; 2],
        block: [u32; 2],
        arguments: &Arguments,
    ) -> Result<()> {
        let function = self.function(name)?;
        let stream = self.device.cuda_stream();
        stream.context().bind_to_thread().map_err(Error::wrap)?;
        let launched = result::launch_kernel(
            function.cu_function(),
            (grid[0], grid[1], 1),
            (block[0], block[1], 1),
            0,
            stream.cu_stream(),
            &mut arguments.pointers(),
        );
        launched.map_err(|e| Error::Msg(format!("kernel {name}: {e}")))
    }

    /// cuBLAS counts by columns: the row-major `c = a b` is its `c' = b' a'`.
    unsafe fn gemm(&self, g: &Gemm) -> Result<()> {
        let stream = self.device.cuda_stream();
        stream.context().bind_to_thread().map_err(Error::wrap)?;
        let handle = *self.device.cublas_handle().handle();
        let [op_a, op_b] = [g.a_transposed, g.b_transposed].map(operation);
        let sizes = [g.m, g.n, g.k, g.batch].map(i32::try_from);
        let [Ok(m), Ok(n), Ok(k), Ok(batch)] = sizes else {
            bail!("a matrix is too large for cuBLAS");
        };
        let (lda, ldb) = (
            if g.a_transposed { m } else { k },
            if g.b_transposed { k } else { n },
        );
        let (a, b, c) = (g.a as *const f32, g.b as *const f32, g.c as *mut f32);
        let (one, beta, [step_a, step_b, step_c]) = (1f32, g.beta, g.steps.map(|s| s as i64));
        // One alone may be split over its inner length, many at once are not.
        let status = if g.batch == 1 {
            sys::cublasSgemm_v2(
                handle, op_b, op_a, n, m, k, &one, b, ldb, a, lda, &beta, c, n,
            )
        } else {
            sys::cublasSgemmStridedBatched(
                handle, op_b, op_a, n, m, k, &one, b, ldb, step_b, a, lda, step_a, &beta, c, n,
                step_c, batch,
            )
        };
        status.result().map_err(Error::wrap)
    }
}

fn operation(transposed: bool) -> sys::cublasOperation_t {
    match transposed {
        true => sys::cublasOperation_t::CUBLAS_OP_T,
        false => sys::cublasOperation_t::CUBLAS_OP_N,
    }
}

/// Where a value of a storage lies.
pub(super) fn address(storage: &CudaStorage, offset: usize) -> Result<u64> {
    let stream = storage.device.cuda_stream();
    let (start, size) = match &storage.slice {
        CudaStorageSlice::F32(values) => (values.device_ptr(&stream).0, 4),
        CudaStorageSlice::F64(values) => (values.device_ptr(&stream).0, 8),
        CudaStorageSlice::U32(values) => (values.device_ptr(&stream).0, 4),
        CudaStorageSlice::I64(values) => (values.device_ptr(&stream).0, 8),
        _ => bail!("no kernel takes this type"),
    };
    Ok(start + (size * offset) as u64)
}

/// Gets a new device ready: memory that was freed stays with the process, and no events guard tensors, since one stream
/// does all the work.
pub fn prepare(device: &Device) -> Result<()> {
    let cuda = device.as_cuda_device()?;
    // SAFETY: nothing of ours uses a second stream.
    unsafe { cuda.disable_event_tracking() };
    if let Some(pool) = pool(cuda)? {
        let mut threshold = u64::MAX;
        // SAFETY: the attribute is a u64.
        unsafe {
            driver::cuMemPoolSetAttribute(
                pool,
                driver::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD,
                std::ptr::from_mut(&mut threshold).cast(),
            )
            .result()
            .map_err(Error::wrap)?;
        }
    }
    // Loads the kernels now: what is wrong with them shows before anything is trained.
    runner(cuda).map(|_| ())
}

/// The memory pool of the device, where the driver has one.
fn pool(device: &CudaDevice) -> Result<Option<driver::CUmemoryPool>> {
    let stream = device.cuda_stream();
    let context = stream.context();
    if !context.has_async_alloc() {
        return Ok(None);
    }
    let mut pool = std::ptr::null_mut();
    // SAFETY: writes a handle.
    unsafe { driver::cuDeviceGetDefaultMemPool(&mut pool, context.cu_device()) }
        .result()
        .map_err(Error::wrap)?;
    Ok(Some(pool))
}

fn pool_attribute(device: &Device, attribute: driver::CUmemPool_attribute_enum) -> Result<u64> {
    let Some(pool) = pool(device.as_cuda_device()?)? else {
        return Ok(0);
    };
    let mut value = 0u64;
    // SAFETY: the attributes asked for are u64.
    unsafe {
        driver::cuMemPoolGetAttribute(pool, attribute, std::ptr::from_mut(&mut value).cast())
    }
    .result()
    .map_err(Error::wrap)?;
    Ok(value)
}

/// Bytes that a device can still give: what is free, and what the process holds without using it.
pub fn free_memory(device: &Device) -> Result<u64> {
    use driver::CUmemPool_attribute_enum as Attribute;
    let stream = device.as_cuda_device()?.cuda_stream();
    let (free, _) = stream.context().mem_get_info().map_err(Error::wrap)?;
    let reserved = pool_attribute(device, Attribute::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT)?;
    let used = pool_attribute(device, Attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT)?;
    Ok(free as u64 + reserved.saturating_sub(used))
}

/// The most bytes in use at once since the last call (or the start).
pub fn peak_memory(device: &Device) -> Result<u64> {
    use driver::CUmemPool_attribute_enum as Attribute;
    let peak = pool_attribute(device, Attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH)?;
    if let Some(pool) = pool(device.as_cuda_device()?)? {
        let mut zero = 0u64;
        // SAFETY: the attribute is a u64, and 0 resets it.
        unsafe {
            driver::cuMemPoolSetAttribute(
                pool,
                Attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH,
                std::ptr::from_mut(&mut zero).cast(),
            )
            .result()
            .map_err(Error::wrap)?;
        }
    }
    Ok(peak)
}

/// Waits for all work on the device.
pub fn synchronise(device: &Device) -> Result<()> {
    let stream = device.as_cuda_device()?.cuda_stream();
    stream.synchronize().map_err(Error::wrap)
}
