//! On the CPU.

use candle_core::{Result, Tensor};

use super::{EpochLosses, Losses};

/// The weighted sum of two or three losses.
pub fn weighted(
    [a, b]: [&Tensor; 2],
    c: Option<&Tensor>,
    [w_a, w_b, w_c]: [f64; 3],
) -> Result<Tensor> {
    let both = ((a * w_a)? + (b * w_b)?)?;
    Ok(match c {
        Some(c) => (both + (c * w_c)?)?,
        None => both,
    })
}

/// The numbers of an epoch, without the gradients' norm.
pub fn read(losses: &Losses, epoch: usize) -> Result<EpochLosses> {
    let scalar = |t: &Tensor| t.to_scalar::<f32>();
    Ok(EpochLosses {
        epoch,
        total: scalar(&losses.total)?,
        reconstruction: scalar(&losses.reconstruction)?,
        consistency: scalar(&losses.consistency)?,
        contrast: losses.contrast.as_ref().map(scalar).transpose()?,
        gradient_norm: 0.0,
    })
}
