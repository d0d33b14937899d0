//! On the CPU.

use candle_core::{Result, Tensor};

use super::{EpochLosses, Losses};

/// The numbers of an epoch, without the gradients' norm.
pub fn read(losses: &Losses, epoch: usize) -> Result<EpochLosses> {
    let scalar = |t: &Tensor| t.to_scalar::<f32>();
    Ok(EpochLosses {
        epoch,
        total: scalar(losses.total.value())?,
        reconstruction: scalar(&losses.reconstruction)?,
        consistency: scalar(&losses.consistency)?,
        contrast: losses.contrast.as_ref().map(scalar).transpose()?,
        gradient_norm: 0.0,
    })
}
