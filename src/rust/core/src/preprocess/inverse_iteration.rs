//! Vectors of a symmetric tridiagonal matrix for eigenvalues that are known.
//!
//! Source: Peters & Wilkinson, "Inverse iteration, ill-conditioned equations and Newton's method",
//! SIAM Review 1979; grouping as in LAPACK's dstein.

use faer::linalg::matmul::matmul;
use faer::{Accum, ColMut, Mat, MatRef, Par};

use crate::rng::{Purpose, Rng};

/// Values nearer than this part of the norm share a group, whose vectors are made orthogonal.
const GROUP: f64 = 1e-3;
/// Two solves reach full precision; one more is for an unlucky start.
const ROUNDS: usize = 3;

/// A symmetric tridiagonal matrix.
pub(super) struct Tridiagonal {
    /// n entries.
    pub diagonal: Vec<f64>,
    /// n - 1 entries.
    pub beside: Vec<f64>,
}

impl Tridiagonal {
    /// The largest sum of magnitudes of a row.
    fn norm(&self) -> f64 {
        let n = self.diagonal.len();
        let side = |i: usize| self.beside.get(i).map_or(0.0, |b| b.abs());
        (0..n)
            .map(|i| self.diagonal[i].abs() + side(i) + if i > 0 { side(i - 1) } else { 0.0 })
            .fold(0.0, f64::max)
    }

    /// |(T - value) x|.
    fn residual(&self, value: f64, x: &[f64]) -> f64 {
        let n = x.len();
        let term = |i: usize| {
            let left = if i > 0 {
                self.beside[i - 1] * x[i - 1]
            } else {
                0.0
            };
            let right = if i + 1 < n {
                self.beside[i] * x[i + 1]
            } else {
                0.0
            };
            (left + (self.diagonal[i] - value) * x[i] + right).powi(2)
        };
        (0..n).map(term).sum::<f64>().sqrt()
    }
}

/// One orthonormal column for each of `values` (falling); none if a residual stays above rounding.
pub(super) fn eigenvectors(matrix: &Tridiagonal, values: &[f64]) -> Option<Mat<f64>> {
    let n = matrix.diagonal.len();
    let norm = matrix.norm();
    let apart = 4.0 * f64::EPSILON * norm;
    let mut vectors = Mat::zeros(n, values.len());
    let mut group = 0;
    let mut last_shift = f64::INFINITY;
    for (j, &value) in values.iter().enumerate() {
        if j > 0 && values[j - 1] - value > GROUP * norm {
            group = j;
        }
        // Equal values need shifts that differ, or every start leads to the same vector.
        let shift = value.min(last_shift - apart);
        last_shift = shift;
        let x = iterate(
            matrix,
            shift,
            norm,
            &vectors.as_ref().subcols(group, j - group),
            j,
        );
        let residual = matrix.residual(value, &x);
        if residual.is_nan() || residual > 1e3 * f64::EPSILON * norm {
            return None;
        }
        vectors
            .col_mut(j)
            .iter_mut()
            .zip(&x)
            .for_each(|(v, x)| *v = *x);
    }
    Some(vectors)
}

/// The vector number `j`, whose eigenvalue is next to `shift`, orthogonal to its `group`.
fn iterate(matrix: &Tridiagonal, shift: f64, norm: f64, group: &MatRef<f64>, j: usize) -> Vec<f64> {
    let factors = Factors::new(matrix, shift, f64::EPSILON * norm);
    let mut x = start(matrix.diagonal.len(), j);
    for round in 0..ROUNDS {
        factors.solve(&mut x);
        normalise(&mut x);
        if round > 0 {
            orthogonalise(&mut x, group);
        }
    }
    x
}

/// A start that no eigenvector is likely to be orthogonal to, the same in every run.
fn start(n: usize, vector: usize) -> Vec<f64> {
    let mut rng = Rng::new(0, Purpose::Init, vector as u32);
    (0..n).map(|_| rng.uniform_in(-1.0, 1.0)).collect()
}

fn normalise(x: &mut [f64]) {
    // By the largest entry first: a solve near an eigenvalue may grow past the square's range.
    let largest = x.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let scaled: f64 = x.iter().map(|v| (v / largest).powi(2)).sum();
    let factor = 1.0 / (largest * scaled.sqrt());
    x.iter_mut().for_each(|v| *v *= factor);
}

/// Takes the columns of `group` out of `x`, twice, since once leaves rounding behind.
fn orthogonalise(x: &mut [f64], group: &MatRef<f64>) {
    if group.ncols() == 0 {
        return;
    }
    let mut parts = Mat::zeros(group.ncols(), 1);
    for _ in 0..2 {
        let mut column = ColMut::from_slice_mut(x).as_mat_mut();
        let (add, set, par) = (Accum::Add, Accum::Replace, Par::Seq);
        matmul(
            parts.as_mut(),
            set,
            group.transpose(),
            column.as_ref(),
            1.0,
            par,
        );
        matmul(column.as_mut(), add, group, parts.as_ref(), -1.0, par);
    }
    normalise(x);
}

/// T - shift = P L U with partial pivoting: U has two diagonals above its own.
struct Factors {
    pivot: Vec<f64>,
    above: Vec<f64>,
    second: Vec<f64>,
    /// Multiplier of each step, and whether it swapped rows.
    steps: Vec<(f64, bool)>,
}

impl Factors {
    fn new(matrix: &Tridiagonal, shift: f64, tiny: f64) -> Self {
        let n = matrix.diagonal.len();
        let mut factors = Self {
            pivot: matrix.diagonal.iter().map(|d| d - shift).collect(),
            above: matrix.beside.clone(),
            second: vec![0.0; n.saturating_sub(2)],
            steps: Vec::with_capacity(n.saturating_sub(1)),
        };
        for i in 0..n.saturating_sub(1) {
            factors.eliminate(i, matrix.beside[i]);
        }
        for pivot in &mut factors.pivot {
            if pivot.abs() < tiny {
                *pivot = tiny;
            }
        }
        factors
    }

    /// Takes row i out of row i + 1, whose first entry is `below`.
    fn eliminate(&mut self, i: usize, below: f64) {
        let swap = below.abs() > self.pivot[i].abs();
        if swap {
            let multiplier = self.pivot[i] / below;
            let above = std::mem::replace(&mut self.above[i], self.pivot[i + 1]);
            self.pivot[i] = below;
            self.pivot[i + 1] = above - multiplier * self.above[i];
            if let Some(second) = self.second.get_mut(i) {
                *second = self.above[i + 1];
                self.above[i + 1] = -multiplier * *second;
            }
            self.steps.push((multiplier, true));
        } else {
            let multiplier = if below == 0.0 {
                0.0
            } else {
                below / self.pivot[i]
            };
            self.pivot[i + 1] -= multiplier * self.above[i];
            self.steps.push((multiplier, false));
        }
    }

    fn solve(&self, x: &mut [f64]) {
        for (i, &(multiplier, swap)) in self.steps.iter().enumerate() {
            if swap {
                x.swap(i, i + 1);
            }
            x[i + 1] -= multiplier * x[i];
        }
        let n = x.len();
        for i in (0..n).rev() {
            let mut value = x[i];
            if i + 1 < n {
                value -= self.above[i] * x[i + 1];
            }
            if i + 2 < n {
                value -= self.second[i] * x[i + 2];
            }
            x[i] = value / self.pivot[i];
        }
    }
}
