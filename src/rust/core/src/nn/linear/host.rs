//! On the CPU.

use std::sync::Arc;

use candle_core::Result;

use crate::dense::{gram, times, times_transposed};
use crate::design::Input;
use crate::nn::tape::Traced;
use crate::nn::view::{matrix, with_slice, with_slices};

/// `x w'` with x N x a and w b x a (PyTorch's layout); gradients to both.
pub fn linear(x: &Traced, w: &Traced) -> Result<Traced> {
    let (x0, w0) = (x.value().clone(), w.value().clone());
    let ((n, inner), (outer, _)) = (x0.dims2()?, w0.dims2()?);
    let product = with_slices([&x0, &w0], |[x, w]| {
        Ok(times_transposed(x, w, inner, outer))
    })?;
    let product = matrix(product, n, outer)?;
    Ok(Traced::of([x, w], product, move |grad| {
        with_slices([grad, &x0, &w0], |[g, x, w]| {
            let dx = matrix(times(g, w, outer, inner), n, inner)?;
            let dw = matrix(gram(g, x, outer, inner), outer, inner)?;
            Ok([Some(dx), Some(dw)])
        })
    }))
}

/// `a b`
pub fn small_times(a: &Traced, b: &Traced) -> Result<Traced> {
    let (a0, b0) = (a.value().clone(), b.value().clone());
    Ok(Traced::of([a, b], a0.matmul(&b0)?, move |grad| {
        let (da, db) = (grad.matmul(&b0.t()?)?, a0.t()?.matmul(grad)?);
        Ok([Some(da), Some(db)])
    }))
}

/// `X w'` for a constant X: the gradient goes to w alone.
pub fn project(x: &Arc<Input>, w: &Traced) -> Result<Traced> {
    let (outer, p) = w.value().dims2()?;
    let product = with_slice(w.value(), |w| Ok(x.times_transposed(w, outer)))?;
    let product = matrix(product, x.n_rows(), outer)?;
    let x = x.clone();
    Ok(Traced::of([w], product, move |grad| {
        let dw = with_slice(grad, |g| Ok(x.gram(g, outer)))?;
        Ok([Some(matrix(dw, outer, p)?)])
    }))
}
