//! Memory on the device that a kernel writes.

use candle_core::op::BackpropOp;
use candle_core::{bail, CpuStorage, DType, Layout, Result, Shape, Storage, Tensor};

use super::Kernels;

/// Values that no kernel has written yet. Becomes a tensor once one has been told to.
pub struct Buffer {
    storage: Storage,
    shape: Shape,
}

impl Kernels {
    pub fn floats(&self, shape: impl Into<Shape>) -> Result<Buffer> {
        self.buffer(shape.into(), DType::F32)
    }

    pub fn doubles(&self, shape: impl Into<Shape>) -> Result<Buffer> {
        self.buffer(shape.into(), DType::F64)
    }

    pub fn indices(&self, shape: impl Into<Shape>) -> Result<Buffer> {
        self.buffer(shape.into(), DType::U32)
    }

    pub fn zeros(&self, shape: impl Into<Shape>) -> Result<Buffer> {
        let shape = shape.into();
        let storage = match &self.device {
            #[cfg(feature = "cuda")]
            candle_core::Device::Cuda(cuda) => {
                use candle_core::backend::BackendDevice;
                Storage::Cuda(cuda.zeros_impl(&shape, DType::F32)?)
            }
            _ => Storage::Cpu(CpuStorage::F32(vec![0.0; shape.elem_count()])),
        };
        Ok(Buffer { storage, shape })
    }

    fn buffer(&self, shape: Shape, dtype: DType) -> Result<Buffer> {
        let storage = match &self.device {
            #[cfg(feature = "cuda")]
            candle_core::Device::Cuda(cuda) => {
                use candle_core::backend::BackendDevice;
                // SAFETY: a kernel writes every value before one is read.
                Storage::Cuda(unsafe { cuda.alloc_uninit(&shape, dtype)? })
            }
            _ => Storage::Cpu(unwritten(shape.elem_count(), dtype)?),
        };
        Ok(Buffer { storage, shape })
    }
}

/// Values that give away that nobody wrote them.
fn unwritten(n: usize, dtype: DType) -> Result<CpuStorage> {
    Ok(match dtype {
        DType::F32 => CpuStorage::F32(vec![f32::NAN; n]),
        DType::F64 => CpuStorage::F64(vec![f64::NAN; n]),
        DType::U32 => CpuStorage::U32(vec![u32::MAX / 2; n]),
        other => bail!("no buffers of {other:?}"),
    })
}

impl Buffer {
    pub(super) fn address(&self) -> Result<u64> {
        address(&self.storage, 0)
    }

    pub fn into_tensor(self) -> Tensor {
        Tensor::from_storage(self.storage, self.shape, BackpropOp::none(), false)
    }

    pub(super) fn into_parts(self) -> (Storage, Shape) {
        (self.storage, self.shape)
    }
}

/// Where the values of a contiguous tensor lie.
pub(super) fn address_of(tensor: &Tensor) -> Result<u64> {
    let (storage, layout) = tensor.storage_and_layout();
    address(&storage, offset(layout)?)
}

fn offset(layout: &Layout) -> Result<usize> {
    match layout.contiguous_offsets() {
        Some((start, _)) => Ok(start),
        None => bail!("expected a contiguous tensor"),
    }
}

fn address(storage: &Storage, offset: usize) -> Result<u64> {
    match storage {
        #[cfg(feature = "cuda")]
        Storage::Cuda(cuda) => super::cuda::address(cuda, offset),
        Storage::Cpu(cpu) => Ok(match cpu {
            CpuStorage::F32(values) => values[offset..].as_ptr() as u64,
            CpuStorage::F64(values) => values[offset..].as_ptr() as u64,
            CpuStorage::U32(values) => values[offset..].as_ptr() as u64,
            CpuStorage::I64(values) => values[offset..].as_ptr() as u64,
            _ => bail!("no kernel takes this type"),
        }),
        _ => bail!("this build has no kernels for this device"),
    }
}
