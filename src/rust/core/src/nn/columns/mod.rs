//! Blocks of a matrix's columns: one taken out, several side by side.

mod device;
mod host;

use candle_core::{Result, Tensor};

use super::tape::Traced;
use crate::gpu::Kernels;

/// Columns `first..first + width` of x (N x w).
pub fn columns(x: impl Into<Traced>, first: usize, width: usize) -> Result<Traced> {
    let x = x.into();
    match Kernels::of(x.value().device())? {
        None => host::columns(&x, first, width),
        Some(kernels) => device::columns(kernels, &x, first, width),
    }
}

/// Matrices joined along a dimension: below each other (0), or side by side (1).
pub fn joined(parts: &[&Traced], dimension: usize) -> Result<Traced> {
    let values: Vec<&Tensor> = parts.iter().map(|part| part.value()).collect();
    let sizes = values.iter().map(|part| part.dim(dimension));
    let sizes = sizes.collect::<Result<Vec<_>>>()?;
    let value = Tensor::cat(&values, dimension)?;
    Ok(Traced::of_all(parts, value, move |grad| {
        let mut first = 0;
        let own = sizes.iter().map(|&size| {
            first += size;
            grad.narrow(dimension, first - size, size).map(Some)
        });
        own.collect()
    }))
}
