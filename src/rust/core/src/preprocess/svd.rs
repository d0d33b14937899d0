//! Leading singular vectors of a sparse matrix.

use faer::Mat;
use ndarray::Array2;

use super::ScaledGenes;
use crate::rng::{Purpose, Rng};
use crate::sparse::Csr;
use crate::Result;

/// Up to this many rows or columns, the smaller cross-product is decomposed as it is.
const DIRECT: usize = 5000;
/// Further vectors that the iteration carries along, which speeds it up.
const SPARE: usize = 10;
/// The iteration ends when no wanted singular value grows by more than this part of itself.
const SETTLED: f64 = 1e-6;
const ROUNDS: usize = 100;

/// The first `k` left singular vectors of `matrix` as columns (rows x k, orthonormal), or as many as its rank allows; of
/// each, the largest entry is positive.
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
    let (n, width) = (matrix.n_rows(), k + SPARE);
    let transpose = matrix.transpose();
    let mut rng = Rng::new(seed, Purpose::Index, 0);
    let mut basis = orthonormal(Mat::from_fn(n, width, |_, _| rng.normal()));
    let mut before = vec![0f64; k];
    for _ in 0..ROUNDS {
        let product = times(matrix, &times(&transpose, &basis));
        // The diagonal of R tends to the squared singular values.
        let values: Vec<f64> = (0..k).map(|j| product.col(j).norm_l2()).collect();
        basis = orthonormal(product);
        let settled = values
            .iter()
            .zip(&before)
            .all(|(v, b)| (v - b).abs() <= SETTLED * v);
        before = values;
        if settled {
            break;
        }
    }
    rotated(matrix, &transpose, &basis, k)
}

/// The basis turned to the singular vectors within it.
fn rotated(matrix: &Csr, transpose: &Csr, basis: &Mat<f64>, k: usize) -> Result<Array2<f64>> {
    let half = times(transpose, basis);
    let small = half.transpose() * &half;
    let width = small.nrows();
    let mut upper: Vec<f64> = (0..width * width)
        .map(|e| small[(e / width, e % width)])
        .collect();
    let eigen = super::eigen::leading(&mut upper, width, k)?;
    // Smaller squares are rounding of the f32 products.
    let rounding = eigen.values.first().copied().unwrap_or(0.0) * 1e-10;
    let rank = eigen.values.iter().take_while(|v| **v > rounding).count();
    let turned = basis * &eigen.vectors;
    Ok(Array2::from_shape_fn((matrix.n_rows(), rank), |(i, j)| {
        turned[(i, j)]
    }))
}

fn orthonormal(x: Mat<f64>) -> Mat<f64> {
    x.qr().compute_thin_Q()
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
