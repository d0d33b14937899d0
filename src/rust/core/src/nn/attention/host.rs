//! On the CPU.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use crate::dense::{gram, times, times_transposed, CHUNK};
use crate::nn::tape::Traced;
use crate::nn::view::{matrix, with_slices};
use crate::simd::{axpy, dispatch, dot, exp};

pub fn attention(inputs: [&Traced; 3]) -> Result<(Traced, Tensor)> {
    let [x, w, u] = inputs.map(|input| input.value().clone());
    let ((n, wide), (d, _)) = (x.dims2()?, w.dims2()?);
    let m = wide / d;
    let (kept, out) = with_slices([&x, &w, &u], |[x, w, u]| Ok(forward(x, w, u, m)))?;
    let weights = matrix(kept.weights.clone(), n, m)?;
    let out = Traced::of(inputs, matrix(out, n, d)?, move |grad| {
        let [dx, dw, du] = with_slices([&x, &w, &u, grad], |[x, w, u, g]| {
            Ok(backward(&kept, x, w, u, g))
        })?;
        Ok([
            Some(matrix(dx, n, wide)?),
            Some(matrix(dw, d, d)?),
            Some(matrix(du, 1, d)?),
        ])
    });
    Ok((out, weights))
}

/// What the forward pass keeps.
struct Kept {
    /// tanh(e W), one row an embedding of a node.
    hidden: Vec<f32>,
    /// The weights, nodes x embeddings.
    weights: Vec<f32>,
}

/// From `m` embeddings side by side (N x m d), W (d x d) and u (1 x d) to their means.
fn forward(x: &[f32], w: &[f32], u: &[f32], m: usize) -> (Kept, Vec<f32>) {
    let d = u.len();
    let wide = m * d;
    let n = x.len() / wide;
    let mut hidden = times(x, w, d, d);
    let mut weights = vec![0f32; n * m];
    let mut out = vec![0f32; n * d];
    out.par_chunks_mut(CHUNK * d)
        .zip(hidden.par_chunks_mut(CHUNK * wide))
        .zip(weights.par_chunks_mut(CHUNK * m))
        .zip(x.par_chunks(CHUNK * wide))
        .for_each(|(((out, hidden), weights), x)| weigh(x, u, hidden, weights, out));
    (Kept { hidden, weights }, out)
}

dispatch! {
    /// Nodes' weights and means (added to `out`) of their embeddings `x` of any width, with x W given in `hidden`,
    /// which becomes its tanh.
    pub fn weigh(x: &[f32], u: &[f32], hidden: &mut [f32], weights: &mut [f32], out: &mut [f32]) = weigh_body
}

#[inline(always)]
fn weigh_body(x: &[f32], u: &[f32], hidden: &mut [f32], weights: &mut [f32], out: &mut [f32]) {
    let (d, q) = (u.len(), x.len() / weights.len());
    hidden.iter_mut().for_each(|h| *h = tanh(*h));
    for (score, hidden) in weights.iter_mut().zip(hidden.chunks_exact(d)) {
        *score = dot(hidden, u);
    }
    let m = weights.len() * q / out.len();
    let nodes = out.chunks_exact_mut(q).zip(weights.chunks_exact_mut(m));
    for ((out, weights), x) in nodes.zip(x.chunks_exact(m * q)) {
        softmax(weights);
        for (&weight, x) in weights.iter().zip(x.chunks_exact(q)) {
            axpy(weight, x, out);
        }
    }
}

#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|s| *s = exp(*s - most));
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|s| *s /= sum);
}

/// To about 1e-7.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x.clamp(-20.0, 20.0)) + 1.0)
}

/// Gradients of the embeddings, W and u.
fn backward(kept: &Kept, x: &[f32], w: &[f32], u: &[f32], grad: &[f32]) -> [Vec<f32>; 3] {
    let d = u.len();
    let m = x.len() / grad.len();
    let mut inner = vec![0f32; x.len()];
    let du = inner
        .par_chunks_mut(CHUNK * m * d)
        .zip(kept.hidden.par_chunks(CHUNK * m * d))
        .zip(kept.weights.par_chunks(CHUNK * m))
        .zip(x.par_chunks(CHUNK * m * d).zip(grad.par_chunks(CHUNK * d)))
        .map(|(((inner, hidden), weights), (x, grad))| {
            let mut du = vec![0f32; d];
            inwards(hidden, weights, x, grad, u, inner, &mut du);
            du
        })
        .collect();
    let du = crate::dense::sum_parts(du, d);
    let dw = gram(x, &inner, d, d);
    let mut dx = times_transposed(&inner, w, d, d);
    dx.par_chunks_mut(CHUNK * m * d)
        .zip(kept.weights.par_chunks(CHUNK * m))
        .zip(grad.par_chunks(CHUNK * d))
        .for_each(|((dx, weights), grad)| add_weighted(weights, grad, dx, d));
    [dx, dw, du]
}

dispatch! {
    /// From the gradient of the means to that of e W (`inner`), and to that of u (added to `du`).
    pub fn inwards(hidden: &[f32], weights: &[f32], x: &[f32], grad: &[f32], u: &[f32], inner: &mut [f32], du: &mut [f32]) = inwards_body
}

/// The gradient at e W: through softmax, score and tanh.
#[inline(always)]
fn inwards_body(
    hidden: &[f32],
    weights: &[f32],
    x: &[f32],
    grad: &[f32],
    u: &[f32],
    inner: &mut [f32],
    du: &mut [f32],
) {
    let (d, q) = (u.len(), x.len() / weights.len());
    let m = x.len() / grad.len();
    let nodes = grad.chunks_exact(q).zip(weights.chunks_exact(m));
    let rows = x.chunks_exact(m * q).zip(hidden.chunks_exact(m * d));
    let mut slopes = vec![0f32; m];
    for (((grad, weights), (x, hidden)), inner) in
        nodes.zip(rows).zip(inner.chunks_exact_mut(m * d))
    {
        for (slope, x) in slopes.iter_mut().zip(x.chunks_exact(q)) {
            *slope = dot(grad, x);
        }
        let mean = dot(weights, &slopes);
        let parts = hidden.chunks_exact(d).zip(inner.chunks_exact_mut(d));
        for ((&weight, &slope), (hidden, inner)) in weights.iter().zip(&slopes).zip(parts) {
            let score = weight * (slope - mean);
            axpy(score, hidden, du);
            for ((inner, &u), &hidden) in inner.iter_mut().zip(u).zip(hidden) {
                *inner = score * u * (1.0 - hidden * hidden);
            }
        }
    }
}

dispatch! {
    /// The direct part of the embeddings' gradient, added to `dx`.
    pub fn add_weighted(weights: &[f32], grad: &[f32], dx: &mut [f32], d: usize) = add_weighted_body
}

#[inline(always)]
fn add_weighted_body(weights: &[f32], grad: &[f32], dx: &mut [f32], d: usize) {
    let m = dx.len() / grad.len();
    for (j, dx) in dx.chunks_exact_mut(d).enumerate() {
        axpy(weights[j], &grad[j / m * d..][..d], dx);
    }
}
