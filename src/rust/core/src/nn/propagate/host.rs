//! On the CPU.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::Operator;
use crate::nn::view::{dims, matrix, output, storage_slice, with_slice};

pub fn apply(operator: &Operator, x: &Tensor) -> Result<Tensor> {
    x.apply_op1(operator.clone())
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
