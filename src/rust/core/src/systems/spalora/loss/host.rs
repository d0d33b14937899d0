//! On the CPU.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::Constant;
use crate::dense::{gram, times, times_transposed, CHUNK};
use crate::nn::scalar::{given2, given3};
use crate::nn::view::with_slice;

/// As [`super::reconstruction`].
pub fn reconstruction([p, y, v]: [&Tensor; 3], x: &Constant) -> Result<Tensor> {
    let ((n, d), (_, columns)) = (p.dims2()?, v.dims2()?);
    let share = 1.0 / (n as f64 * columns as f64);
    let (value, gradients) = with_slice(p, |p| {
        with_slice(y, |y| {
            with_slice(v, |v| {
                let weighted = weigh_columns(v, &x.weights);
                let inner = times_transposed(&weighted, v, columns, d);
                let products = gram(p, p, d, d);
                let sum = x.squares - 2.0 * inner_product(p, y) + inner_product(&products, &inner);
                let scale = (2.0 * share) as f32;
                let mut dp = times(p, &inner, d, d);
                scale_difference(&mut dp, y, scale);
                let dy = p.par_iter().map(|p| -scale * p).collect();
                let mut dv = times(&products, &weighted, d, columns);
                dv.iter_mut().for_each(|v| *v *= scale);
                Ok(((sum * share) as f32, [dp, dy, dv]))
            })
        })
    })?;
    given3([p, y, v], value, gradients)
}

/// a <- scale (a - b)
fn scale_difference(a: &mut [f32], b: &[f32], scale: f32) {
    a.par_iter_mut()
        .zip(b)
        .for_each(|(a, b)| *a = scale * (*a - b));
}

fn weigh_columns(v: &[f32], weights: &[f32]) -> Vec<f32> {
    let rows = v.chunks_exact(weights.len());
    rows.flat_map(|row| row.iter().zip(weights).map(|(v, w)| v * w))
        .collect()
}

/// Summed in f64, in chunks of fixed size.
fn inner_product(a: &[f32], b: &[f32]) -> f64 {
    let parts: Vec<f64> = a
        .par_chunks(CHUNK * 64)
        .zip(b.par_chunks(CHUNK * 64))
        .map(|(a, b)| {
            let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
            products.sum::<f64>()
        })
        .collect();
    parts.iter().sum()
}

/// As [`super::mean_squared`].
pub fn mean_squared(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let scale = 2.0 / a.elem_count() as f64;
    let (value, gradients) = with_slice(a, |a| {
        with_slice(b, |b| {
            let mut da = a.to_vec();
            scale_difference(&mut da, b, scale as f32);
            let squares = inner_product(&da, &da) / (2.0 * scale);
            let db = da.par_iter().map(|d| -d).collect();
            Ok((squares as f32, [da, db]))
        })
    })?;
    given2([a, b], value, gradients)
}
