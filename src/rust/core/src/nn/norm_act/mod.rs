//! Batch norm, activation and dropout in one pass over the rows.

mod device;
mod host;

use candle_core::{Result, Tensor};

use super::dropout::Dropout;
use super::running::Running;
use super::tape::Traced;
use crate::gpu::Kernels;

pub use host::moments;

/// What follows the batch norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// max(x, 0).
    Relu,
    /// With alpha = 1.
    Elu,
}

/// Mean and biased variance of each column of a batch.
#[derive(Clone, Debug)]
pub struct Moments {
    /// Of each column.
    pub mean: Vec<f64>,
    /// Of each column, over the number of rows.
    pub variance: Vec<f64>,
}

/// The block's settings.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Added to each variance.
    pub epsilon: f64,
    /// By how much the running moments follow the batch's.
    pub momentum: f64,
    /// After the batch norm.
    pub activation: Activation,
    /// After the activation.
    pub dropout: Dropout,
}

/// Batch norm over the rows, activation, dropout: x is N x w, `affine` 2 x w (scale, shift), `running` the running
/// moments, which follow the batch's.
pub fn norm_act(
    x: impl Into<Traced>,
    affine: impl Into<Traced>,
    running: &Running,
    settings: Settings,
) -> Result<Traced> {
    let (x, affine) = (x.into(), affine.into());
    let Some(kernels) = Kernels::of(x.value().device())? else {
        let (out, batch) = host::norm_act(&x, &affine, settings)?;
        running.follow(&batch, x.value().dim(0)?, settings.momentum)?;
        return Ok(out);
    };
    device::norm_act(&kernels, &x, &affine, running.as_tensor(), settings)
}

/// The same block with the running moments and without dropout: evaluation mode.
pub fn norm_act_fixed(
    x: &Tensor,
    affine: &Tensor,
    running: &Running,
    settings: Settings,
) -> Result<Tensor> {
    let settings = Settings {
        dropout: Dropout::none(),
        ..settings
    };
    match Kernels::of(x.device())? {
        None => host::norm_act_fixed(x, affine, &running.get()?, settings),
        Some(kernels) => device::norm_act_fixed(&kernels, x, affine, running.as_tensor(), settings),
    }
}
