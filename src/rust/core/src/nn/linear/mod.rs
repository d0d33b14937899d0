//! Linear layers without bias: the blocks that follow (batch norm) would take a bias out again.

mod device;
mod host;

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::tape::Traced;
use super::view::{matrix, with_slice};
use crate::gpu::{Buffer, Kernels};

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

/// A matrix that is only ever multiplied: the model's input, dense or implicit.
pub trait Design: Send + Sync {
    /// N.
    fn n_rows(&self) -> usize;
    /// p.
    fn n_columns(&self) -> usize;
    /// `X w'` for w of `outer` x p, as N x `outer`.
    fn times_transposed(&self, w: &[f32], outer: usize) -> Vec<f32>;
    /// `g' X` for g of N x `outer`, as `outer` x p.
    fn gram(&self, g: &[f32], outer: usize) -> Vec<f32>;
    /// The same matrix on a device, once it is there.
    fn placed(&self) -> Option<&dyn PlacedDesign>;
}

/// [`Design`] on a device.
pub trait PlacedDesign {
    fn kernels(&self) -> &Kernels;
    fn times_transposed(&self, w: &Tensor) -> Result<Buffer>;
    fn gram(&self, g: &Tensor) -> Result<Buffer>;
}

/// `X w'` for the constant N x p matrix `x` and w of b x p.
pub fn project<D: Design + 'static>(x: &Arc<D>, w: impl Into<Traced>) -> Result<Traced> {
    let w = w.into();
    match x.placed() {
        None => host::project(x, &w),
        Some(placed) => device::project(x.clone(), placed, &w),
    }
}

/// `X w'` without a gradient.
pub fn project_fixed<D: Design>(x: &D, w: &Tensor) -> Result<Tensor> {
    match x.placed() {
        Some(placed) => Ok(placed.times_transposed(w)?.into_tensor()),
        None => with_slice(w, |values| {
            let outer = w.dim(0)?;
            matrix(x.times_transposed(values, outer), x.n_rows(), outer)
        }),
    }
}
