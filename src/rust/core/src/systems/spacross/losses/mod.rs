//! The losses of an epoch: their weighted sum, and their record.

mod device;
mod host;
pub mod outer;
mod record;
pub mod sums;

use candle_core::{Result, Tensor};

use crate::engine::place::Place;
use crate::nn::scalar::weighted_sum;
use crate::nn::tape::Traced;

pub use record::{read, Recorded};

/// The losses of one epoch, before their weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochLosses {
    /// From 1.
    pub epoch: usize,
    /// The weighted sum that was minimised.
    pub total: f32,
    /// Of the input at masked nodes.
    pub reconstruction: f32,
    /// Of the two views.
    pub consistency: f32,
    /// None before the hybrid graph exists.
    pub contrast: Option<f32>,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f64,
}

/// The same where they were computed, one number each.
pub struct Losses {
    /// The weighted sum.
    pub total: Traced,
    reconstruction: Tensor,
    consistency: Tensor,
    contrast: Option<Tensor>,
}

impl Losses {
    /// `weights`: of the three, in their order.
    pub fn new(
        place: &Place,
        [reconstruction, consistency]: [Traced; 2],
        contrast: Option<Traced>,
        weights: [f64; 3],
    ) -> Result<Self> {
        let terms = [&reconstruction, &consistency].into_iter().chain(&contrast);
        let total = match place {
            Place::Host => weighted_sum(&terms.zip(weights).collect::<Vec<_>>())?,
            Place::Device(kernels) => {
                device::weighted(kernels, &terms.collect::<Vec<_>>(), weights)?
            }
        };
        Ok(Self {
            total,
            reconstruction: reconstruction.into_value(),
            consistency: consistency.into_value(),
            contrast: contrast.map(Traced::into_value),
        })
    }
}
