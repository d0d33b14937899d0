//! Counts of accessible peaks as the network takes them: latent semantic indexing (METHODS 4.1).

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::check_counts;
use super::svd::left_vectors;
use crate::sparse::{CountsView, Csr};
use crate::{Error, Result};

/// What each cell's weights are scaled to before the logarithm.
const SCALE: f64 = 1e4;

/// Term frequency times inverse document frequency, cells x peaks: (x / the cell's total) x (cells / the peak's total).
///
/// # Errors
/// Counts that are negative, missing or infinite.
pub fn tf_idf(counts: &CountsView) -> Result<Csr> {
    check_counts(counts)?;
    let mut totals = vec![0f64; counts.n_genes()];
    for cell in 0..counts.n_cells() {
        let (peaks, values) = counts.cell(cell);
        let pairs = peaks.iter().zip(values);
        pairs.for_each(|(&peak, &value)| totals[peak as usize] += value);
    }
    let n = counts.n_cells() as f64;
    weighted(counts, |peak, share| (share * n / totals[peak]) as f32)
}

/// `weight(peak, share of the cell's counts)` at every entry that is not zero.
fn weighted(counts: &CountsView, weight: impl Fn(usize, f64) -> f32 + Sync) -> Result<Csr> {
    let rows: Vec<Vec<(u32, f32)>> = (0..counts.n_cells())
        .into_par_iter()
        .map(|cell| {
            let (peaks, values) = counts.cell(cell);
            let total: f64 = values.iter().sum();
            let pairs = peaks.iter().zip(values).filter(|(_, v)| **v > 0.0);
            pairs
                .map(|(&peak, &v)| (peak as u32, weight(peak as usize, v / total)))
                .collect()
        })
        .collect();
    Csr::from_rows(counts.n_genes(), rows)
}

/// Latent semantic indexing: TF-IDF with rows scaled to a sum of 1e4, log(1 + x), the left singular vectors, each cell
/// centred and scaled over its `n_components + 1` values, and the first dropped (it follows the depth). Cells x
/// `n_components`, or fewer where the rank allows no more. A cell without counts is a row of zeros.
///
/// `seed` starts the iteration where the matrix is too large for the direct way.
///
/// # Errors
/// As [`tf_idf`]; fewer than two components in the data.
pub fn lsi(counts: &CountsView, n_components: usize, seed: u64) -> Result<Array2<f32>> {
    let mut matrix = tf_idf(counts)?;
    even_rows(&mut matrix);
    let mut vectors = left_vectors(matrix, n_components + 1, seed)?;
    if vectors.ncols() < 3 {
        return Err(Error::counts(
            "the peaks of `counts` do not tell the cells apart: there are fewer than two components",
        ));
    }
    for mut row in vectors.axis_iter_mut(Axis(0)) {
        let n = row.len() as f64;
        let mean = row.sum() / n;
        let spread = (row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let scale = if spread > 0.0 { spread.recip() } else { 0.0 };
        row.mapv_inplace(|v| (v - mean) * scale);
    }
    Ok(vectors.slice(ndarray::s![.., 1..]).mapv(|v| v as f32))
}

/// log(1 + 1e4 x / row sum)
fn even_rows(matrix: &mut Csr) {
    for row in 0..matrix.n_rows() {
        let values = matrix.row_values_mut(row);
        let sum: f64 = values.iter().map(|&v| f64::from(v)).sum();
        for value in values {
            *value = (f64::from(*value) * SCALE / sum).ln_1p() as f32;
        }
    }
}
