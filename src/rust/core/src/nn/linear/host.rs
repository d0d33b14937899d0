//! On the CPU.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::Design;
use crate::dense::{gram, times, times_transposed};
use crate::nn::view::{dims, matrix, output, storage_slice, with_slice};

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

pub fn linear(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    x.apply_op2(w, Linear)
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

pub fn project<D: Design + 'static>(x: &Arc<D>, w: &Tensor) -> Result<Tensor> {
    w.apply_op1(Project(x.clone()))
}
