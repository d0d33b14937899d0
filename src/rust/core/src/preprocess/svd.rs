//! Leading singular vectors of a sparse matrix.

use faer::Mat;
use ndarray::Array2;

use super::subspace::{leading_of, Until, SPARE};
use super::ScaledGenes;
use crate::rng::{Purpose, Rng};
use crate::sparse::Csr;
use crate::Result;

/// Up to this many rows or columns, the smaller cross-product is decomposed as it is.
const DIRECT: usize = 5000;
const UNTIL: Until = Until {
    settled: 1e-6,
    rounds: 100,
};

/// The first `k` left singular vectors of `matrix` as columns (rows x k, orthonormal), or as many as its rank allows;
/// of each, the largest entry is positive.
///
/// Exact where one side is at most 5000; above, by subspace iteration from random vectors drawn with `seed`.
///
/// # Errors
/// A decomposition that does not converge.
pub(super) fn left_vectors(matrix: Csr, k: usize, seed: u64) -> Result<Array2<f64>> {
    let mut vectors = match matrix.n_rows().min(matrix.n_cols()) <= DIRECT {
        true => direct(matrix, k)?,
        false => iterated(&matrix, k, seed)?,
    };
    for mut column in vectors.columns_mut() {
        let larger = |m: f64, v: &f64| if v.abs() > m.abs() { *v } else { m };
        if column.iter().fold(0.0, larger) < 0.0 {
            column.mapv_inplace(|v| -v);
        }
    }
    Ok(vectors)
}

/// Components of genes that are neither centred nor scaled are U S.
fn direct(matrix: Csr, k: usize) -> Result<Array2<f64>> {
    let pca = ScaledGenes::as_they_are(matrix).pca(k)?;
    let mut scores = pca.scores.mapv(f64::from);
    for mut column in scores.columns_mut() {
        let length = column.dot(&column).sqrt();
        column.mapv_inplace(|v| v / length);
    }
    Ok(scores)
}

fn iterated(matrix: &Csr, k: usize, seed: u64) -> Result<Array2<f64>> {
    let n = matrix.n_rows();
    let transpose = matrix.transpose();
    let mut rng = Rng::new(seed, Purpose::Index, 0);
    let start = Mat::from_fn(n, k + SPARE, |_, _| rng.normal());
    let squared = |basis: &Mat<f64>| Ok(times(matrix, &times(&transpose, basis)));
    let found = leading_of(squared, start, k, UNTIL)?;
    Ok(Array2::from_shape_fn((n, found.rank()), |(i, j)| {
        found.vectors[(i, j)]
    }))
}

/// The product with a dense matrix, rounded to f32 on the way.
fn times(matrix: &Csr, x: &Mat<f64>) -> Mat<f64> {
    let (rows, width) = (x.nrows(), x.ncols());
    let flat: Vec<f32> = (0..rows * width)
        .map(|e| x[(e / width, e % width)] as f32)
        .collect();
    let product = matrix.times_dense(&flat, width);
    Mat::from_fn(matrix.n_rows(), width, |i, j| {
        f64::from(product[i * width + j])
    })
}
