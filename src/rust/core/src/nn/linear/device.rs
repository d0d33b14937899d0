//! On a device.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::{Design, PlacedDesign};
use crate::gpu::{attach, attach2, Kernels};

pub fn linear(kernels: Kernels, x: &Tensor, w: &Tensor) -> Result<Tensor> {
    let (x0, w0) = (x.detach(), w.detach());
    let product = kernels.times_transposed(&x0, &w0)?;
    attach2("linear", [x, w], product, move |grad| {
        let dx = kernels.times(grad, &w0)?.into_tensor();
        let dw = kernels.gram(grad, &x0)?.into_tensor();
        Ok([Some(dx), Some(dw)])
    })
}

pub fn times(kernels: Kernels, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (a0, b0) = (a.detach(), b.detach());
    let product = kernels.times(&a0, &b0)?;
    attach2("times", [a, b], product, move |grad| {
        let da = kernels.times_transposed(grad, &b0)?.into_tensor();
        let db = kernels.gram(&a0, grad)?.into_tensor();
        Ok([Some(da), Some(db)])
    })
}

pub fn project<D: Design + 'static>(
    x: Arc<D>,
    placed: &dyn PlacedDesign,
    w: &Tensor,
) -> Result<Tensor> {
    let product = placed.times_transposed(&w.detach())?;
    let x = x.clone();
    attach("project", w, product, move |grad| match x.placed() {
        Some(placed) => Ok([Some(placed.gram(grad)?.into_tensor())]),
        None => Ok([None]),
    })
}
