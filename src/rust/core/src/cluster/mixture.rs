//! A Gaussian mixture whose components share one full covariance (mclust's EEE).

use ndarray::{Array2, ArrayView2, Axis};

use super::centred::Centred;
use super::distinct::{count_nonempty, split_into_empty};
use super::em::{classify, em, sums_of_labels, Fit};
use super::gaussians::Gaussians;
use super::input;
use super::sampling::sample;
use super::starts::best_start;
use crate::rng::{Purpose, Rng};
use crate::{Error, Result};

/// How the mixture is fitted.
#[derive(Clone, Copy, Debug)]
pub struct MixtureSettings {
    /// Starts from k-means, in turn of the columns as they are and of the whitened columns. Two
    /// starts from Ward's agglomeration (of both) come on top.
    pub starts: usize,
    /// The most iterations of EM from one start.
    pub max_iterations: usize,
    /// EM ends when an iteration gains less than this part of the log-likelihood.
    pub tolerance: f64,
    /// Added to the diagonal of the covariance, as a part of the variance of each column.
    pub regularisation: f64,
    /// Of the draws.
    pub seed: u64,
    /// With more rows than this, the starts are compared on a random sample of this many rows,
    /// and the best alone is fitted to all.
    pub fit_rows: usize,
}

impl Default for MixtureSettings {
    fn default() -> Self {
        Self {
            starts: 20,
            max_iterations: 500,
            tolerance: 1e-6,
            regularisation: 1e-6,
            seed: 0,
            fit_rows: 20_000,
        }
    }
}

/// A fitted mixture.
#[derive(Clone, Debug)]
pub struct Mixture {
    /// The most likely component of every row, `0..k`.
    pub labels: Vec<u32>,
    /// k x columns, in the units of the input.
    pub means: Array2<f64>,
    /// columns x columns, with the regularisation.
    pub covariance: Array2<f64>,
    /// Share of each component.
    pub weights: Vec<f64>,
    /// Natural logarithm, over all rows.
    pub log_likelihood: f64,
    /// 2 log-likelihood - parameters x log(rows): larger is better, as in mclust.
    pub bic: f64,
    /// How many of the labels occur: fewer than k only when fewer than k rows are distinct.
    pub n_nonempty: usize,
    /// Whether EM met the tolerance within the iterations allowed, and left no group empty.
    pub converged: bool,
}

/// Divides the rows of `x` (cells x columns) into `k` groups by the most likely of several fits;
/// a fit that leaves a group empty is taken only when all do, and its largest group is then split.
///
/// # Errors
/// `Argument` when `x` is empty or not finite, `k` is not in `1..=cells`, or a setting is not a
/// finite number >= 0; `Numeric` when no start has a finite likelihood.
pub fn gaussian_mixture(
    x: ArrayView2<f32>,
    k: usize,
    settings: &MixtureSettings,
) -> Result<Mixture> {
    input::check(&x, k)?;
    check(settings)?;
    let data = Centred::new(&x, settings.regularisation);
    let fit = fit(&x, &data, k, settings)?;
    let labels = classify(&data, &fit.model)?;
    let (fit, labels) = if count_nonempty(&labels, k) < k {
        refit_after_split(&x, &data, k, labels, settings)?
    } else {
        (fit, labels)
    };
    Ok(describe(&data, k, fit, labels))
}

fn check(settings: &MixtureSettings) -> Result<()> {
    for (argument, value) in [
        ("tolerance", settings.tolerance),
        ("regularisation", settings.regularisation),
    ] {
        if !(value >= 0.0 && value.is_finite()) {
            let message = format!("{argument} must be a finite number >= 0, not {value}");
            return Err(Error::argument(argument, message));
        }
    }
    Ok(())
}

fn fit(x: &ArrayView2<f32>, data: &Centred, k: usize, settings: &MixtureSettings) -> Result<Fit> {
    let fit_rows = settings.fit_rows.max(k);
    if data.rows <= fit_rows {
        return best_start(x, data, k, settings);
    }
    let mut rng = Rng::new(settings.seed, Purpose::Mixture, 0);
    let rows = sample(data.rows, fit_rows, &mut rng);
    let sampled = x.select(Axis(0), &rows);
    let best = best_start(&sampled.view(), &data.select(&rows), k, settings)?;
    em(
        data,
        best.model,
        settings.max_iterations,
        settings.tolerance,
    )
}

/// Fits again from groups that are all filled. When EM empties a group even so, the groups stay as
/// they are, with the parameters that follow from them.
fn refit_after_split(
    x: &ArrayView2<f32>,
    data: &Centred,
    k: usize,
    mut labels: Vec<u32>,
    settings: &MixtureSettings,
) -> Result<(Fit, Vec<u32>)> {
    split_into_empty(x, &mut labels, k, settings.seed)?;
    let start = || Gaussians::maximise(data, &sums_of_labels(data, &labels, k));
    let fit = em(data, start(), settings.max_iterations, settings.tolerance)?;
    let refitted = classify(data, &fit.model)?;
    if count_nonempty(&refitted, k) == k {
        return Ok((fit, refitted));
    }
    Ok((em(data, start(), 0, 0.0)?, labels))
}

fn describe(data: &Centred, k: usize, fit: Fit, labels: Vec<u32>) -> Mixture {
    let d = data.columns;
    let parameters = (k * d + d * (d + 1) / 2 + k - 1) as f64;
    let model = fit.model;
    Mixture {
        means: Array2::from_shape_fn((k, d), |(c, j)| model.means[c][j] + data.origin[j]),
        covariance: Array2::from_shape_fn((d, d), |(i, j)| model.covariance[(i, j)]),
        weights: model.weights,
        log_likelihood: fit.log_likelihood,
        bic: 2.0 * fit.log_likelihood - parameters * (data.rows as f64).ln(),
        n_nonempty: count_nonempty(&labels, k),
        converged: fit.converged,
        labels,
    }
}
