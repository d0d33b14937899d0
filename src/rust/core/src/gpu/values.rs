//! What kernels read and write: where values lie, and how many.

use candle_core::{bail, CpuStorage, DType, DeviceLocation, Layout, Result, Storage, Tensor};

use super::Buffer;

/// Values side by side on a device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub address: u64,
    pub len: usize,
    pub location: DeviceLocation,
}

/// A type of values that kernels take.
pub trait Element: Copy {
    const DTYPE: DType;
}

impl Element for f32 {
    const DTYPE: DType = DType::F32;
}

impl Element for f64 {
    const DTYPE: DType = DType::F64;
}

impl Element for u32 {
    const DTYPE: DType = DType::U32;
}

impl Element for i64 {
    const DTYPE: DType = DType::I64;
}

/// What a kernel can read: contiguous tensors, buffers, lists.
///
/// # Safety
/// The span is that of values of type `T` that live as long as `self`.
pub(crate) unsafe trait Read<T> {
    fn span(&self) -> Result<Span>;
}

/// What a kernel can write, or change in place.
///
/// # Safety
/// As for [`Read`].
pub(crate) unsafe trait Overwrite<T> {
    fn span_mut(&mut self) -> Result<Span>;
}

// SAFETY: the span is the tensor's own.
unsafe impl<T: Element> Read<T> for Tensor {
    fn span(&self) -> Result<Span> {
        span_of(self, T::DTYPE)
    }
}

// SAFETY: the span is the buffer's own.
unsafe impl<T: Element> Read<T> for Buffer<T> {
    fn span(&self) -> Result<Span> {
        span(self.storage(), 0, self.elem_count())
    }
}

// SAFETY: the span is the buffer's own.
unsafe impl<T: Element> Overwrite<T> for Buffer<T> {
    fn span_mut(&mut self) -> Result<Span> {
        self.span()
    }
}

/// A tensor that a kernel changes, for all who hold it: running moments, the labels of Lloyd's iterations.
pub(crate) struct InPlace<'a>(pub &'a Tensor);

// SAFETY: the span is the tensor's own.
unsafe impl<T: Element> Overwrite<T> for InPlace<'_> {
    fn span_mut(&mut self) -> Result<Span> {
        span_of(self.0, T::DTYPE)
    }
}

fn span_of(tensor: &Tensor, dtype: DType) -> Result<Span> {
    if tensor.dtype() != dtype {
        bail!("{:?} where {dtype:?} is wanted", tensor.dtype());
    }
    let (storage, layout) = tensor.storage_and_layout();
    span(&storage, offset(layout)?, layout.shape().elem_count())
}

fn offset(layout: &Layout) -> Result<usize> {
    match layout.contiguous_offsets() {
        Some((start, _)) => Ok(start),
        None => bail!("expected a contiguous tensor"),
    }
}

fn span(storage: &Storage, offset: usize, len: usize) -> Result<Span> {
    let (address, location) = match storage {
        #[cfg(feature = "cuda")]
        Storage::Cuda(cuda) => {
            use candle_core::backend::BackendDevice;
            (super::cuda::address(cuda, offset)?, cuda.device.location())
        }
        Storage::Cpu(cpu) => (address_on_host(cpu, offset)?, DeviceLocation::Cpu),
        _ => bail!("this build has no kernels for this device"),
    };
    Ok(Span {
        address,
        len,
        location,
    })
}

fn address_on_host(storage: &CpuStorage, offset: usize) -> Result<u64> {
    Ok(match storage {
        CpuStorage::F32(values) => values[offset..].as_ptr() as u64,
        CpuStorage::F64(values) => values[offset..].as_ptr() as u64,
        CpuStorage::U32(values) => values[offset..].as_ptr() as u64,
        CpuStorage::I64(values) => values[offset..].as_ptr() as u64,
        _ => bail!("no kernel takes this type"),
    })
}
