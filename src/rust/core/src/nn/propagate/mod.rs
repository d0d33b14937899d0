//! Propagation along a graph: a constant sparse matrix times the nodes' features.

mod device;
mod host;

use std::sync::Arc;

use candle_core::{bail, Device, Result, Tensor};
use candle_nn::Module;

use self::device::DeviceGraph;
use super::tape::Traced;
use crate::gpu::{Kernels, Matrix};
use crate::sparse::Csr;

/// A constant sparse matrix and its transpose, which the backward pass multiplies by.
#[derive(Clone)]
pub struct Operator {
    forward: Arc<Csr>,
    backward: Arc<Csr>,
    placed: Option<DeviceGraph>,
}

impl Operator {
    /// For a matrix that equals its transpose (a normalised symmetric graph): held once.
    pub fn symmetric(matrix: Csr) -> Self {
        let forward = Arc::new(matrix);
        Self {
            backward: forward.clone(),
            forward,
            placed: None,
        }
    }

    /// Of any square matrix.
    pub fn new(matrix: Csr) -> Self {
        Self {
            backward: Arc::new(matrix.transpose()),
            forward: Arc::new(matrix),
            placed: None,
        }
    }

    /// For a matrix whose transpose is at hand.
    pub(crate) fn from_both(forward: Csr, backward: Csr) -> Self {
        Self {
            forward: Arc::new(forward),
            backward: Arc::new(backward),
            placed: None,
        }
    }

    /// The matrix on the device.
    pub(crate) fn on_device(&self) -> Result<&Matrix> {
        match &self.placed {
            Some(placed) => Ok(placed.matrix()),
            None => bail!("a matrix that is not on the device"),
        }
    }

    /// The operator for tensors on `device`.
    pub fn on(mut self, device: &Device) -> Result<Self> {
        self.placed = match Kernels::of(device)? {
            None => None,
            Some(kernels) => Some(DeviceGraph::new(kernels, &self.forward, &self.backward)?),
        };
        Ok(self)
    }

    /// The matrix.
    pub fn matrix(&self) -> &Csr {
        &self.forward
    }

    /// Its transpose.
    pub fn transpose(&self) -> &Csr {
        &self.backward
    }

    /// `A x` for x of N x w.
    pub fn apply(&self, x: impl Into<Traced>) -> Result<Traced> {
        let x = x.into();
        match &self.placed {
            Some(placed) => placed.apply(&x),
            None => host::apply(self, &x),
        }
    }
}

impl Module for Operator {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.apply(x)?.into_value())
    }
}
