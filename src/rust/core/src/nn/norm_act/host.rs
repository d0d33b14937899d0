//! On the CPU.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{Activation, Moments, Settings};
use crate::dense::CHUNK;
use crate::nn::dropout::{Dropout, ROWS};
use crate::nn::tape::Traced;
use crate::nn::view::{matrix, with_slices};
use crate::simd::{dispatch, exp};

const IDENTITY: u8 = 0;
const RELU: u8 = 1;
const ELU: u8 = 2;

/// Column moments of a row-major matrix with `width` columns, accumulated in f64.
pub fn moments(x: &[f32], width: usize) -> Moments {
    let parts: Vec<Vec<f64>> = x
        .par_chunks(CHUNK * width)
        .map(|rows| {
            let mut sums = vec![0f64; 2 * width];
            add_moments(rows, width, &mut sums);
            sums
        })
        .collect();
    let sums = sum_f64(&parts, 2 * width);
    let n = (x.len() / width) as f64;
    let mean: Vec<f64> = sums[..width].iter().map(|s| s / n).collect();
    let variance = sums[width..]
        .iter()
        .zip(&mean)
        .map(|(s, m)| (s / n - m * m).max(0.0))
        .collect();
    Moments { mean, variance }
}

dispatch! {
    fn add_moments(rows: &[f32], width: usize, sums: &mut [f64]) = add_moments_body
}

#[inline(always)]
fn add_moments_body(rows: &[f32], width: usize, sums: &mut [f64]) {
    let (sum, squares) = sums.split_at_mut(width);
    for row in rows.chunks_exact(width) {
        for ((s, q), &x) in sum.iter_mut().zip(squares.iter_mut()).zip(row) {
            let x = f64::from(x);
            *s += x;
            *q += x * x;
        }
    }
}

fn sum_f64(parts: &[Vec<f64>], len: usize) -> Vec<f64> {
    let mut total = vec![0f64; len];
    for part in parts {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    total
}

/// y = scale x + shift, column by column.
struct Line {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Line {
    fn new(affine: &[f32], mean: &[f64], variance: &[f64], epsilon: f64) -> Self {
        let width = mean.len();
        let (gamma, beta) = affine.split_at(width);
        let scale: Vec<f64> = (0..width)
            .map(|c| f64::from(gamma[c]) / (variance[c] + epsilon).sqrt())
            .collect();
        Self {
            shift: (0..width)
                .map(|c| (f64::from(beta[c]) - mean[c] * scale[c]) as f32)
                .collect(),
            scale: scale.into_iter().map(|s| s as f32).collect(),
        }
    }
}

/// The backward pass of the block, and what the forward pass leaves it.
struct NormAct {
    settings: Settings,
    batch: Moments,
}

impl NormAct {
    fn forward(&self, x: &[f32], affine: &[f32]) -> Vec<f32> {
        let (batch, dropout) = (&self.batch, self.settings.dropout);
        let width = batch.mean.len();
        let line = Line::new(affine, &batch.mean, &batch.variance, self.settings.epsilon);
        let mut out = vec![0f32; x.len()];
        out.par_chunks_mut(CHUNK * width)
            .zip(x.par_chunks(CHUNK * width))
            .enumerate()
            .for_each(|(c, (out, x))| match self.settings.activation {
                Activation::Identity => fwd::<IDENTITY>(x, &line, dropout, c * CHUNK, out),
                Activation::Relu => fwd::<RELU>(x, &line, dropout, c * CHUNK, out),
                Activation::Elu => fwd::<ELU>(x, &line, dropout, c * CHUNK, out),
            });
        out
    }

    /// The gradient of x, and for each column the sums of g and of g x_hat, where g is the gradient
    /// behind the batch norm.
    fn gradients(&self, x: &[f32], affine: &[f32], grad: &[f32]) -> (Vec<f32>, Vec<f64>) {
        let batch = &self.batch;
        let width = batch.mean.len();
        let task = CHUNK * width;
        let line = Line::new(affine, &batch.mean, &batch.variance, self.settings.epsilon);
        let unit = vec![1f32; width];
        let standard = [unit, vec![0f32; width]].concat();
        let hat = Line::new(
            &standard,
            &batch.mean,
            &batch.variance,
            self.settings.epsilon,
        );
        let mut dx = vec![0f32; x.len()];
        let parts: Vec<Vec<f64>> = dx
            .par_chunks_mut(task)
            .zip(x.par_chunks(task).zip(grad.par_chunks(task)))
            .enumerate()
            .map(|(c, (dx, (x, g)))| {
                let at = c * CHUNK;
                let mut sums = vec![0f64; 2 * width];
                let behind = match self.settings.activation {
                    Activation::Identity => behind::<IDENTITY>,
                    Activation::Relu => behind::<RELU>,
                    Activation::Elu => behind::<ELU>,
                };
                let dropout = self.settings.dropout;
                behind([x, g], &line, &hat, dropout, at, dx, &mut sums);
                sums
            })
            .collect();
        let sums = sum_f64(&parts, 2 * width);
        let n = (x.len() / width) as f64;
        let means: Vec<f32> = sums.iter().map(|s| (s / n) as f32).collect();
        dx.par_chunks_mut(task)
            .zip(x.par_chunks(task))
            .for_each(|(dx, x)| through(x, &line, &hat, &means, dx));
        (dx, sums)
    }
}

dispatch! {
    fn fwd<const A: u8>(x: &[f32], line: &Line, dropout: Dropout, first: usize, out: &mut [f32]) = fwd_body
}

#[inline(always)]
fn fwd_body<const A: u8>(x: &[f32], line: &Line, dropout: Dropout, first: usize, out: &mut [f32]) {
    let width = line.scale.len();
    let mut factors = vec![1f32; ROWS * width];
    let rows = out.chunks_exact_mut(width).zip(x.chunks_exact(width));
    for (r, (out, x)) in rows.enumerate() {
        let factors = row_of(&mut factors, dropout, [first, r], width);
        for c in 0..width {
            let y = line.scale[c] * x[c] + line.shift[c];
            out[c] = activate::<A>(y) * factors[c];
        }
    }
}

/// The factors of row `first + r`; every [`ROWS`] rows they are drawn anew.
#[inline(always)]
fn row_of(factors: &mut [f32], dropout: Dropout, [first, r]: [usize; 2], width: usize) -> &[f32] {
    if r % ROWS == 0 {
        dropout.factors(first + r, width, factors);
    }
    &factors[r % ROWS * width..][..width]
}

#[inline(always)]
fn activate<const A: u8>(y: f32) -> f32 {
    match A {
        RELU => y.max(0.0),
        ELU => {
            let below = exp(y.min(0.0)) - 1.0;
            if y > 0.0 {
                y
            } else {
                below
            }
        }
        _ => y,
    }
}

/// PyTorch's convention at 0: 0 for ReLU, 1 for ELU.
#[inline(always)]
fn slope<const A: u8>(y: f32) -> f32 {
    match A {
        RELU => f32::from(u8::from(y > 0.0)),
        ELU => exp(y.min(0.0)),
        _ => 1.0,
    }
}

dispatch! {
    fn behind<const A: u8>(
        rows: [&[f32]; 2], line: &Line, hat: &Line, dropout: Dropout, first: usize,
        g: &mut [f32], sums: &mut [f64],
    ) = behind_body
}

/// Takes the gradient of the rows of x through dropout and activation (into `g`) and adds up g and g x_hat.
#[inline(always)]
fn behind_body<const A: u8>(
    [x, grad]: [&[f32]; 2],
    line: &Line,
    hat: &Line,
    dropout: Dropout,
    first: usize,
    g: &mut [f32],
    sums: &mut [f64],
) {
    let width = line.scale.len();
    let mut factors = vec![1f32; ROWS * width];
    let (sum, weighted) = sums.split_at_mut(width);
    let rows = x.chunks_exact(width).zip(grad.chunks_exact(width));
    for (r, (g, (x, grad))) in g.chunks_exact_mut(width).zip(rows).enumerate() {
        let factors = row_of(&mut factors, dropout, [first, r], width);
        for c in 0..width {
            let y = line.scale[c] * x[c] + line.shift[c];
            let x_hat = hat.scale[c] * x[c] + hat.shift[c];
            g[c] = grad[c] * factors[c] * slope::<A>(y);
            sum[c] += f64::from(g[c]);
            weighted[c] += f64::from(g[c] * x_hat);
        }
    }
}

dispatch! {
    fn through(x: &[f32], line: &Line, hat: &Line, means: &[f32], dx: &mut [f32]) = through_body
}

/// Takes the gradient through the batch norm, in place.
#[inline(always)]
fn through_body(x: &[f32], line: &Line, hat: &Line, means: &[f32], dx: &mut [f32]) {
    let width = line.scale.len();
    let (mean, weighted) = means.split_at(width);
    for (dx, x) in dx.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
        for c in 0..width {
            let x_hat = hat.scale[c] * x[c] + hat.shift[c];
            dx[c] = line.scale[c] * (dx[c] - mean[c] - x_hat * weighted[c]);
        }
    }
}

/// The block, and the moments of x.
pub fn norm_act(x: &Traced, affine: &Traced, settings: Settings) -> Result<(Traced, Moments)> {
    let (x0, affine0) = (x.value().clone(), affine.value().clone());
    let (n, width) = x0.dims2()?;
    let (block, out) = with_slices([&x0, &affine0], |[x, affine]| {
        let batch = moments(x, width);
        let block = NormAct { settings, batch };
        let out = block.forward(x, affine);
        Ok((block, out))
    })?;
    let batch = block.batch.clone();
    let out = Traced::of([x, affine], matrix(out, n, width)?, move |grad| {
        let (dx, sums) = with_slices([&x0, &affine0, grad], |[x, affine, g]| {
            Ok(block.gradients(x, affine, g))
        })?;
        // The scale's gradient comes first in `affine`, and second among the sums.
        let d_affine = sums[width..].iter().chain(&sums[..width]);
        let d_affine = d_affine.map(|&s| s as f32).collect();
        Ok([
            Some(matrix(dx, n, width)?),
            Some(matrix(d_affine, 2, width)?),
        ])
    });
    Ok((out, batch))
}

/// The block with fixed moments.
pub fn norm_act_fixed(
    x: &Tensor,
    affine: &Tensor,
    fixed: &Moments,
    settings: Settings,
) -> Result<Tensor> {
    let (n, width) = x.dims2()?;
    let out = with_slices([x, affine], |[x, affine]| {
        Ok(fixed_rows(x, affine, fixed, settings))
    })?;
    matrix(out, n, width)
}

fn fixed_rows(x: &[f32], affine: &[f32], fixed: &Moments, settings: Settings) -> Vec<f32> {
    let width = fixed.mean.len();
    let line = Line::new(affine, &fixed.mean, &fixed.variance, settings.epsilon);
    let mut out = vec![0f32; x.len()];
    out.par_chunks_mut(CHUNK * width)
        .zip(x.par_chunks(CHUNK * width))
        .for_each(|(out, x)| {
            for (out, x) in out.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                for c in 0..width {
                    let y = line.scale[c] * x[c] + line.shift[c];
                    out[c] = match settings.activation {
                        Activation::Identity => activate::<IDENTITY>(y),
                        Activation::Relu => activate::<RELU>(y),
                        Activation::Elu => activate::<ELU>(y),
                    };
                }
            }
        });
    out
}
