//! Hybrid contrast: a bilinear discriminator of a node and the summary of its hybrid neighbourhood
//! (METHODS 3, step 3, and 6 a).

mod device;
mod host;

use candle_core::Result;

use super::draws::Draws;
use crate::engine::place::Place;
use crate::nn::tape::Traced;

pub(super) use device::ROWS as LOGIT_ROWS;

/// Which nodes meet which summaries.
#[derive(Clone, Copy, Debug)]
pub enum Terms {
    /// Each masked node its own.
    PerNode,
    /// Every masked node every masked node's, as published: |M|^2 terms.
    AllPairs,
}

/// mean over i in M of -log D(z_i, s_i) - log(1 - D(z_r(i), s_i)), D(z, s) = sigma(z' B s); or over all pairs (i, j) in
/// M with s_j in place of s_i.
///
/// `z` is N x d, `mean` the N x d means of the hybrid neighbourhoods (s = sigma(mean)), `bilinear` B (d x d); r(i) is a
/// random node.
pub fn contrast(
    place: &Place,
    terms: Terms,
    [z, mean, bilinear]: [&Traced; 3],
    draws: &Draws,
) -> Result<Traced> {
    let x = [z, mean, bilinear];
    match place {
        Place::Host => host::contrast(terms, x, draws),
        Place::Device(kernels) => device::contrast(kernels, terms, x, draws.on_device()?),
    }
}
