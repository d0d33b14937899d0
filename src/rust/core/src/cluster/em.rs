//! Expectation-maximisation of a mixture with one shared covariance.
//!
//! Source: Dempster, Laird and Rubin 1977; the model is mclust's EEE (Fraley and Raftery 2002).

use rayon::prelude::*;

use super::centred::Centred;
use super::gaussians::{Gaussians, Scores};
use super::tiles::{add_in_order, CHUNK};
use crate::{progress, Error, Result};

/// A fitted mixture and how well it fits the rows that it was fitted to.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    pub model: Gaussians,
    pub log_likelihood: f64,
    /// The log-likelihood less the penalty of the ridge: what no iteration lowers.
    pub objective: f64,
    pub converged: bool,
}

/// What [`Gaussians::maximise`] takes, and the sum over the rows of the log of the summed exponentials of their scores.
pub(super) type Expected = (Vec<f64>, f64);

/// Iterates from `model` until the objective gains less than `tolerance` of its size.
pub(super) fn em(
    data: &Centred,
    model: Gaussians,
    max_iterations: usize,
    tolerance: f64,
) -> Result<Fit> {
    em_by(data, model, max_iterations, tolerance, |model, scores| {
        Ok(expect(data, scores, model.means.len()))
    })
}

/// [`em`] with another way to the expectations.
pub(super) fn em_by(
    data: &Centred,
    mut model: Gaussians,
    max_iterations: usize,
    tolerance: f64,
    expect: impl Fn(&Gaussians, &Scores) -> Result<Expected>,
) -> Result<Fit> {
    let mut last = f64::NEG_INFINITY;
    let mut iteration = 0;
    loop {
        progress::check()?;
        let scores = model.scores()?;
        let (sums, log_sums) = expect(&model, &scores)?;
        let (log_likelihood, objective) = scores.likelihoods(data, log_sums);
        if !objective.is_finite() {
            return Err(Error::numeric(
                "the likelihood of the mixture is not finite",
            ));
        }
        let converged = objective - last < tolerance * (1.0 + objective.abs());
        if converged || iteration >= max_iterations {
            return Ok(Fit {
                model,
                log_likelihood,
                objective,
                converged,
            });
        }
        last = objective;
        iteration += 1;
        model = Gaussians::maximise(data, &sums);
    }
}

/// For each component the sum of the rows by membership and the sum of the memberships; and the
/// sum over the rows of the log of the summed exponentials.
fn expect(data: &Centred, scores: &Scores, k: usize) -> Expected {
    let width = k * (data.columns + 1);
    let parts: Vec<Vec<f64>> = data
        .chunks()
        .map(|chunk| {
            let mut sums = vec![0.0; width + 1];
            let mut memberships = vec![0.0; scores.width()];
            for row in chunk.chunks_exact(data.columns) {
                sums[width] += member(scores, row, &mut memberships);
                add_row(row, &memberships, &mut sums[..width]);
            }
            sums
        })
        .collect();
    let mut sums = add_in_order(parts, width + 1);
    let log_sums = sums.pop().unwrap_or(0.0);
    (sums, log_sums)
}

/// Memberships of a row; the log of the summed exponentials of its scores.
fn member(scores: &Scores, row: &[f64], memberships: &mut [f64]) -> f64 {
    // Beyond this the exponential is lost in the rounding of a sum that is at least 1.
    const NEGLIGIBLE: f64 = -45.0;
    let largest = scores.of(row, memberships);
    let mut sum = 0.0;
    for m in memberships.iter_mut() {
        let below = *m - largest;
        *m = if below > NEGLIGIBLE { below.exp() } else { 0.0 };
        sum += *m;
    }
    memberships.iter_mut().for_each(|m| *m /= sum);
    largest + sum.ln()
}

fn add_row(row: &[f64], memberships: &[f64], sums: &mut [f64]) {
    for (sum, &m) in sums.chunks_exact_mut(row.len() + 1).zip(memberships) {
        if m > 0.0 {
            sum.iter_mut().zip(row).for_each(|(s, x)| *s += m * x);
            sum[row.len()] += m;
        }
    }
}

/// The sums of `Gaussians::maximise` for rows with one label each.
pub(super) fn sums_of_labels(data: &Centred, labels: &[u32], k: usize) -> Vec<f64> {
    let width = k * (data.columns + 1);
    let parts: Vec<Vec<f64>> = data
        .chunks()
        .zip(labels.par_chunks(CHUNK))
        .map(|(chunk, labels)| {
            let mut sums = vec![0.0; width];
            for (row, &label) in chunk.chunks_exact(data.columns).zip(labels) {
                let start = label as usize * (data.columns + 1);
                add_row(row, &[1.0], &mut sums[start..start + data.columns + 1]);
            }
            sums
        })
        .collect();
    add_in_order(parts, width)
}

/// The component of the largest membership for every row, the first of equals.
pub(super) fn classify(data: &Centred, model: &Gaussians) -> Result<Vec<u32>> {
    let scores = model.scores()?;
    let mut labels = vec![0; data.rows];
    data.chunks()
        .zip(labels.par_chunks_mut(CHUNK))
        .for_each(|(chunk, labels)| {
            let mut out = vec![0.0; scores.width()];
            for (row, label) in chunk.chunks_exact(data.columns).zip(labels) {
                let largest = scores.of(row, &mut out);
                *label = out.iter().position(|&s| s == largest).unwrap_or(0) as u32;
            }
        });
    Ok(labels)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::rng::{Purpose, Rng};
    use ndarray::Array2;

    #[test]
    fn no_iteration_lowers_the_objective() {
        for seed in 0..10 {
            let mut rng = Rng::new(seed, Purpose::Data, 0);
            let x = Array2::from_shape_fn((300, 4), |(i, j)| {
                ((i % 3) as f64 * [6.0, 0.5, 0.0, 0.1][j] + rng.normal()) as f32
            });
            // A heavy ridge, so that a forgotten penalty would show.
            let data = Centred::new(&x.view(), 0.1);
            // From groups that say nothing, EM would hardly move in the iterations looked at.
            let label = |i: u32| match i % 2 {
                0 => i % 3,
                _ => rng.below(5) as u32,
            };
            let labels: Vec<u32> = (0..300).map(label).collect();
            let start = Gaussians::maximise(&data, &sums_of_labels(&data, &labels, 5));
            let objective = |n| em(&data, start.clone(), n, 0.0).unwrap().objective;
            let path: Vec<f64> = (0..40).map(objective).collect();
            assert!(path[39] > path[0] + 1.0);
            for step in path.windows(2) {
                assert!(step[1] >= step[0] - 1e-9 * step[0].abs(), "{step:?}");
            }
        }
    }

    #[test]
    fn the_likelihood_is_that_of_the_densities() {
        let mut rng = Rng::new(4, Purpose::Data, 0);
        let x = Array2::from_shape_fn((70, 3), |(i, _)| (i % 2) as f32 + rng.normal() as f32);
        let data = Centred::new(&x.view(), 1e-3);
        let labels: Vec<u32> = (0..70).map(|i| i % 2).collect();
        let model = Gaussians::maximise(&data, &sums_of_labels(&data, &labels, 2));
        let fit = em(&data, model.clone(), 0, 0.0).unwrap();
        let inverse = model.covariance.clone().try_inverse().unwrap();
        let constant = (std::f64::consts::TAU.powi(3) * model.covariance.determinant()).sqrt();
        let direct: f64 = (0..70)
            .map(|i| {
                let row = nalgebra::DVector::from_column_slice(data.row(i));
                let density = |c: usize| {
                    let z = &row - &model.means[c];
                    model.weights[c] * (-0.5 * z.dot(&(&inverse * &z))).exp() / constant
                };
                (density(0) + density(1)).ln()
            })
            .sum();
        assert!((direct - fit.log_likelihood).abs() < 1e-9 * direct.abs());
    }
}
