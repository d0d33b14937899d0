//! Linear layers without bias: the blocks that follow (batch norm) would take a bias out again.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::view::{dims, matrix, output, storage_slice, with_slice};
use crate::dense::{gram, times, times_transposed};
use crate::gpu::{attach, attach2, Buffer, Kernels};

/// `x w'` with x N x a and w b x a (PyTorch's layout); gradients to both.
struct Linear;

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((n, inner), (outer, _)) = (dims(x_layout)?, dims(w_layout)?);
        let (x, w) = (storage_slice(x, x_layout)?, storage_slice(w, w_layout)?);
        output(times_transposed(x, w, inner, outer), (n, outer))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let ((n, inner), (outer, _)) = (x.dims2()?, w.dims2()?);
        let grad = grad.contiguous()?;
        with_slice(&grad, |g| {
            let dx = with_slice(w, |w| Ok(times(g, w, outer, inner)))?;
            let dw = with_slice(x, |x| Ok(gram(g, x, outer, inner)))?;
            Ok((Some(matrix(dx, n, inner)?), Some(matrix(dw, outer, inner)?)))
        })
    }
}

/// `x w'`: x is N x a, w is b x a, the result N x b.
pub fn linear(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    match Kernels::of(x.device())? {
        None => x.apply_op2(w, Linear),
        Some(kernels) => linear_on(kernels, x, w),
    }
}

fn linear_on(kernels: Kernels, x: &Tensor, w: &Tensor) -> Result<Tensor> {
    let (x0, w0) = (x.detach(), w.detach());
    let product = kernels.times_transposed(&x0, &w0)?;
    attach2("linear", [x, w], product, move |grad| {
        let dx = kernels.times(grad, &w0)?.into_tensor();
        let dw = kernels.gram(grad, &x0)?.into_tensor();
        Ok([Some(dx), Some(dw)])
    })
}

/// `a b` of two small matrices.
pub fn small_times(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let Some(kernels) = Kernels::of(a.device())? else {
        return a.matmul(b);
    };
    let (a0, b0) = (a.detach(), b.detach());
    let product = kernels.times(&a0, &b0)?;
    attach2("times", [a, b], product, move |grad| {
        let da = kernels.times_transposed(grad, &b0)?.into_tensor();
        let db = kernels.gram(&a0, grad)?.into_tensor();
        Ok([Some(da), Some(db)])
    })
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

/// `X w'` for a constant X: the gradient goes to w alone.
struct Project<D>(Arc<D>);

impl<D: Design> CustomOp1 for Project<D> {
    fn name(&self) -> &'static str {
        "project"
    }

    fn cpu_fwd(&self, w: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (outer, _) = dims(layout)?;
        let product = self.0.times_transposed(storage_slice(w, layout)?, outer);
        output(product, (self.0.n_rows(), outer))
    }

    fn bwd(&self, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (outer, p) = w.dims2()?;
        let dw = with_slice(&grad.contiguous()?, |g| Ok(self.0.gram(g, outer)))?;
        Ok(Some(matrix(dw, outer, p)?))
    }
}

/// `X w'` for the constant N x p matrix `x` and w of b x p.
pub fn project<D: Design + 'static>(x: &Arc<D>, w: &Tensor) -> Result<Tensor> {
    let Some(placed) = x.placed() else {
        return w.apply_op1(Project(x.clone()));
    };
    let product = placed.times_transposed(&w.detach())?;
    let x = x.clone();
    attach("project", w, product, move |grad| match x.placed() {
        Some(placed) => Ok([Some(placed.gram(grad)?.into_tensor())]),
        None => Ok([None]),
    })
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
