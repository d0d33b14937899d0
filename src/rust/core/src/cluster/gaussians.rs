//! Gaussian components with one shared covariance, as linear functions of a row.
//!
//! With one covariance S, the term x' S^-1 x is the same for every component: a row's memberships
//! need only a_c . x + b_c with a_c = S^-1 mu_c, and the sum of that term over all rows is
//! tr(S^-1 sum x x'). Likewise sum_ic r_ic (x_i - mu_c)(x_i - mu_c)' = sum x x' - sum_c n_c mu_c mu_c'.
//! So one iteration of EM costs rows x columns x k, without any product of rows.

use nalgebra::{Cholesky, DMatrix, DVector};

use super::centred::Centred;
use crate::{Error, Result};

/// Components side by side in one block of `Scores`.
pub(super) const BLOCK: usize = 8;

/// Weights, means (about the origin of the data) and the covariance.
#[derive(Clone, Debug)]
pub(super) struct Gaussians {
    pub weights: Vec<f64>,
    pub means: Vec<DVector<f64>>,
    pub covariance: DMatrix<f64>,
}

/// The factor of the covariance; a_c and b_c of every component.
type Linear = (Cholesky<f64, nalgebra::Dyn>, Vec<DVector<f64>>, Vec<f64>);

impl Gaussians {
    /// The maximum of the penalised likelihood given memberships: `sums` holds, for each component,
    /// the sum of its rows and their number. The penalty -n/2 tr(S^-1 R), R the ridge, makes
    /// the covariance the usual one plus R.
    pub fn maximise(data: &Centred, sums: &[f64]) -> Self {
        let n = data.rows as f64;
        let mut covariance = &data.scatter / n;
        for (j, r) in data.ridge.iter().enumerate() {
            covariance[(j, j)] += r;
        }
        let (mut weights, mut means) = (Vec::new(), Vec::new());
        for sum in sums.chunks_exact(data.columns + 1) {
            let count = sum[data.columns];
            let mut mean = DVector::from_column_slice(&sum[..data.columns]);
            if count > 0.0 {
                mean /= count;
            }
            covariance.ger(-count / n, &mean, &mean, 1.0);
            weights.push(count / n);
            means.push(mean);
        }
        Self {
            weights,
            means,
            covariance,
        }
    }

    /// The covariance's factor, a_c and b_c.
    pub fn linear(&self) -> Result<Linear> {
        let factor = Cholesky::new(self.covariance.clone()).ok_or_else(|| {
            Error::numeric("the covariance of the mixture is not positive definite")
        })?;
        let slopes: Vec<_> = self.means.iter().map(|mean| factor.solve(mean)).collect();
        let parts = self.weights.iter().zip(&self.means).zip(&slopes);
        let offset = |((weight, mean), slope): ((&f64, _), &DVector<f64>)| {
            weight.ln() - 0.5 * slope.dot(mean)
        };
        let offsets = parts.map(offset).collect();
        Ok((factor, slopes, offsets))
    }

    pub fn scores(&self) -> Result<Scores> {
        let (factor, of_means, of_weights) = self.linear()?;
        let columns = self.covariance.nrows();
        let blocks = self.means.len().div_ceil(BLOCK);
        let mut slopes = vec![[0.0; BLOCK]; blocks * columns];
        let mut offsets = vec![[f64::NEG_INFINITY; BLOCK]; blocks];
        for (c, (slope, offset)) in of_means.iter().zip(of_weights).enumerate() {
            for (j, &v) in slope.iter().enumerate() {
                slopes[c / BLOCK * columns + j][c % BLOCK] = v;
            }
            offsets[c / BLOCK][c % BLOCK] = offset;
        }
        Ok(Scores {
            slopes,
            offsets,
            factor,
        })
    }
}

/// For each component the logarithm of weight times density of a row, without the terms that all
/// components share. Components stand in blocks of `BLOCK`; those beyond k have offset -infinity.
pub(super) struct Scores {
    slopes: Vec<[f64; BLOCK]>,
    offsets: Vec<[f64; BLOCK]>,
    factor: Cholesky<f64, nalgebra::Dyn>,
}

impl Scores {
    /// Components with those that fill the last block.
    pub fn width(&self) -> usize {
        self.offsets.len() * BLOCK
    }

    /// Writes the scores of `row` to `out` (of `width()` values); the largest of them.
    #[inline(always)]
    pub fn of(&self, row: &[f64], out: &mut [f64]) -> f64 {
        let mut largest = f64::NEG_INFINITY;
        let slopes = self.slopes.chunks_exact(row.len());
        for ((slopes, offset), out) in slopes.zip(&self.offsets).zip(out.chunks_exact_mut(BLOCK)) {
            let mut sum = *offset;
            for (slope, &x) in slopes.iter().zip(row) {
                for (s, a) in sum.iter_mut().zip(slope) {
                    *s += a * x;
                }
            }
            out.copy_from_slice(&sum);
            largest = sum.into_iter().fold(largest, f64::max);
        }
        largest
    }

    /// The log-likelihood and the penalised one, from the sum over the rows of the logarithm of
    /// the summed exponentials of their scores.
    pub fn likelihoods(&self, data: &Centred, log_sums: f64) -> (f64, f64) {
        let n = data.rows as f64;
        let inverse = self.factor.inverse();
        let squared = inverse.component_mul(&data.scatter).sum();
        let log_det = 2.0
            * self
                .factor
                .l_dirty()
                .diagonal()
                .iter()
                .map(|v| v.ln())
                .sum::<f64>();
        let constant = data.columns as f64 * std::f64::consts::TAU.ln() + log_det;
        let log_likelihood = log_sums - 0.5 * squared - 0.5 * n * constant;
        let diagonal = inverse.diagonal();
        let penalty: f64 = diagonal.iter().zip(&data.ridge).map(|(a, r)| a * r).sum();
        (log_likelihood, log_likelihood - 0.5 * n * penalty)
    }
}
