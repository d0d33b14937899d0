//! Epochs of SpaLORA: losses, gradients and steps.
//!
//! On the CPU they are written out by hand ([`host`]); a device runs the model's operations and their tape
//! ([`device`]).

mod device;
mod host;

use candle_core::Device;

use super::embedding::Arrays;
use super::model::{ModalityData, Model};
use super::params::ValidParams;
use crate::gpu::Kernels;
use crate::nn::adam::Adam;
use crate::nn::propagate::Operator;
use crate::{Error, Result};

#[cfg(any(test, feature = "check"))]
pub use device::pass as taped_pass;
#[cfg(test)]
pub use host::Pass as HostPass;

/// The losses of one epoch, before their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochLosses {
    /// From 1.
    pub epoch: usize,
    /// The weighted sum that was minimised.
    pub total: f32,
    /// One a modality.
    pub reconstruction: Vec<f32>,
    /// One a modality.
    pub cross: Vec<f32>,
}

impl EpochLosses {
    /// # Errors
    /// [`Error::Numeric`] for a loss that is no longer finite.
    fn finite(self) -> Result<Self> {
        match self.total.is_finite() {
            true => Ok(self),
            false => Err(Error::astray(self.epoch)),
        }
    }
}

/// What epochs work on.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// Whose parameters move.
    pub model: &'a Model,
    /// One a modality.
    pub sources: &'a [ModalityData],
    /// Averages over the spatial graph.
    pub spatial: &'a Operator,
    /// Weights of the losses.
    pub params: &'a ValidParams,
}

/// What steps change beside the parameters.
pub struct Progress<'a> {
    /// Of all parameters.
    pub optimiser: &'a mut Adam,
    /// Epochs that are done.
    pub epoch: &'a mut usize,
}

/// Where epochs run, and what lasts over them.
pub enum Epochs {
    Host(Box<host::Epoch>),
    Device,
}

impl Epochs {
    /// For embeddings of `latent` columns.
    ///
    /// # Errors
    /// A device that does not take the kernels.
    pub fn new(
        device: &Device,
        sources: &[ModalityData],
        spatial: &Operator,
        latent: usize,
    ) -> Result<Self> {
        Ok(match Kernels::of(device)? {
            None => Self::Host(Box::new(host::Epoch::new(sources, spatial, latent))),
            Some(_) => Self::Device,
        })
    }

    /// Trains `n` epochs. On a device the losses are read once, at the end.
    ///
    /// # Errors
    /// [`Error::Numeric`] when a loss is no longer finite.
    pub fn train(&mut self, task: Task, progress: Progress, n: usize) -> Result<Vec<EpochLosses>> {
        match self {
            Self::Host(epoch) => epoch.train(task, progress, n),
            Self::Device => device::train(task, progress, n),
        }
    }

    /// The embeddings and the attention.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn embed(&mut self, task: Task) -> Result<Arrays> {
        match self {
            Self::Host(epoch) => epoch.embed(task),
            Self::Device => Arrays::of(&task.model.forward(task.sources, task.spatial)?),
        }
    }

    /// The losses and gradients of the next epoch on the CPU.
    #[cfg(test)]
    pub fn pass(&mut self, task: Task) -> Result<HostPass> {
        match self {
            Self::Host(epoch) => Ok(epoch.pass(task)?),
            Self::Device => Err(Error::Internal("training is not on the CPU".into())),
        }
    }
}
