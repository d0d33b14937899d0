//! A block of a matrix's columns.

mod device;
mod host;

use candle_core::{Result, Tensor};

use crate::gpu::Kernels;

/// Columns `first..first + width` of x (N x w).
pub fn columns(x: &Tensor, first: usize, width: usize) -> Result<Tensor> {
    match Kernels::of(x.device())? {
        None => host::columns(x, first, width),
        Some(kernels) => device::columns(kernels, x, first, width),
    }
}
