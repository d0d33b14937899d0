//! Decoder and scaled cosine reconstruction of dense input (METHODS 3, step 6), fused.
//!
//! The decoder is a graph layer (d -> p), batch norm and dropout; its loss looks at masked rows
//! alone. With H = A R (N x d), the N x p output is the linear map y_i = V h_i, so its batch moments
//! follow from those of H: mean = V mean(h), var_c = v_c' Cov(h) v_c. What the batch norm sends back
//! to the rows that are not masked is linear in h as well. Only masked rows are therefore decoded,
//! a few at a time, and no N x p array exists.

mod device;
mod host;
#[cfg(test)]
mod tests;

use candle_core::Result;

use super::draws::Draws;
use crate::design::Input;
use crate::engine::place::Place;
use crate::nn::norm_act::Settings;
use crate::nn::running::Running;
use crate::nn::tape::Traced;

pub(super) use device::{HELD, ROWS};

/// What the loss compares with, and how.
pub struct ReconstructionTarget<'a> {
    /// N x p, dense.
    pub input: &'a Input,
    /// Which nodes are masked.
    pub draws: &'a Draws,
    /// The exponent of the cosine.
    pub sharpness: f32,
    /// The batch norm's; its dropout is the decoder's.
    pub settings: Settings,
}

/// mean over M of -log(((1 + cos(decoder(h)_i, x_i)) / 2)^t).
///
/// `h` is A R (N x d), `weight` V (p x d), `affine` the batch norm's scale and shift (2 x p); the `running` moments
/// follow the batch's.
pub fn reconstruction(
    place: &Place,
    [h, weight, affine]: [&Traced; 3],
    running: &Running,
    target: &ReconstructionTarget,
) -> Result<Traced> {
    let x = [h, weight, affine];
    match place {
        Place::Host => host::reconstruction(x, running, target),
        Place::Device(kernels) => device::reconstruction(kernels, x, running, target),
    }
}
