//! On the CPU.

use candle_core::Result;
use rayon::prelude::*;

use super::Constant;
use crate::dense::{gram, times, times_transposed, CHUNK};
use crate::nn::scalar::given;
use crate::nn::tape::Traced;
use crate::nn::view::with_slices;

/// As [`super::reconstruction`].
pub fn reconstruction(inputs: [&Traced; 3], x: &Constant) -> Result<Traced> {
    let [p, _, v] = inputs.map(Traced::value);
    let ((n, d), (_, columns)) = (p.dims2()?, v.dims2()?);
    let share = 1.0 / (n as f64 * columns as f64);
    let (value, gradients) = with_slices(inputs.map(Traced::value), |[p, y, v]| {
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
    })?;
    given(inputs, value, gradients)
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
pub fn mean_squared(inputs: [&Traced; 2]) -> Result<Traced> {
    let scale = 2.0 / inputs[0].value().elem_count() as f64;
    let (value, gradients) = with_slices(inputs.map(Traced::value), |[a, b]| {
        let mut da = a.to_vec();
        scale_difference(&mut da, b, scale as f32);
        let squares = inner_product(&da, &da) / (2.0 * scale);
        let db = da.par_iter().map(|d| -d).collect();
        Ok((squares as f32, [da, db]))
    })?;
    given(inputs, value, gradients)
}
