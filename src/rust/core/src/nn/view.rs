//! From candle tensors to slices and back.

use candle_core::{bail, CpuStorage, Device, Layout, Result, Shape, Storage, Tensor};

use crate::progress;

/// The values of a contiguous f32 storage on the CPU.
///
/// Every operation of an epoch on the CPU begins here, forward and backward: an epoch ends here when it is cancelled.
pub fn storage_slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    if progress::check().is_err() {
        bail!("interrupted");
    }
    let CpuStorage::F32(values) = storage else {
        bail!("expected f32 values");
    };
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => bail!("expected a contiguous tensor"),
    }
}

/// Calls `work` with the values of a contiguous f32 tensor on the CPU, without a copy.
pub fn with_slice<T>(tensor: &Tensor, work: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(cpu) => work(storage_slice(cpu, layout)?),
        _ => bail!("expected a tensor on the CPU"),
    }
}

/// The values of a contiguous f32 tensor on the CPU, copied.
pub fn to_vec(tensor: &Tensor) -> Result<Vec<f32>> {
    with_slice(tensor, |values| Ok(values.to_vec()))
}

/// The values of an f32 tensor on any device, copied to the host.
pub fn to_host(tensor: &Tensor) -> Result<Vec<f32>> {
    match tensor.device() {
        Device::Cpu => to_vec(tensor),
        _ => tensor.flatten_all()?.to_vec1(),
    }
}

/// Rows and columns of a matrix.
pub fn dims(layout: &Layout) -> Result<(usize, usize)> {
    layout.shape().dims2()
}

/// A CPU tensor that takes over `values`.
pub fn matrix(values: Vec<f32>, rows: usize, columns: usize) -> Result<Tensor> {
    Tensor::from_vec(values, (rows, columns), &Device::Cpu)
}

/// What a custom op returns.
pub fn output(values: Vec<f32>, shape: impl Into<Shape>) -> Result<(CpuStorage, Shape)> {
    Ok((CpuStorage::F32(values), shape.into()))
}
