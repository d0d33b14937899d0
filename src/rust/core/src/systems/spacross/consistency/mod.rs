//! Cross-masked latent consistency (METHODS 3, step 5).

mod device;
mod host;

use candle_core::{Result, Tensor};

use super::draws::Draws;
use crate::engine::place::Place;
use crate::nn::tape::Traced;

/// (mean -log c+  +  mean -log(1 - c-)) / 2 with c = ((1 + cos) / 2)^t.
///
/// `projected` is R (N x d), `target` Z' (N x d, constant); `t` the sharpness. A masked node's own two views should
/// agree (c+), the random pairs of the draws should not (c-).
pub fn consistency(
    place: &Place,
    projected: &Traced,
    target: &Tensor,
    draws: &Draws,
    t: f32,
) -> Result<Traced> {
    match place {
        Place::Host => host::consistency(projected, target, draws, t),
        Place::Device(kernels) => {
            device::consistency(kernels, projected, target, draws.on_device()?, t)
        }
    }
}
