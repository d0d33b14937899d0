//! Cross-masked latent consistency (METHODS 3, step 5).

use candle_core::{Result, Tensor};

use super::rows::{add_rows, alike, apart, row, sum_terms, Cosine};
use crate::nn::scalar::given1;
use crate::nn::view::with_slice;

/// Which rows are compared.
pub struct Pairs<'a> {
    /// M: each node's own two views should agree.
    pub masked: &'a [u32],
    /// Random nodes of the online view ...
    pub online: &'a [u32],
    /// ... that should not agree with these of the target view.
    pub target: &'a [u32],
}

/// (mean -log c+  +  mean -log(1 - c-)) / 2 with c = ((1 + cos) / 2)^t.
///
/// `projected` is R (N x d), `target` Z' (N x d, constant); `t` the sharpness.
pub fn consistency(projected: &Tensor, target: &Tensor, pairs: &Pairs, t: f32) -> Result<Tensor> {
    let (_, width) = projected.dims2()?;
    let (value, gradient) = with_slice(projected, |r| {
        with_slice(target, |z| Ok(value_and_gradient(r, z, pairs, t, width)))
    })?;
    given1(projected, value, gradient)
}

fn value_and_gradient(
    r: &[f32],
    z: &[f32],
    pairs: &Pairs,
    t: f32,
    width: usize,
) -> (f32, Vec<f32>) {
    let (positives, negatives) = (pairs.masked.len(), pairs.online.len());
    let share = |n: usize| 0.5 / n.max(1) as f32;
    let (agree, d_agree) = sum_terms(positives, width, |p, out| {
        let (a, b) = (
            row(r, pairs.masked[p], width),
            row(z, pairs.masked[p], width),
        );
        let cosine = Cosine::new(a, b);
        let (loss, slope) = apart(cosine.value, t);
        cosine.gradient(a, b, slope * share(positives), out);
        loss
    });
    let (differ, d_differ) = sum_terms(negatives, width, |p, out| {
        let (a, b) = (
            row(r, pairs.online[p], width),
            row(z, pairs.target[p], width),
        );
        let cosine = Cosine::new(a, b);
        let (loss, slope) = alike(cosine.value, t);
        cosine.gradient(a, b, slope * share(negatives), out);
        loss
    });
    let mut gradient = vec![0f32; r.len()];
    add_rows(&mut gradient, pairs.masked, &d_agree, width);
    add_rows(&mut gradient, pairs.online, &d_differ, width);
    let value = agree * f64::from(share(positives)) + differ * f64::from(share(negatives));
    (value as f32, gradient)
}
