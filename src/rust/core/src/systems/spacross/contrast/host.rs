//! On the CPU.

use candle_core::Result;
use rayon::prelude::*;

use super::Terms;
use crate::dense::{gram, times, times_transposed};
use crate::nn::scalar::given;
use crate::nn::tape::Traced;
use crate::nn::view::with_slices;
use crate::simd::dot;
use crate::systems::spacross::draws::Draws;
use crate::systems::spacross::rows::{add_rows, row, sum_terms};

/// -log sigma(x) for `positive`, -log(1 - sigma(x)) otherwise, and its derivative.
#[inline(always)]
fn cross_entropy(x: f32, positive: bool) -> (f32, f32) {
    let signed = if positive { x } else { -x };
    // log(1 + e^-s) without overflow
    let loss = (-signed.abs()).exp().ln_1p() + (-signed).max(0.0);
    let slope = -1.0 / (1.0 + signed.exp());
    (loss, if positive { slope } else { -slope })
}

pub fn contrast(terms: Terms, inputs: [&Traced; 3], draws: &Draws) -> Result<Traced> {
    let parts = match terms {
        Terms::PerNode => per_node,
        Terms::AllPairs => all_pairs,
    };
    let (_, width) = inputs[0].value().dims2()?;
    let (value, gradients) = with_slices(inputs.map(Traced::value), |x| {
        Ok(value_and_gradients(x, draws, width, parts))
    })?;
    given(inputs, value, gradients)
}

/// The rows of one evaluation, gathered over M.
struct Gathered {
    /// z_i
    own: Vec<f32>,
    /// z_r(i)
    other: Vec<f32>,
    /// B s_i
    target: Vec<f32>,
    width: usize,
}

/// Loss, gradients of `own`, `other`, `target` (each |M| x d).
type Parts = (f64, [Vec<f32>; 3]);

fn gather(x: &[f32], nodes: &[u32], width: usize) -> Vec<f32> {
    nodes
        .iter()
        .flat_map(|&i| row(x, i, width))
        .copied()
        .collect()
}

fn value_and_gradients(
    [z, mean, b]: [&[f32]; 3],
    draws: &Draws,
    width: usize,
    parts: impl Fn(&Gathered) -> Parts,
) -> (f32, [Vec<f32>; 3]) {
    let summary: Vec<f32> = gather(mean, &draws.masked, width)
        .into_iter()
        .map(|m| 1.0 / (1.0 + (-m).exp()))
        .collect();
    let gathered = Gathered {
        own: gather(z, &draws.masked, width),
        other: gather(z, &draws.negative, width),
        target: times_transposed(&summary, b, width, width),
        width,
    };
    let (loss, [d_own, d_other, d_target]) = parts(&gathered);
    let mut dz = vec![0f32; z.len()];
    add_rows(&mut dz, &draws.masked, &d_own, width);
    add_rows(&mut dz, &draws.negative, &d_other, width);
    let db = gram(&d_target, &summary, width, width);
    let mut d_summary = times(&d_target, b, width, width);
    for (d, s) in d_summary.iter_mut().zip(&summary) {
        *d *= s * (1.0 - s);
    }
    let mut d_mean = vec![0f32; mean.len()];
    add_rows(&mut d_mean, &draws.masked, &d_summary, width);
    (loss as f32, [dz, d_mean, db])
}

fn per_node(x: &Gathered) -> Parts {
    let width = x.width;
    let n = x.own.len() / width;
    let share = 1.0 / n.max(1) as f32;
    // One row of gradients holds those of own, other and target side by side.
    let (loss, gradients) = sum_terms(n, 3 * width, |i, out| {
        let at = i as u32;
        let target = row(&x.target, at, width);
        let (own, other) = (row(&x.own, at, width), row(&x.other, at, width));
        let (loss_own, slope_own) = cross_entropy(dot(own, target), true);
        let (loss_other, slope_other) = cross_entropy(dot(other, target), false);
        for c in 0..width {
            out[c] = share * slope_own * target[c];
            out[width + c] = share * slope_other * target[c];
            out[2 * width + c] = share * (slope_own * own[c] + slope_other * other[c]);
        }
        loss_own + loss_other
    });
    let part = |which: usize| {
        gradients
            .chunks_exact(3 * width)
            .flat_map(|g| &g[which * width..][..width])
            .copied()
            .collect()
    };
    (loss * f64::from(share), [part(0), part(1), part(2)])
}

/// Rows of M whose |M| logits are held at once.
const BLOCK: usize = 64;

fn all_pairs(x: &Gathered) -> Parts {
    let (own, d_own, target_own) = all_logits(&x.own, &x.target, x.width, true);
    let (other, d_other, target_other) = all_logits(&x.other, &x.target, x.width, false);
    let d_target = target_own
        .iter()
        .zip(&target_other)
        .map(|(a, b)| a + b)
        .collect();
    (own + other, [d_own, d_other, d_target])
}

/// Mean cross-entropy over every pair of a row of `z` and a row of `target`, and the gradients of
/// both; blocks of rows, so that memory grows with |M| and not with its square.
fn all_logits(
    z: &[f32],
    target: &[f32],
    width: usize,
    positive: bool,
) -> (f64, Vec<f32>, Vec<f32>) {
    let n = z.len() / width;
    let share = 1.0 / (n.max(1) as f64 * n.max(1) as f64) as f32;
    let blocks: Vec<(f64, Vec<f32>, Vec<f32>)> = z
        .par_chunks(BLOCK * width)
        .map(|z| {
            let mut logits = times_transposed(z, target, width, n);
            let mut loss = 0f64;
            for logit in &mut logits {
                let (value, slope) = cross_entropy(*logit, positive);
                loss += f64::from(value);
                *logit = slope * share;
            }
            let dz = times(&logits, target, n, width);
            (loss, dz, gram(&logits, z, n, width))
        })
        .collect();
    let loss: f64 = blocks.iter().map(|b| b.0).sum();
    let dz = blocks.iter().flat_map(|b| &b.1).copied().collect();
    let mut d_target = vec![0f32; target.len()];
    for (_, _, part) in &blocks {
        d_target.iter_mut().zip(part).for_each(|(d, p)| *d += p);
    }
    (loss * f64::from(share), dz, d_target)
}
