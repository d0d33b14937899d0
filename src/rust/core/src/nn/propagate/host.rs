//! On the CPU.

use candle_core::Result;

use super::Operator;
use crate::nn::tape::Traced;
use crate::nn::view::{matrix, with_slice};

pub fn apply(operator: &Operator, x: &Traced) -> Result<Traced> {
    let (n, width) = x.value().dims2()?;
    let forward = &operator.forward;
    let product = with_slice(x.value(), |x| Ok(forward.times_dense(x, width)))?;
    let product = matrix(product, forward.n_rows(), width)?;
    let backward = operator.backward.clone();
    Ok(Traced::of([x], product, move |grad| {
        let dx = with_slice(grad, |g| Ok(backward.times_dense(g, width)))?;
        Ok([Some(matrix(dx, n, width)?)])
    }))
}
