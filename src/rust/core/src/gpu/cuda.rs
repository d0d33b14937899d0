//! The kernels on a CUDA device, through candle's context, stream and cuBLAS handle.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use candle_core::cuda_backend::cudarc::cublas::sys;
use candle_core::cuda_backend::cudarc::driver::{result, CudaFunction, CudaModule, DevicePtr};
use candle_core::cuda_backend::cudarc::nvrtc::Ptx;
use candle_core::cuda_backend::{CudaDevice, CudaStorage, CudaStorageSlice, DeviceId};
use candle_core::{bail, Error, Result};

use super::launch::Arguments;
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
        let [m, n, k, batch] = [g.m, g.n, g.k, g.batch].map(|size| size as i32);
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
