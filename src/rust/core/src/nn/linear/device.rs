//! On a device.

use std::sync::Arc;

use candle_core::Result;

use crate::design::{Input, PlacedInput};
use crate::gpu::Kernels;
use crate::nn::tape::Traced;

pub fn linear(kernels: Kernels, x: &Traced, w: &Traced) -> Result<Traced> {
    let (x0, w0) = (x.value().clone(), w.value().clone());
    let product = kernels.times_transposed(&x0, &w0)?.into_tensor();
    Ok(Traced::of([x, w], product, move |grad| {
        let dx = kernels.times(grad, &w0)?.into_tensor();
        let dw = kernels.gram(grad, &x0)?.into_tensor();
        Ok([Some(dx), Some(dw)])
    }))
}

pub fn small_times(kernels: Kernels, a: &Traced, b: &Traced) -> Result<Traced> {
    let (a0, b0) = (a.value().clone(), b.value().clone());
    let product = kernels.times(&a0, &b0)?.into_tensor();
    Ok(Traced::of([a, b], product, move |grad| {
        let da = kernels.times_transposed(grad, &b0)?.into_tensor();
        let db = kernels.gram(&a0, grad)?.into_tensor();
        Ok([Some(da), Some(db)])
    }))
}

pub fn project(x: Arc<Input>, placed: &PlacedInput, w: &Traced) -> Result<Traced> {
    let product = placed.times_transposed(w.value())?.into_tensor();
    Ok(Traced::of([w], product, move |grad| match x.placed() {
        Some(placed) => Ok([Some(placed.gram(grad)?.into_tensor())]),
        None => Ok([None]),
    }))
}
