//! k-means: greedy k-means++ starts, Lloyd's iterations, the start of smallest inertia.

mod device;
mod host;

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use self::host::{lloyd, Assignment};
use super::distinct::fill_empty;
use super::input;
use super::sampling::sample;
use super::seeding::plus_plus;
use super::tiles::Tiles;
use crate::gpu::Kernels;
use crate::rng::{Purpose, Rng};
use crate::{progress, Result};

/// How k-means runs.
#[derive(Clone, Copy, Debug)]
pub struct KMeansSettings {
    /// Independent starts, of which the one of smallest inertia is kept (at least one runs).
    pub starts: usize,
    /// The most Lloyd iterations of a start.
    pub max_iterations: usize,
    /// A start ends when the squared moves of all centres add up to at most this part of the mean
    /// squared distance of a row from its centre (per column), or when no label changes.
    pub tolerance: f64,
    /// Of the draws.
    pub seed: u64,
    /// Which of several runs with the same seed this is; each has random numbers of its own.
    pub round: u32,
    /// With more rows than this, the centres come from a random sample of this many rows.
    pub fit_rows: usize,
}

impl Default for KMeansSettings {
    fn default() -> Self {
        Self {
            starts: 10,
            max_iterations: 100,
            tolerance: 1e-4,
            seed: 0,
            round: 0,
            fit_rows: usize::MAX,
        }
    }
}

/// The groups that k-means found.
#[derive(Clone, Debug)]
pub struct KMeans {
    /// One of `0..k` for every row. All occur when at least `k` rows are distinct.
    pub labels: Vec<u32>,
    /// k x columns, in the units of the input.
    pub centres: Array2<f64>,
    /// Sum of the squared distances of the rows from their nearest centres.
    pub inertia: f64,
}

/// Divides the rows of `x` (cells x columns) into `k` groups of small squared distance.
///
/// ```
/// use ndarray::array;
/// use spax_core::cluster::{kmeans, KMeansSettings};
///
/// let x = array![[0.0f32, 0.1], [0.1, 0.0], [5.0, 5.1]];
/// let found = kmeans(x.view(), 2, &KMeansSettings::default())?;
/// assert_eq!(found.labels[0], found.labels[1]);
/// assert_ne!(found.labels[0], found.labels[2]);
/// # Ok::<(), spax_core::Error>(())
/// ```
///
/// # Errors
/// `Argument` when `x` is empty or not finite, or `k` is not in `1..=cells`.
pub fn kmeans(x: ArrayView2<f32>, k: usize, settings: &KMeansSettings) -> Result<KMeans> {
    input::check(&x, k)?;
    let fit_rows = settings.fit_rows.max(k);
    let (tiles, centres, mut assignment) = if x.nrows() > fit_rows {
        fit_sample(&x, k, fit_rows, settings)?
    } else {
        let tiles = Tiles::new(&x);
        let (centres, assignment) = best_start(&tiles, k, settings)?;
        (tiles, centres, assignment)
    };
    fill_empty(&x, &mut assignment.labels, &assignment.distances, k);
    Ok(KMeans {
        centres: tiles.unscale(&centres),
        inertia: tiles.unscale_squared(assignment.inertia()),
        labels: assignment.labels,
    })
}

/// Fits a sample of the rows, then assigns all rows to the centres of the sample.
fn fit_sample(
    x: &ArrayView2<f32>,
    k: usize,
    fit_rows: usize,
    settings: &KMeansSettings,
) -> Result<(Tiles, Vec<f32>, Assignment)> {
    let mut rng = Rng::new(settings.seed, Purpose::KMeans, settings.round);
    let rows = sample(x.nrows(), fit_rows, &mut rng);
    let sampled = Tiles::new(&x.select(Axis(0), &rows).view());
    let (centres, _) = best_start(&sampled, k, settings)?;
    let tiles = Tiles::new(x);
    let mut centres = tiles.scale_centres(&sampled.unscale(&centres));
    let assignment = lloyd(&tiles, &mut centres, 0, 0.0)?;
    Ok((tiles, centres, assignment))
}

/// The centres (in the units of `data`) and the assignment of the start with the least inertia.
fn best_start(data: &Tiles, k: usize, settings: &KMeansSettings) -> Result<(Vec<f32>, Assignment)> {
    // Each start takes its seed from the round, so that rounds and starts never share numbers.
    let mut round = Rng::new(settings.seed, Purpose::KMeans, settings.round);
    let mut best = one_start(data, k, round.next_u64(), settings)?;
    let seeds: Vec<u64> = (1..settings.starts).map(|_| round.next_u64()).collect();
    let ticket = progress::current();
    let others: Vec<_> = seeds
        .into_par_iter()
        .map(|seed| ticket.within(|| one_start(data, k, seed, settings)))
        .collect();
    for other in others {
        let other = other?;
        if other.1.inertia() < best.1.inertia() {
            best = other;
        }
    }
    Ok(best)
}

/// [`kmeans`] with one start whose iterations run on a device. The same starting centres, sums in another order.
///
/// # Errors
/// Those of [`kmeans`].
pub fn kmeans_on(
    kernels: &Kernels,
    x: ArrayView2<f32>,
    k: usize,
    settings: &KMeansSettings,
) -> Result<KMeans> {
    input::check(&x, k)?;
    let tiles = Tiles::new(&x);
    let seed = Rng::new(settings.seed, Purpose::KMeans, settings.round).next_u64();
    let mut rng = Rng::new(seed, Purpose::KMeans, settings.round);
    let mut centres = plus_plus(&tiles, k, &mut rng)?;
    let (most, tolerance) = (settings.max_iterations, settings.tolerance);
    let mut assignment = device::lloyd(kernels, &tiles, &mut centres, most, tolerance)?;
    fill_empty(&x, &mut assignment.labels, &assignment.distances, k);
    Ok(KMeans {
        centres: tiles.unscale(&centres),
        inertia: tiles.unscale_squared(assignment.inertia()),
        labels: assignment.labels,
    })
}

/// The labels after a few of Lloyd's iterations from one start.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(super) fn few_rounds(data: &Tiles, k: usize, seed: u64, rounds: usize) -> Result<Vec<u32>> {
    let settings = KMeansSettings {
        max_iterations: rounds,
        ..KMeansSettings::default()
    };
    Ok(one_start(data, k, seed, &settings)?.1.labels)
}

fn one_start(
    data: &Tiles,
    k: usize,
    seed: u64,
    settings: &KMeansSettings,
) -> Result<(Vec<f32>, Assignment)> {
    let mut rng = Rng::new(seed, Purpose::KMeans, settings.round);
    let mut centres = plus_plus(data, k, &mut rng)?;
    let assignment = lloyd(
        data,
        &mut centres,
        settings.max_iterations,
        settings.tolerance,
    )?;
    Ok((centres, assignment))
}
