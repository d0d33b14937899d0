//! Linear layers without bias: the blocks that follow (batch norm) would take a bias out again.

mod device;
mod host;

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::tape::Traced;
use super::view::{matrix, with_slice};
use crate::design::Input;
use crate::gpu::Kernels;

/// `x w'`: x is N x a, w is b x a, the result N x b.
pub fn linear(x: impl Into<Traced>, w: impl Into<Traced>) -> Result<Traced> {
    let (x, w) = (x.into(), w.into());
    match Kernels::of(x.value().device())? {
        None => host::linear(&x, &w),
        Some(kernels) => device::linear(kernels, &x, &w),
    }
}

/// `a b` of two small matrices.
pub fn small_times(a: impl Into<Traced>, b: impl Into<Traced>) -> Result<Traced> {
    let (a, b) = (a.into(), b.into());
    match Kernels::of(a.value().device())? {
        None => host::small_times(&a, &b),
        Some(kernels) => device::small_times(kernels, &a, &b),
    }
}

/// `X w'` for the constant N x p matrix `x` and w of b x p.
pub fn project(x: &Arc<Input>, w: impl Into<Traced>) -> Result<Traced> {
    let w = w.into();
    match x.placed() {
        None => host::project(x, &w),
        Some(placed) => device::project(x.clone(), placed, &w),
    }
}

/// `X w'` without a gradient.
pub fn project_fixed(x: &Input, w: &Tensor) -> Result<Tensor> {
    match x.placed() {
        Some(placed) => Ok(placed.times_transposed(w)?.into_tensor()),
        None => with_slice(w, |values| {
            let outer = w.dim(0)?;
            matrix(x.times_transposed(values, outer), x.n_rows(), outer)
        }),
    }
}
