//! Counts of accessible peaks as the network takes them: latent semantic indexing (METHODS 4.1).

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::svd::left_vectors;
use super::{check_counts, ScaledGenes};
use crate::progress::{self, until_cancelled};
use crate::sparse::{CountsView, Csr};
use crate::{Error, Result};

/// What each cell's weights are scaled to before the logarithm.
const SCALE: f64 = 1e4;

/// Latent semantic indexing of some cells, and what it takes to index further ones alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Lsi {
    /// Cells x components.
    pub components: Array2<f32>,
    /// Inverse document frequency of every peak, cells / its total; 0 for a peak without counts.
    pub idf: Vec<f64>,
    /// Peaks x (components + 1): log-weights times this are the left singular vectors. Of f32 precision, as models are
    /// kept.
    pub rotation: Array2<f64>,
}

/// Term frequency times inverse document frequency, cells x peaks: (x / the cell's total) x (cells / the peak's total).
///
/// # Errors
/// Counts that are negative, missing or infinite.
pub fn tf_idf(counts: &CountsView) -> Result<Csr> {
    check_counts(counts)?;
    weighted(counts, &inverse_frequencies(counts))
}

fn inverse_frequencies(counts: &CountsView) -> Vec<f64> {
    let mut totals = vec![0f64; counts.n_genes()];
    for cell in until_cancelled(0..counts.n_cells()) {
        let (peaks, values) = counts.cell(cell);
        let pairs = peaks.iter().zip(values);
        pairs.for_each(|(&peak, &value)| totals[peak as usize] += value);
    }
    let n = counts.n_cells() as f64;
    let inverse = |total: f64| if total > 0.0 { n / total } else { 0.0 };
    totals.into_iter().map(inverse).collect()
}

/// The share of the cell's counts times `idf` at every entry that is not zero.
fn weighted(counts: &CountsView, idf: &[f64]) -> Result<Csr> {
    let ticket = progress::current();
    let rows: Vec<Vec<(u32, f32)>> = (0..counts.n_cells())
        .into_par_iter()
        .map(|cell| {
            let (peaks, values) = counts.cell(cell);
            let total: f64 = values.iter().sum();
            let weight = |peak: i32, v: f64| (v / total * idf[peak as usize]) as f32;
            let pairs = peaks.iter().zip(values).filter(|(_, v)| **v > 0.0);
            ticket.part(|| {
                pairs
                    .map(|(&peak, &v)| (peak as u32, weight(peak, v)))
                    .collect()
            })
        })
        .collect();
    Csr::from_rows(counts.n_genes(), rows)
}

/// Latent semantic indexing: TF-IDF with rows scaled to a sum of 1e4, log(1 + x), the left singular vectors, each cell
/// centred and scaled over its `n_components + 1` values, and the first dropped (it follows the depth). `n_components`,
/// or fewer where the rank allows no more. A cell without counts is a row of zeros.
///
/// `seed` starts the iteration where the matrix is too large for the direct way.
///
/// # Errors
/// As [`tf_idf`]; fewer than two components in the data.
pub fn lsi(counts: &CountsView, n_components: usize, seed: u64) -> Result<Lsi> {
    check_counts(counts)?;
    let idf = inverse_frequencies(counts);
    let vectors = left_vectors(log_weights(counts, &idf)?, n_components + 1, seed)?;
    if vectors.ncols() < 3 {
        return Err(Error::counts(
            "the peaks of `counts` do not tell the cells apart: there are fewer than two components",
        ));
    }
    let rotation = rotation_to(&log_weights(counts, &idf)?, &vectors);
    Ok(Lsi {
        components: lsi_by(counts, &idf, rotation.view())?,
        idf,
        rotation,
    })
}

/// The components of any cells by what was learnt on others (see [`Lsi`]).
///
/// # Errors
/// As [`tf_idf`].
pub(super) fn lsi_by(
    counts: &CountsView,
    idf: &[f64],
    rotation: ArrayView2<f64>,
) -> Result<Array2<f32>> {
    let weights = ScaledGenes::as_they_are(log_weights(counts, idf)?);
    let mut vectors = weights.project(rotation)?;
    for mut row in vectors.axis_iter_mut(Axis(0)) {
        let n = row.len() as f64;
        let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let square = |&v: &f32| (f64::from(v) - mean).powi(2);
        let spread = (row.iter().map(square).sum::<f64>() / (n - 1.0)).sqrt();
        let scale = if spread > 0.0 { spread.recip() } else { 0.0 };
        row.mapv_inplace(|v| ((f64::from(v) - mean) * scale) as f32);
    }
    Ok(vectors.slice(ndarray::s![.., 1..]).to_owned())
}

/// M' u / |M' u|^2 for each left singular vector u: V S^-1, peaks x vectors.
fn rotation_to(weights: &Csr, vectors: &Array2<f64>) -> Array2<f64> {
    let flat: Vec<f32> = vectors.iter().map(|&v| v as f32).collect();
    let width = vectors.ncols();
    let product = weights.transpose().times_dense(&flat, width);
    let mut rotation = Array2::from_shape_fn((weights.n_cols(), width), |(peak, j)| {
        f64::from(product[peak * width + j])
    });
    for mut column in rotation.columns_mut() {
        let square = column.dot(&column);
        column.mapv_inplace(|v| f64::from((v / square) as f32));
    }
    rotation
}

/// log(1 + 1e4 x / row sum) of the TF-IDF.
fn log_weights(counts: &CountsView, idf: &[f64]) -> Result<Csr> {
    let mut matrix = weighted(counts, idf)?;
    for row in until_cancelled(0..matrix.n_rows()) {
        let values = matrix.row_values_mut(row);
        let sum: f64 = values.iter().map(|&v| f64::from(v)).sum();
        let even = |v: f32| (f64::from(v) * SCALE / sum).ln_1p() as f32;
        let even = |v: f32| if sum > 0.0 { even(v) } else { 0.0 };
        values.iter_mut().for_each(|v| *v = even(*v));
    }
    Ok(matrix)
}
