//! Where a run computes.

use candle_core::{Device, Result};

use crate::gpu::Kernels;

/// Chosen once, when a run is made. What it draws, its losses and the numbers it records follow.
#[derive(Clone)]
pub enum Place {
    /// The CPU.
    Host,
    /// A device with kernels.
    Device(Kernels),
}

impl Place {
    /// # Errors
    /// A device that does not take the kernels.
    pub fn of(device: &Device) -> Result<Self> {
        Ok(match Kernels::of(device)? {
            None => Self::Host,
            Some(kernels) => Self::Device(kernels),
        })
    }
}
