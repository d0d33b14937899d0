//! Attention over a few embeddings of the same nodes, on a device (the CPU's form: [`super::attention`]).

use candle_core::{Result, Tensor};

use crate::gpu::{attach3, Kernels};

/// Nodes of a block, a warp each.
const WARPS: usize = 8;

/// What the forward pass keeps.
struct Kept {
    x: Tensor,
    w: Tensor,
    u: Tensor,
    /// tanh(e W), one row an embedding of a node.
    hidden: Tensor,
    weights: Tensor,
}

/// As [`super::attention::attention`].
pub fn attention(kernels: Kernels, x: &Tensor, w: &Tensor, u: &Tensor) -> Result<(Tensor, Tensor)> {
    let ((n, wide), (d, _)) = (x.dims2()?, w.dims2()?);
    let m = wide / d;
    let (x0, w0, u0) = (x.detach(), w.detach(), u.detach());
    let rows = x0.reshape((n * m, d))?;
    let hidden = kernels.times(&rows, &w0)?;
    let (weights, out) = (kernels.floats((n, m))?, kernels.floats((n, d))?);
    kernels
        .launch("attend")
        .tensor(&x0)
        .output(&hidden)
        .tensor(&u0)
        .output(&weights)
        .output(&out)
        .u64(n)
        .u32(m)
        .u32(d)
        .blocks(n.div_ceil(WARPS), 1)?;
    let weights = weights.into_tensor();
    let kept = Kept {
        x: rows,
        w: w0,
        u: u0,
        hidden: hidden.into_tensor(),
        weights: weights.clone(),
    };
    let out = attach3("attention", [x, w, u], out, move |grad| {
        kept.backward(&kernels, grad).map(|all| all.map(Some))
    })?;
    Ok((out, weights))
}

impl Kept {
    /// Gradients of the embeddings, W and u.
    fn backward(&self, kernels: &Kernels, grad: &Tensor) -> Result<[Tensor; 3]> {
        let ((n, m), (_, d)) = (self.weights.dims2()?, grad.dims2()?);
        let (inner, scores) = (kernels.floats((n * m, d))?, kernels.floats((n * m, 1))?);
        kernels
            .launch("attend_inwards")
            .tensor(&self.x)
            .tensor(&self.hidden)
            .tensor(&self.u)
            .tensor(&self.weights)
            .tensor(grad)
            .output(&inner)
            .output(&scores)
            .u64(n)
            .u32(m)
            .u32(d)
            .blocks(n.div_ceil(WARPS), 1)?;
        let (inner, scores) = (inner.into_tensor(), scores.into_tensor());
        let dw = kernels.gram(&self.x, &inner)?.into_tensor();
        let du = kernels.gram(&scores, &self.hidden)?.into_tensor();
        let dx = kernels.times_transposed(&inner, &self.w)?;
        kernels
            .launch("attend_outwards")
            .tensor(&self.weights)
            .tensor(grad)
            .output(&dx)
            .u64(n)
            .u32(m)
            .u32(d)
            .over_rows(n, m * d)?;
        Ok([dx.into_tensor().reshape((n, m * d))?, dw, du])
    }
}
