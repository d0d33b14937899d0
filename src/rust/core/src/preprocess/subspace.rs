//! The leading eigenvectors of a large symmetric operator, known by its products alone.

use faer::Mat;

use super::eigen::{leading, Eigen};
use crate::{progress, Result};

/// Further vectors that the iteration carries along, which speeds it up.
pub(super) const SPARE: usize = 10;

/// When the iteration ends.
#[derive(Clone, Copy)]
pub(super) struct Until {
    /// No wanted eigenvalue grows by more than this part of itself.
    pub settled: f64,
    /// At the latest.
    pub rounds: usize,
}

/// Smaller eigenvalues, as a part of the largest, are rounding of products in f32.
const ROUNDING: f64 = 1e-10;

impl Eigen {
    /// How many of the values of such products are more than rounding.
    pub fn rank(&self) -> usize {
        let rounding = self.values.first().copied().unwrap_or(0.0) * ROUNDING;
        self.values.iter().take_while(|v| **v > rounding).count()
    }
}

/// The `k` largest eigenvalues of a positive operator, and their vectors (orthonormal columns), by subspace iteration
/// from the columns of `start`. `apply` is the product with a block of columns.
///
/// # Errors
/// Products that are not finite; a decomposition that does not converge.
pub(super) fn leading_of(
    apply: impl Fn(&Mat<f64>) -> Result<Mat<f64>>,
    start: Mat<f64>,
    k: usize,
    until: Until,
) -> Result<Eigen> {
    let k = k.min(start.ncols());
    let mut basis = orthonormal(start)?;
    let mut before = vec![0f64; k];
    let mut round = 1;
    loop {
        progress::check()?;
        let product = apply(&basis)?;
        let found = within(&basis, &product)?;
        let mut pairs = found.values.iter().zip(&before);
        let settled = pairs.all(|(v, b)| (v - b).abs() <= until.settled * v.abs());
        if settled || round == until.rounds {
            return Ok(Eigen {
                vectors: &basis * found.vectors.subcols(0, k),
                values: found.values[..k].to_vec(),
            });
        }
        before = found.values[..k].to_vec();
        basis = orthonormal(product)?;
        round += 1;
    }
}

/// What the operator does within the basis (Rayleigh and Ritz).
fn within(basis: &Mat<f64>, product: &Mat<f64>) -> Result<Eigen> {
    let small = basis.transpose() * product;
    let width = small.nrows();
    let entries = (0..width * width).map(|e| small[(e / width, e % width)]);
    leading(entries.collect(), width, width)
}

fn orthonormal(x: Mat<f64>) -> Result<Mat<f64>> {
    progress::detached(move || x.qr().compute_thin_Q())
}
