//! From candle tensors to slices and back.

use candle_core::{bail, Device, Layout, Result, Storage, Tensor};

use crate::progress;

/// The values of a contiguous f32 tensor on the CPU.
///
/// Every operation of an epoch on the CPU begins here, forward and backward: an epoch ends here when it is cancelled.
fn values<'a>(storage: &'a Storage, layout: &Layout) -> Result<&'a [f32]> {
    if progress::check().is_err() {
        bail!("interrupted");
    }
    let Storage::Cpu(storage) = storage else {
        bail!("expected a tensor on the CPU");
    };
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice()?[start..end]),
        None => bail!("expected a contiguous tensor"),
    }
}

/// Calls `work` with the values of contiguous f32 tensors on the CPU, without a copy.
pub fn with_slices<T, const N: usize>(
    tensors: [&Tensor; N],
    work: impl FnOnce([&[f32]; N]) -> Result<T>,
) -> Result<T> {
    let held = tensors.map(Tensor::storage_and_layout);
    let mut slices = [&[][..]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&held) {
        *slice = values(storage, layout)?;
    }
    work(slices)
}

/// The same for one tensor.
pub fn with_slice<T>(tensor: &Tensor, work: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    with_slices([tensor], |[values]| work(values))
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

/// A CPU tensor that takes over `values`.
pub fn matrix(values: Vec<f32>, rows: usize, columns: usize) -> Result<Tensor> {
    Tensor::from_vec(values, (rows, columns), &Device::Cpu)
}
