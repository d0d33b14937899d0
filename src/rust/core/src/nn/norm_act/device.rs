//! On a device.

use candle_core::{Result, Tensor};

use super::{Activation, Settings};
use crate::gpu::kernel::{
    NormBehind, NormFinish, NormFixed, NormForward, NormMoments, NormThrough, NormTotals,
};
use crate::gpu::{Buffer, InPlace, Kernels};
use crate::nn::tape::Traced;

impl Settings {
    fn kernels_activation(&self) -> usize {
        match self.activation {
            Activation::Identity => 0,
            Activation::Relu => 1,
            Activation::Elu => 2,
        }
    }
}

/// x is N x w, `affine` 2 x w (scale, shift), `running` the running moments, which follow the batch's (2 x w, f64).
pub fn norm_act(
    kernels: &Kernels,
    x: &Traced,
    affine: &Traced,
    running: &Tensor,
    settings: Settings,
) -> Result<Traced> {
    let (kernels, x0) = (kernels.clone(), x.value().clone());
    let lines = batch_lines(&kernels, &x0, affine.value(), running, settings)?;
    let out = forward(&kernels, &x0, &lines, settings)?;
    Ok(Traced::of([x, affine], out.into_tensor(), move |grad| {
        let (dx, d_affine) = backward(&kernels, &x0, grad, &lines, settings)?;
        Ok([Some(dx.into_tensor()), Some(d_affine.into_tensor())])
    }))
}

/// The block with the running moments.
pub fn norm_act_fixed(
    kernels: &Kernels,
    x: &Tensor,
    affine: &Tensor,
    running: &Tensor,
    settings: Settings,
) -> Result<Tensor> {
    let (_, width) = x.dims2()?;
    let mut lines = kernels.floats((4, width))?;
    NormFixed {
        affine,
        running,
        lines: &mut lines,
        width,
        epsilon: settings.epsilon,
    }
    .launch(kernels)?;
    Ok(forward(kernels, x, &lines.into_tensor(), settings)?.into_tensor())
}

/// Scale and shift of each column, with the affine part and without (4 x w), from the batch's moments.
fn batch_lines(
    kernels: &Kernels,
    x: &Tensor,
    affine: &Tensor,
    running: &Tensor,
    settings: Settings,
) -> Result<Tensor> {
    let (n, width) = x.dims2()?;
    let (n_chunks, chunk) = kernels.chunks(n);
    let mut parts = kernels.doubles((n_chunks, 2, width))?;
    NormMoments {
        x,
        parts: &mut parts,
        n,
        width,
        chunk,
    }
    .launch(kernels)?;
    let mut lines = kernels.floats((4, width))?;
    NormFinish {
        parts: &parts,
        affine,
        running: &mut InPlace(running),
        lines: &mut lines,
        n_parts: n_chunks,
        n,
        width,
        epsilon: settings.epsilon,
        momentum: settings.momentum,
    }
    .launch(kernels)?;
    Ok(lines.into_tensor())
}

fn forward(kernels: &Kernels, x: &Tensor, lines: &Tensor, settings: Settings) -> Result<Buffer> {
    let (n, width) = x.dims2()?;
    let mut out = kernels.floats((n, width))?;
    NormForward {
        x,
        lines,
        out: &mut out,
        n,
        width,
        activation: settings.kernels_activation(),
        dropout: settings.dropout.placed(),
    }
    .launch(kernels)?;
    Ok(out)
}

/// The gradients of x and of `affine`. The gradient behind the batch norm is computed twice rather than kept.
fn backward(
    kernels: &Kernels,
    x: &Tensor,
    grad: &Tensor,
    lines: &Tensor,
    settings: Settings,
) -> Result<(Buffer, Buffer)> {
    let (n, width) = x.dims2()?;
    let (n_chunks, chunk) = kernels.chunks(n);
    let mut parts = kernels.doubles((n_chunks, 2, width))?;
    NormBehind {
        x,
        grad,
        lines,
        parts: &mut parts,
        n,
        width,
        chunk,
        activation: settings.kernels_activation(),
        dropout: settings.dropout.placed(),
    }
    .launch(kernels)?;
    let (mut means, mut d_affine) = (kernels.floats((2, width))?, kernels.floats((2, width))?);
    NormTotals {
        parts: &parts,
        means: &mut means,
        d_affine: &mut d_affine,
        n_parts: n_chunks,
        n,
        width,
    }
    .launch(kernels)?;
    let mut dx = kernels.floats((n, width))?;
    NormThrough {
        x,
        grad,
        lines,
        means: &means,
        dx: &mut dx,
        n,
        width,
        activation: settings.kernels_activation(),
        dropout: settings.dropout.placed(),
    }
    .launch(kernels)?;
    Ok((dx, d_affine))
}
