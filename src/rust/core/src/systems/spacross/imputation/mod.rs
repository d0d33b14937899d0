//! Linear decoder and scaled cosine reconstruction of genes, without an N x genes array (METHODS 7).
//!
//! With x_hat_i = V z_i + b: <x_hat_i, x_i> = z_i (X V)_i + (X b)_i, and
//! |x_hat_i|^2 = z_i' V'V z_i + 2 z_i' V'b + |b|^2. Two products with X a step are all that touches
//! the genes.

mod device;
mod host;

use candle_core::Result;

use super::draws::Draws;
use crate::design::Input;
use crate::engine::place::Place;
use crate::nn::tape::Traced;

/// mean over M of -log(((1 + cos(V z_i + b, x_i)) / 2)^t).
///
/// `z` is N x d, `weight` V (genes x d), `bias` b (1 x genes).
pub fn imputation(
    place: &Place,
    [z, weight, bias]: [&Traced; 3],
    input: &Input,
    draws: &Draws,
    sharpness: f32,
) -> Result<Traced> {
    let x = [z, weight, bias];
    match place {
        Place::Host => host::imputation(x, input, &draws.masked, sharpness),
        Place::Device(kernels) => {
            let (input, draws) = (input.on_device()?, draws.on_device()?);
            device::imputation(kernels, x, input, draws, sharpness)
        }
    }
}
