//! Memory on the device that a kernel writes.

use std::marker::PhantomData;

use candle_core::op::BackpropOp;
use candle_core::{bail, CpuStorage, DType, Result, Shape, Storage, Tensor};

use super::values::Element;
use super::Kernels;

/// Values that no kernel has written yet. Becomes a tensor once one has been told to.
pub struct Buffer<T = f32> {
    storage: Storage,
    shape: Shape,
    of: PhantomData<T>,
}

impl Kernels {
    /// Room for f32 values.
    pub fn floats(&self, shape: impl Into<Shape>) -> Result<Buffer> {
        self.buffer(shape.into())
    }

    /// Room for f64 values.
    pub fn doubles(&self, shape: impl Into<Shape>) -> Result<Buffer<f64>> {
        self.buffer(shape.into())
    }

    /// Room for indices.
    pub fn indices(&self, shape: impl Into<Shape>) -> Result<Buffer<u32>> {
        self.buffer(shape.into())
    }

    /// f32 values that are 0.
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
        Ok(Buffer::new(storage, shape))
    }

    fn buffer<T: Element>(&self, shape: Shape) -> Result<Buffer<T>> {
        let storage = match &self.device {
            #[cfg(feature = "cuda")]
            candle_core::Device::Cuda(cuda) => {
                use candle_core::backend::BackendDevice;
                // SAFETY: a kernel writes every value before one is read.
                Storage::Cuda(unsafe { cuda.alloc_uninit(&shape, T::DTYPE)? })
            }
            _ => Storage::Cpu(unwritten(shape.elem_count(), T::DTYPE)?),
        };
        Ok(Buffer::new(storage, shape))
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

impl<T> Buffer<T> {
    /// `storage` holds as many values of type `T` as the shape has.
    fn new(storage: Storage, shape: Shape) -> Self {
        Self {
            storage,
            shape,
            of: PhantomData,
        }
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// How many values it has room for.
    pub fn elem_count(&self) -> usize {
        self.shape.elem_count()
    }

    /// Once a kernel was told to write it.
    pub fn into_tensor(self) -> Tensor {
        Tensor::from_storage(self.storage, self.shape, BackpropOp::none(), false)
    }
}
