//! What the losses share: cosines of rows, and sums over a list of rows in a fixed order.

use rayon::prelude::*;

use crate::simd::dot;

/// A vector shorter than this has no direction; PyTorch's `F.normalize` uses the same bound.
const SHORTEST: f32 = 1e-12;
/// The least value of (1 + cos) / 2 and of 1 - ((1 + cos) / 2)^t whose logarithm is taken.
pub const FLOOR: f32 = 1e-7;

/// Entries of a list handled by one task.
const TASK: usize = 512;

/// Row `i` of a row-major matrix.
#[inline(always)]
pub fn row(x: &[f32], i: u32, width: usize) -> &[f32] {
    &x[i as usize * width..][..width]
}

/// The cosine of two vectors with what its gradient needs.
#[derive(Clone, Copy)]
pub struct Cosine {
    pub value: f32,
    a_norm: f32,
    b_norm: f32,
}

impl Cosine {
    #[inline(always)]
    pub fn new(a: &[f32], b: &[f32]) -> Self {
        let a_norm = dot(a, a).sqrt().max(SHORTEST);
        let b_norm = dot(b, b).sqrt().max(SHORTEST);
        let value = (dot(a, b) / (a_norm * b_norm)).clamp(-1.0, 1.0);
        Self {
            value,
            a_norm,
            b_norm,
        }
    }

    /// Writes `upstream` times the gradient with respect to a.
    #[inline(always)]
    pub fn gradient(&self, a: &[f32], b: &[f32], upstream: f32, out: &mut [f32]) {
        let along_b = upstream / (self.a_norm * self.b_norm);
        let along_a = upstream * self.value / (self.a_norm * self.a_norm);
        for (out, (&a, &b)) in out.iter_mut().zip(a.iter().zip(b)) {
            *out = along_b * b - along_a * a;
        }
    }
}

/// `f32::max` would turn NaN into the bound, and hide a training that went astray.
#[inline(always)]
fn at_least(x: f32, bound: f32) -> f32 {
    if x < bound {
        bound
    } else {
        x
    }
}

/// -log(((1 + cos) / 2)^t) and its derivative: small when two vectors point the same way.
#[inline(always)]
pub fn apart(cosine: f32, t: f32) -> (f32, f32) {
    let half = at_least((1.0 + cosine) / 2.0, FLOOR);
    (-t * half.ln(), -t / (2.0 * half))
}

/// -log(1 - ((1 + cos) / 2)^t) and its derivative: small when they do not.
#[inline(always)]
pub fn alike(cosine: f32, t: f32) -> (f32, f32) {
    let half = at_least((1.0 + cosine) / 2.0, FLOOR);
    let rest = at_least(1.0 - half.powf(t), FLOOR);
    (-rest.ln(), t * half.powf(t - 1.0) / (2.0 * rest))
}

/// Calls `term(position, gradient)` for each of `n` positions; returns the sum of the values, added
/// up in order, and the `n` x `width` gradients that the terms wrote.
pub fn sum_terms(
    n: usize,
    width: usize,
    term: impl Fn(usize, &mut [f32]) -> f32 + Sync,
) -> (f64, Vec<f32>) {
    let mut gradients = vec![0f32; n * width];
    let parts: Vec<f64> = gradients
        .par_chunks_mut(TASK * width)
        .enumerate()
        .map(|(task, gradients)| {
            let rows = gradients.chunks_exact_mut(width).enumerate();
            rows.map(|(r, g)| f64::from(term(task * TASK + r, g))).sum()
        })
        .collect();
    (parts.iter().sum(), gradients)
}

/// Adds row r of `rows` to row `at[r]` of `out`, one after the other (a node may stand twice).
pub fn add_rows(out: &mut [f32], at: &[u32], rows: &[f32], width: usize) {
    for (&node, source) in at.iter().zip(rows.chunks_exact(width)) {
        let target = &mut out[node as usize * width..][..width];
        target.iter_mut().zip(source).for_each(|(t, s)| *t += s);
    }
}
