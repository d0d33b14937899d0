//! On a device.

use candle_core::{Result, Tensor};

use crate::gpu::kernel::{Attend, AttendInwards, AttendOutwards};
use crate::gpu::Kernels;
use crate::nn::tape::Traced;

/// What the forward pass keeps.
struct Kept {
    x: Tensor,
    w: Tensor,
    u: Tensor,
    /// tanh(e W), one row an embedding of a node.
    hidden: Tensor,
    weights: Tensor,
}

pub fn attention(kernels: Kernels, inputs: [&Traced; 3]) -> Result<(Traced, Tensor)> {
    let [x, w, u] = inputs.map(|input| input.value().clone());
    let ((n, wide), (d, _)) = (x.dims2()?, w.dims2()?);
    let m = wide / d;
    let rows = x.reshape((n * m, d))?;
    let mut hidden = kernels.times(&rows, &w)?;
    let (mut weights, mut out) = (kernels.floats((n, m))?, kernels.floats((n, d))?);
    Attend {
        x: &x,
        hidden: &mut hidden,
        u: &u,
        weights: &mut weights,
        out: &mut out,
        n,
        m,
        d,
    }
    .launch(&kernels)?;
    let weights = weights.into_tensor();
    let kept = Kept {
        x: rows,
        w,
        u,
        hidden: hidden.into_tensor(),
        weights: weights.clone(),
    };
    let out = Traced::of(inputs, out.into_tensor(), move |grad| {
        kept.backward(&kernels, grad).map(|all| all.map(Some))
    });
    Ok((out, weights))
}

impl Kept {
    /// Gradients of the embeddings, W and u.
    fn backward(&self, kernels: &Kernels, grad: &Tensor) -> Result<[Tensor; 3]> {
        let ((n, m), (_, d)) = (self.weights.dims2()?, grad.dims2()?);
        let (mut inner, mut scores) = (kernels.floats((n * m, d))?, kernels.floats((n * m, 1))?);
        AttendInwards {
            x: &self.x,
            hidden: &self.hidden,
            u: &self.u,
            weights: &self.weights,
            grad,
            inner: &mut inner,
            scores: &mut scores,
            n,
            m,
            d,
        }
        .launch(kernels)?;
        let (inner, scores) = (inner.into_tensor(), scores.into_tensor());
        let dw = kernels.gram(&self.x, &inner)?.into_tensor();
        let du = kernels.gram(&scores, &self.hidden)?.into_tensor();
        let mut dx = kernels.times_transposed(&inner, &self.w)?;
        AttendOutwards {
            weights: &self.weights,
            grad,
            dx: &mut dx,
            n,
            m,
            d,
        }
        .launch(kernels)?;
        Ok([dx.into_tensor().reshape((n, m * d))?, dw, du])
    }
}
