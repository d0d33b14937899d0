//! On a device.

use std::sync::Arc;

use candle_core::Result;

use crate::gpu::{Kernels, Matrix};
use crate::nn::tape::Traced;
use crate::sparse::Csr;

/// A matrix and its transpose on a device.
#[derive(Clone)]
pub struct DeviceGraph {
    kernels: Kernels,
    forward: Matrix,
    backward: Matrix,
}

impl DeviceGraph {
    /// One copy where both are the same.
    pub fn new(kernels: Kernels, forward: &Arc<Csr>, backward: &Arc<Csr>) -> Result<Self> {
        let placed = Matrix::new(&kernels, forward)?;
        let transpose = match Arc::ptr_eq(forward, backward) {
            true => placed.clone(),
            false => Matrix::new(&kernels, backward)?,
        };
        Ok(Self {
            kernels,
            forward: placed,
            backward: transpose,
        })
    }

    pub fn matrix(&self) -> &Matrix {
        &self.forward
    }

    pub fn apply(&self, x: &Traced) -> Result<Traced> {
        let product = self.forward.times(&self.kernels, x.value())?;
        let (kernels, matrix) = (self.kernels.clone(), self.backward.clone());
        Ok(Traced::of([x], product.into_tensor(), move |grad| {
            Ok([Some(matrix.times(&kernels, grad)?.into_tensor())])
        }))
    }
}
