//! Propagation along a graph: a constant sparse matrix times the nodes' features.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};

use super::view::{dims, matrix, output, storage_slice, with_slice};
use crate::gpu::{attach, Kernels, Matrix};
use crate::sparse::Csr;

/// A constant sparse matrix and its transpose, which the backward pass multiplies by.
#[derive(Clone)]
pub struct Operator {
    forward: Arc<Csr>,
    backward: Arc<Csr>,
    placed: Option<Placed>,
}

/// The same on a device.
#[derive(Clone)]
struct Placed {
    kernels: Kernels,
    forward: Matrix,
    backward: Matrix,
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

    /// The matrix on the device, where it is on one.
    pub(crate) fn placed(&self) -> Option<&Matrix> {
        self.placed.as_ref().map(|placed| &placed.forward)
    }

    /// The operator for tensors on `device`.
    pub fn on(mut self, device: &Device) -> Result<Self> {
        let Some(kernels) = Kernels::of(device)? else {
            return Ok(self);
        };
        let forward = Matrix::new(&kernels, &self.forward)?;
        let backward = match Arc::ptr_eq(&self.forward, &self.backward) {
            true => forward.clone(),
            false => Matrix::new(&kernels, &self.backward)?,
        };
        self.placed = Some(Placed {
            kernels,
            forward,
            backward,
        });
        Ok(self)
    }

    pub fn matrix(&self) -> &Csr {
        &self.forward
    }

    pub fn transpose(&self) -> &Csr {
        &self.backward
    }

    /// `A x` for x of N x w.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        match &self.placed {
            Some(placed) => placed.apply(x),
            None => x.apply_op1(self.clone()),
        }
    }
}

impl Placed {
    fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let product = self.forward.times(&self.kernels, x)?;
        let (kernels, matrix) = (self.kernels.clone(), self.backward.clone());
        attach("propagate", x, product, move |grad| {
            Ok([Some(matrix.times(&kernels, grad)?.into_tensor())])
        })
    }
}

impl CustomOp1 for Operator {
    fn name(&self) -> &'static str {
        "propagate"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = dims(layout)?;
        let product = self.forward.times_dense(storage_slice(x, layout)?, width);
        output(product, (self.forward.n_rows(), width))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n, width) = x.dims2()?;
        let dx = with_slice(&grad.contiguous()?, |g| {
            Ok(self.backward.times_dense(g, width))
        })?;
        Ok(Some(matrix(dx, n, width)?))
    }
}
