//! Batch norm, activation and dropout on a device (the CPU's form: [`super::norm_act`]).

use candle_core::{Result, Tensor};

use super::dropout::Dropout;
use super::norm_act::Activation;
use crate::gpu::{attach2, Buffer, Kernels};

/// The block's settings.
#[derive(Clone, Copy)]
pub struct Settings {
    pub epsilon: f64,
    /// By how much the running moments follow the batch's.
    pub momentum: f64,
    pub activation: Activation,
    pub dropout: Dropout,
}

impl Settings {
    fn activation(&self) -> usize {
        match self.activation {
            Activation::Identity => 0,
            Activation::Relu => 1,
            Activation::Elu => 2,
        }
    }
}

/// x is N x w, `affine` 2 x w (scale, shift), `running` the running moments, which follow the batch's (2 x w, f64).
/// Without gradient where `train` is false.
pub fn norm_act(
    kernels: &Kernels,
    x: &Tensor,
    affine: &Tensor,
    running: &Tensor,
    settings: Settings,
    train: bool,
) -> Result<Tensor> {
    let lines = batch_lines(kernels, x, affine, running, settings)?;
    let out = forward(kernels, x, &lines, settings)?;
    if !train {
        return Ok(out.into_tensor());
    }
    let (kernels, x0) = (kernels.clone(), x.detach());
    attach2("norm-act-dropout", [x, affine], out, move |grad| {
        let (dx, d_affine) = backward(&kernels, &x0, grad, &lines, settings)?;
        Ok([Some(dx.into_tensor()), Some(d_affine.into_tensor())])
    })
}

/// The same block with the running moments and without dropout: evaluation mode.
pub fn norm_act_fixed(
    kernels: &Kernels,
    x: &Tensor,
    affine: &Tensor,
    running: &Tensor,
    settings: Settings,
) -> Result<Tensor> {
    let (_, width) = x.dims2()?;
    let lines = kernels.floats((4, width))?;
    kernels
        .launch("norm_fixed")
        .tensor(affine)
        .tensor(running)
        .output(&lines)
        .u32(width)
        .f64(settings.epsilon)
        .over(width)?;
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
    let parts = kernels.doubles((n_chunks, 2, width))?;
    kernels
        .launch("norm_moments")
        .tensor(x)
        .output(&parts)
        .u64(n)
        .u32(width)
        .u32(chunk)
        .column_groups(n_chunks, width)?;
    let lines = kernels.floats((4, width))?;
    kernels
        .launch("norm_finish")
        .output(&parts)
        .tensor(affine)
        .tensor(running)
        .output(&lines)
        .u32(n_chunks)
        .u64(n)
        .u32(width)
        .f64(settings.epsilon)
        .f64(settings.momentum)
        .blocks(width, 1)?;
    Ok(lines.into_tensor())
}

fn forward(kernels: &Kernels, x: &Tensor, lines: &Tensor, settings: Settings) -> Result<Buffer> {
    let (n, width) = x.dims2()?;
    let out = kernels.floats((n, width))?;
    kernels
        .launch("norm_forward")
        .tensor(x)
        .tensor(lines)
        .output(&out)
        .u64(n)
        .u32(width)
        .u32(settings.activation())
        .words(&settings.dropout.words())
        .column_groups(n.div_ceil(32), width)?;
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
    let parts = kernels.doubles((n_chunks, 2, width))?;
    kernels
        .launch("norm_behind")
        .tensor(x)
        .tensor(grad)
        .tensor(lines)
        .output(&parts)
        .u64(n)
        .u32(width)
        .u32(chunk)
        .u32(settings.activation())
        .words(&settings.dropout.words())
        .column_groups(n_chunks, width)?;
    let (means, d_affine) = (kernels.floats((2, width))?, kernels.floats((2, width))?);
    kernels
        .launch("norm_totals")
        .output(&parts)
        .output(&means)
        .output(&d_affine)
        .u32(n_chunks)
        .u64(n)
        .u32(width)
        .blocks(width, 1)?;
    let dx = kernels.floats((n, width))?;
    kernels
        .launch("norm_through")
        .tensor(x)
        .tensor(grad)
        .tensor(lines)
        .output(&means)
        .output(&dx)
        .u64(n)
        .u32(width)
        .u32(settings.activation())
        .words(&settings.dropout.words())
        .column_groups(n.div_ceil(32), width)?;
    Ok((dx, d_affine))
}
