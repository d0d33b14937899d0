//! Attention over a few embeddings of the same nodes (METHODS 4.3).

mod device;
mod host;

use candle_core::{Result, Tensor};

use super::tape::Traced;
use crate::gpu::Kernels;

pub use host::{add_weighted, inwards, weigh};

/// The mean of `m` embeddings with weights of each node's own: softmax over j of `tanh(e_j W) u`.
///
/// `x` is N x (m d), the embeddings side by side; `w` d x d, `u` 1 x d. Gives N x d, and the weights (N x m). The
/// published code adds 1e-6 to every score, which the softmax takes out again.
pub fn attention(
    x: impl Into<Traced>,
    w: impl Into<Traced>,
    u: impl Into<Traced>,
) -> Result<(Traced, Tensor)> {
    let inputs = [x.into(), w.into(), u.into()];
    match Kernels::of(inputs[0].value().device())? {
        None => host::attention(inputs.each_ref()),
        Some(kernels) => device::attention(kernels, inputs.each_ref()),
    }
}
