//! Propagation along a graph: a constant sparse matrix times the nodes' features.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::view::{dims, matrix, output, storage_slice, with_slice};
use crate::sparse::Csr;

/// A constant sparse matrix and its transpose, which the backward pass multiplies by.
#[derive(Clone)]
pub struct Operator {
    forward: Arc<Csr>,
    backward: Arc<Csr>,
}

impl Operator {
    /// For a matrix that equals its transpose (a normalised symmetric graph): held once.
    pub fn symmetric(matrix: Csr) -> Self {
        let forward = Arc::new(matrix);
        Self {
            backward: forward.clone(),
            forward,
        }
    }

    pub fn new(matrix: Csr) -> Self {
        Self {
            backward: Arc::new(matrix.transpose()),
            forward: Arc::new(matrix),
        }
    }

    pub fn matrix(&self) -> &Csr {
        &self.forward
    }

    /// `A x` for x of N x w.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1(self.clone())
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
