//! Dropout of every layer of one epoch.

use crate::nn::dropout::Dropout;
use crate::rng::{Philox, Purpose};

/// Dropout of every layer of one epoch: rounds `16 epoch + layer`.
#[derive(Clone, Copy)]
pub struct EpochDropout {
    p: f64,
    philox: Philox,
    epoch: u32,
}

/// The first layer of the target encoder.
pub const TARGET_LAYERS: u32 = 4;
pub const PROJECTOR_LAYER: u32 = 8;
const DECODER_LAYER: u32 = 9;

impl EpochDropout {
    pub fn new(p: f64, seed: u64, epoch: u32) -> Self {
        Self {
            p,
            philox: Philox::new(seed, Purpose::Dropout),
            epoch,
        }
    }

    pub fn layer(&self, layer: u32) -> Dropout {
        Dropout::new(self.p, self.philox, self.epoch * 16 + layer)
    }

    pub fn decoder(&self) -> Dropout {
        self.layer(DECODER_LAYER)
    }
}
