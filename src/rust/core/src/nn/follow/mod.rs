//! Parameters that follow others: an exponential moving average.

mod device;
mod host;

use candle_core::{Result, Var};

use crate::gpu::Kernels;

/// theta <- m theta + (1 - m) other
pub fn follow(parameters: &[Var], others: &[Var], m: f64) -> Result<()> {
    let Some(first) = parameters.first() else {
        return Ok(());
    };
    match Kernels::of(first.device())? {
        None => host::follow(parameters, others, m),
        Some(kernels) => device::follow(&kernels, parameters, others, m),
    }
}
