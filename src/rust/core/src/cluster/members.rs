//! Many mixtures of one matrix, the best of which are put together (see [`super::consensus()`]).
//!
//! One fit is a lottery: the likelihood has many maxima, and which start finds which differs from seed to seed. So many
//! starts run a few rounds, those that are ahead go on to the end, and the most likely of these are the members.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::centred::Centred;
use super::distinct::count_nonempty;
use super::em::{em_by, sums_of_labels, Fit};
use super::gaussians::Gaussians;
use super::input;
use super::kmeans::few_rounds;
use super::sampling::sample;
use super::starts::whitened;
use super::tied::{classify, expect, Linear};
use super::tiles::Tiles;
use crate::rng::{Purpose, Rng};
use crate::{progress, Result};

/// How the members of one matrix are found.
#[derive(Clone, Copy, Debug)]
pub struct MemberSettings {
    /// Starts from k-means, in turn of the columns as they are and of the whitened columns.
    pub starts: usize,
    /// The most likely fits of so many starts are members.
    pub keep: usize,
    /// Of the starts.
    pub seed: u64,
    /// Which of several matrices with the same seed this is; each has random numbers of its own.
    pub round: u32,
    /// With more rows than this, a random sample of so many is fitted, and all rows take the likeliest component.
    pub fit_rows: usize,
}

/// Rounds of k-means from every start.
const KMEANS_ROUNDS: usize = 10;
/// Rounds of EM after which the starts are compared.
const SCREEN_ROUNDS: usize = 10;
/// Of so many times the members wanted the fits go on.
const GO_ON: usize = 2;
/// The most rounds of EM.
const MOST_ROUNDS: usize = 300;
/// EM ends when a round gains less than this part of the likelihood: beyond it few cells change.
const TOLERANCE: f64 = 1e-5;
/// Added to the covariance, as a part of each column's variance.
const RIDGE: f64 = 1e-6;

/// One labelling of all cells.
#[derive(Clone, Debug)]
pub struct Member {
    /// One of `0..k` for every row; all occur.
    pub labels: Vec<u32>,
    /// The log-likelihood of the fit, less the penalty of its ridge.
    pub objective: f64,
}

/// The rows that are fitted, in the forms that the fits need.
struct Rows {
    data: Centred,
    tiles: Tiles,
    white: Tiles,
}

impl Rows {
    fn new(x: &ArrayView2<f32>) -> Result<Self> {
        let data = Centred::new(x, RIDGE);
        Ok(Self {
            white: Tiles::new(&whitened(&data)?.view()),
            tiles: Tiles::new(x),
            data,
        })
    }

    fn em(&self, model: Gaussians, rounds: usize) -> Result<Fit> {
        em_by(&self.data, model, rounds, TOLERANCE, |model, _| {
            let linear = Linear::new(model, &self.data.origin, &self.tiles)?;
            Ok(expect(&self.tiles, &linear))
        })
    }

    fn start(&self, k: usize, whitened: bool, seed: u64) -> Result<Fit> {
        let tiles = if whitened { &self.white } else { &self.tiles };
        let labels = few_rounds(tiles, k, seed, KMEANS_ROUNDS)?;
        let sums = sums_of_labels(&self.data, &labels, k);
        self.em(Gaussians::maximise(&self.data, &sums), SCREEN_ROUNDS)
    }
}

/// The labels of the most likely mixtures of `k` components of the rows of `x` (cells x columns), the likeliest first. Fits
/// that leave a component without a row are dropped: there may be fewer than asked for, or none.
///
/// # Errors
/// Those of [`super::gaussian_mixture`].
pub fn members(x: ArrayView2<f32>, k: usize, settings: &MemberSettings) -> Result<Vec<Member>> {
    input::check(&x, k)?;
    let mut rng = Rng::new(settings.seed, Purpose::Members, settings.round);
    let chosen = sample(x.nrows(), settings.fit_rows.max(k), &mut rng);
    let rows = match chosen.len() == x.nrows() {
        true => Rows::new(&x)?,
        false => Rows::new(&x.select(Axis(0), &chosen).view())?,
    };
    let starts: Vec<(bool, u64)> = (0..settings.starts)
        .map(|i| (i % 2 == 1, rng.next_u64()))
        .collect();
    let ticket = progress::current();
    let begun = starts
        .into_par_iter()
        .map(|(whitened, seed)| ticket.within(|| rows.start(k, whitened, seed)));
    let begun = best(begun.collect(), GO_ON * settings.keep);
    progress::check()?;
    let ended = begun
        .into_par_iter()
        .map(|fit| ticket.within(|| rows.em(fit.model, MOST_ROUNDS)));
    let ended = best(ended.collect(), GO_ON * settings.keep);
    progress::check()?;
    let all = Tiles::new(&x);
    let mut members = Vec::new();
    for fit in ended {
        let labels = classify(&all, &Linear::new(&fit.model, &rows.data.origin, &all)?);
        if count_nonempty(&labels, k) == k && members.len() < settings.keep {
            members.push(Member {
                labels,
                objective: fit.objective,
            });
        }
    }
    Ok(members)
}

/// Those of the largest objectives, the largest first; starts that failed are passed over.
fn best(fits: Vec<Result<Fit>>, most: usize) -> Vec<Fit> {
    let mut fits: Vec<Fit> = fits.into_iter().filter_map(|fit| fit.ok()).collect();
    fits.sort_by(|a, b| b.objective.total_cmp(&a.objective));
    fits.truncate(most);
    fits
}
