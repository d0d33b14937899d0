//! Where the draws of the epochs come from.

use super::ahead::Ahead;
use super::Draws;
use crate::engine::place::Place;
use crate::gpu::Kernels;
use crate::systems::spacross::params::Params;
use crate::Result;

/// The draws of all epochs, where a training runs.
pub enum DrawSource {
    /// Made epoch by epoch.
    Host {
        /// Nodes.
        n: usize,
        /// Share of nodes that are masked.
        rate: f64,
        /// Share of these that take another node's values.
        replace: f64,
        /// Of the draws.
        seed: u64,
    },
    /// Made ahead of their epochs while the device trains.
    Device(Kernels, Ahead),
}

impl DrawSource {
    /// Of `n` nodes.
    pub fn new(place: &Place, n: usize, params: &Params, seed: u64, threads: usize) -> Self {
        let (rate, replace) = (params.mask_rate, params.replace_rate);
        match place {
            Place::Host => Self::Host {
                n,
                rate,
                replace,
                seed,
            },
            Place::Device(kernels) => {
                let ahead = Ahead::new(n, rate, replace, seed, threads);
                Self::Device(kernels.clone(), ahead)
            }
        }
    }

    /// The draws of an epoch.
    pub fn take(&mut self, epoch: u32) -> Result<Draws> {
        match self {
            Self::Host {
                n,
                rate,
                replace,
                seed,
            } => Ok(Draws::new(*n, *rate, *replace, *seed, epoch)),
            Self::Device(kernels, ahead) => Ok(ahead.take(epoch)?.place(kernels)?),
        }
    }

    /// Given draws, where this training runs.
    #[cfg(any(test, feature = "check"))]
    pub fn place(&self, draws: Draws) -> Result<Draws> {
        match self {
            Self::Host { .. } => Ok(draws),
            Self::Device(kernels, _) => Ok(draws.pack().place(kernels)?),
        }
    }
}
