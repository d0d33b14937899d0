//! The largest eigenvalues of a symmetric matrix, and their vectors.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::linalg::householder;
use faer::{Conj, Mat, MatMut, Par};
use ndarray::Array2;

use super::inverse_iteration::{eigenvectors, Tridiagonal};
use crate::{progress, Error, Result};

/// Below this size all vectors cost no more than some.
const SMALL: usize = 256;

/// Eigenvalues, falling, and one column of `vectors` for each.
pub(super) struct Eigen {
    pub values: Vec<f64>,
    pub vectors: Mat<f64>,
}

/// The `k` largest eigenvalues of a symmetric n x n matrix with their vectors (n x k, orthonormal).
/// `matrix` holds the entries `[i * n + j]` for j >= i, and is used up.
///
/// Householder's reduction to a tridiagonal matrix, that one's eigenvalues by QR and, where few of
/// them are wanted, its vectors by inverse iteration; all vectors by divide and conquer otherwise.
///
/// # Errors
/// Values that are not finite, or no convergence.
pub(super) fn leading(mut matrix: Vec<f64>, n: usize, k: usize) -> Result<Eigen> {
    if !matrix.iter().all(|v| v.is_finite()) {
        return Err(Error::numeric("the covariance of the genes is not finite"));
    }
    let k = k.min(n);
    if n < 2 {
        return Ok(Eigen {
            values: matrix[..k].to_vec(),
            vectors: Mat::identity(n, k),
        });
    }
    // The reduction takes seconds for some thousand genes, and does not look up.
    progress::detached(move || decompose(&mut matrix, n, k))?
}

fn decompose(matrix: &mut [f64], n: usize, k: usize) -> Result<Eigen> {
    // Rows of an upper triangle are the columns of a lower one.
    let reduced = Reduced::new(MatMut::from_column_major_slice_mut(matrix, n, n));
    let (values, mut vectors) = match reduced.some(k)? {
        Some(found) => found,
        None => reduced.all(k)?,
    };
    reduced.rotate_back(vectors.as_mut());
    Ok(Eigen { values, vectors })
}

/// All eigenvalues of a symmetric matrix, falling, and its vectors as columns.
///
/// # Errors
/// As [`leading`].
pub(crate) fn symmetric_eigen(matrix: Array2<f64>) -> Result<(Vec<f64>, Array2<f64>)> {
    let n = matrix.nrows();
    let found = leading(matrix.iter().copied().collect(), n, n)?;
    let vectors = Array2::from_shape_fn((n, n), |(i, j)| found.vectors[(i, j)]);
    Ok((found.values, vectors))
}

/// A = Q T Q': T in the diagonals of `packed`, the reflections of Q below them.
struct Reduced<'a> {
    packed: MatMut<'a, f64>,
    factors: Mat<f64>,
    tridiagonal: Tridiagonal,
}

impl<'a> Reduced<'a> {
    fn new(mut packed: MatMut<'a, f64>) -> Self {
        let n = packed.nrows();
        let block = faer::linalg::qr::no_pivoting::factor::recommended_block_size::<f64>(n, n);
        let mut factors = Mat::zeros(block, n - 1);
        let par = Par::Seq;
        let scratch = evd::tridiag::tridiag_in_place_scratch::<f64>(n, par, Default::default());
        evd::tridiag::tridiag_in_place(
            packed.as_mut(),
            factors.as_mut(),
            par,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        );
        let tridiagonal = Tridiagonal {
            diagonal: (0..n).map(|i| packed[(i, i)]).collect(),
            beside: (1..n).map(|i| packed[(i, i - 1)]).collect(),
        };
        Self {
            packed,
            factors,
            tridiagonal,
        }
    }

    /// The `k` leading pairs of T, if there are few enough for inverse iteration and it succeeds.
    fn some(&self, k: usize) -> Result<Option<(Vec<f64>, Mat<f64>)>> {
        let n = self.tridiagonal.diagonal.len();
        if n < SMALL || k > n / 4 {
            return Ok(None);
        }
        let (mut values, _) = self.solve(ComputeEigenvectors::No)?;
        values.truncate(k);
        Ok(eigenvectors(&self.tridiagonal, &values).map(|vectors| (values, vectors)))
    }

    fn all(&self, k: usize) -> Result<(Vec<f64>, Mat<f64>)> {
        let (mut values, vectors) = self.solve(ComputeEigenvectors::Yes)?;
        let n = values.len();
        values.truncate(k);
        let falling = Mat::from_fn(n, k, |i, j| vectors[(i, n - 1 - j)]);
        Ok((values, falling))
    }

    /// All eigenvalues of T, falling, and its vectors in the order of rising values.
    fn solve(&self, compute: ComputeEigenvectors) -> Result<(Vec<f64>, Mat<f64>)> {
        let (n, par) = (self.tridiagonal.diagonal.len(), Par::Seq);
        let mut diagonal = Diag::zeros(n);
        let mut beside = Diag::zeros(n);
        (0..n).for_each(|i| diagonal[i] = self.tridiagonal.diagonal[i]);
        (1..n).for_each(|i| beside[i - 1] = self.tridiagonal.beside[i - 1]);
        let mut values = Diag::zeros(n);
        let wanted = compute == ComputeEigenvectors::Yes;
        let mut vectors = Mat::zeros(n, if wanted { n } else { 0 });
        let scratch = evd::self_adjoint_evd_scratch::<f64>(n, compute, par, Default::default());
        evd::tridiagonal_self_adjoint_evd(
            diagonal.as_ref(),
            beside.as_ref(),
            values.as_mut(),
            wanted.then(|| vectors.as_mut()),
            par,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .map_err(|_| Error::numeric("the eigenvalues of the genes' covariance did not converge"))?;
        Ok(((0..n).rev().map(|i| values[i]).collect(), vectors))
    }

    /// Turns vectors of T into vectors of A.
    fn rotate_back(&self, vectors: MatMut<'_, f64>) {
        let (n, k) = (vectors.nrows(), vectors.ncols());
        let scratch = householder::apply_block_householder_sequence_on_the_left_in_place_scratch::<
            f64,
        >(n - 1, self.factors.nrows(), k);
        householder::apply_block_householder_sequence_on_the_left_in_place_with_conj(
            self.packed.as_ref().submatrix(1, 0, n - 1, n - 1),
            self.factors.as_ref(),
            Conj::No,
            vectors.subrows_mut(1, n - 1),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rng::{Purpose, Rng};

    /// A symmetric matrix with the given eigenvalues, as its upper triangle by rows.
    fn with_values(values: &[f64]) -> (Mat<f64>, Vec<f64>) {
        let n = values.len();
        let mut rng = Rng::new(5, Purpose::Data, n as u32);
        let random = Mat::from_fn(n, n, |_, _| rng.normal());
        let q = random.qr().compute_Q();
        let scaled = Mat::from_fn(n, n, |i, j| q[(i, j)] * values[j]);
        let full = &scaled * q.transpose();
        let upper = (0..n * n).map(|p| {
            let (i, j) = (p / n, p % n);
            if j >= i {
                full[(i, j)]
            } else {
                0.0
            }
        });
        let upper = upper.collect();
        (full, upper)
    }

    fn check(values: &[f64], k: usize) {
        let (full, upper) = with_values(values);
        let n = values.len();
        let eigen = leading(upper, n, k).unwrap();
        let size = values
            .iter()
            .fold(f64::MIN_POSITIVE, |m: f64, v| m.max(v.abs()));
        let product = &full * &eigen.vectors;
        let gram = eigen.vectors.transpose() * &eigen.vectors;
        for j in 0..k {
            assert!(
                (eigen.values[j] - values[j]).abs() < 1e-12 * size,
                "value {j} of {n}"
            );
            for i in 0..n {
                let residual = product[(i, j)] - eigen.values[j] * eigen.vectors[(i, j)];
                assert!(
                    residual.abs() < 1e-12 * size,
                    "{residual:e} in vector {j} of {n}"
                );
            }
            for i in 0..k {
                let wanted = f64::from(u8::from(i == j));
                assert!((gram[(i, j)] - wanted).abs() < 1e-11, "{i}, {j} of {n}");
            }
        }
    }

    #[test]
    fn leading_pairs_are_eigenpairs() {
        for (n, k) in [
            (1, 1),
            (2, 1),
            (2, 2),
            (3, 2),
            (40, 40),
            (300, 50),
            (400, 100),
        ] {
            let falling: Vec<f64> = (0..n).map(|i| 100.0 / (1.0 + i as f64)).collect();
            check(&falling, k);
        }
    }

    #[test]
    fn equal_and_clustered_values_keep_orthogonal_vectors() {
        let clustered: Vec<f64> = (0..320)
            .map(|i| {
                if i < 40 {
                    50.0
                } else if i < 90 {
                    7.0 - 1e-9 * i as f64
                } else {
                    0.0
                }
            })
            .collect();
        check(&clustered, 80);
    }
}
