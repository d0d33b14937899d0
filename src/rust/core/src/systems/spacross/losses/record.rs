//! The record of the losses. On the CPU they are read before the step of the optimiser; on a device they stay there
//! until somebody asks, so that nothing waits.

use candle_core::Tensor;

use super::{device, host, EpochLosses, Losses};
use crate::engine::place::Place;
use crate::gpu::Kernels;
use crate::{Error, Result};

/// The losses before the step.
pub enum LossReading<'a> {
    Read(EpochLosses),
    Device(&'a Losses, &'a Kernels),
}

/// The losses of an epoch: read, or five f64 on a device.
pub enum Recorded {
    Read(EpochLosses),
    Device(Tensor),
}

impl Losses {
    /// A look before the step of an epoch.
    ///
    /// # Errors
    /// [`Error::Numeric`] where a loss that can be read is not finite.
    pub fn look<'a>(&'a self, place: &'a Place, epoch: usize) -> Result<LossReading<'a>> {
        Ok(match place {
            Place::Host => LossReading::Read(finite(host::read(self, epoch)?)?),
            Place::Device(kernels) => LossReading::Device(self, kernels),
        })
    }
}

impl LossReading<'_> {
    /// With the norm of the gradients, after the step.
    pub fn record(self, norm: &Tensor) -> Result<Recorded> {
        Ok(match self {
            Self::Read(losses) => Recorded::Read(EpochLosses {
                gradient_norm: norm.to_scalar()?,
                ..losses
            }),
            Self::Device(losses, kernels) => {
                Recorded::Device(device::record(kernels, losses, norm)?)
            }
        })
    }
}

impl Recorded {
    fn on_device(&self) -> Option<&Tensor> {
        match self {
            Self::Device(values) => Some(values),
            Self::Read(_) => None,
        }
    }

    fn read(&self) -> Option<EpochLosses> {
        match self {
            Self::Read(losses) => Some(*losses),
            Self::Device(_) => None,
        }
    }
}

/// The losses of successive epochs, `first` on: those on a device come in one copy.
///
/// # Errors
/// [`Error::Numeric`] where a loss is not finite.
pub fn read(recorded: &[Recorded], first: usize) -> Result<Vec<EpochLosses>> {
    let placed: Vec<&Tensor> = recorded.iter().filter_map(Recorded::on_device).collect();
    if placed.is_empty() {
        return Ok(recorded.iter().filter_map(Recorded::read).collect());
    }
    let values = Tensor::stack(&placed, 0)?.flatten_all()?.to_vec1::<f64>()?;
    let epochs = values.chunks_exact(5).zip(first..);
    let losses = epochs.map(|(values, epoch)| EpochLosses {
        epoch,
        total: values[0] as f32,
        reconstruction: values[1] as f32,
        consistency: values[2] as f32,
        contrast: (!values[3].is_nan()).then_some(values[3] as f32),
        gradient_norm: values[4],
    });
    losses.map(finite).collect()
}

fn finite(losses: EpochLosses) -> Result<EpochLosses> {
    match losses.total.is_finite() {
        true => Ok(losses),
        false => Err(Error::astray(losses.epoch)),
    }
}
