//! The losses of SpaLORA, without an array of cells x genes (METHODS 7).

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

use super::loss_on;
use crate::dense::CHUNK;
use crate::dense::{gram, times, times_transposed};
use crate::gpu::Kernels;
use crate::nn::scalar::{given2, given3};
use crate::nn::view::with_slice;

/// What stays the same about the input X (N x p) of a modality over the epochs.
pub struct Constant {
    /// omega, the weight of every column.
    pub weights: Vec<f32>,
    /// sum over columns of omega |X_g|^2.
    pub squares: f64,
    /// The weights where training runs, 1 x p.
    pub omega: Option<Tensor>,
}

impl Constant {
    /// The weights as a row.
    pub fn omega_on(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.weights, (1, self.weights.len()), device)
    }
}

/// mean over N x p of omega_g (X - P V)^2.
///
/// `p` is P = A Z (N x d), `y` is X Omega V' (N x d), `v` is V (d x columns). With these the sum is
/// sum omega |X_g|^2 - 2 <P, Y> + <P'P, V Omega V'>. That Y depends on V is left to the tape.
pub fn reconstruction(p: &Tensor, y: &Tensor, v: &Tensor, x: &Constant) -> Result<Tensor> {
    if let (Some(omega), Some(kernels)) = (&x.omega, Kernels::of(p.device())?) {
        return loss_on::reconstruction(&kernels, [p, y, v], x, omega);
    }
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

/// mean (a - b)^2
pub fn mean_squared(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if let Some(kernels) = Kernels::of(a.device())? {
        return loss_on::mean_squared(&kernels, a, b);
    }
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
