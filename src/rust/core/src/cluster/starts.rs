//! Where EM starts: k-means and Ward's agglomeration, of the columns and of the whitened columns.
//!
//! The likelihood of a mixture has many maxima, and which starts find a high one differs from one
//! data set to the next: columns as they are favour directions of large variance, which is where
//! smoothed principal components hold the domains; whitened columns see every direction alike. The
//! best likelihood over both kinds came nearest to annotated domains on the mean of five tissues.

use nalgebra::{Cholesky, DMatrix};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::centred::Centred;
use super::distinct::count_nonempty;
use super::em::{classify, em, sums_of_labels, Fit};
use super::gaussians::Gaussians;
use super::kmeans::{kmeans, KMeansSettings};
use super::mixture::MixtureSettings;
use super::sampling::sample;
use super::ward::ward;
use crate::rng::{Purpose, Rng};
use crate::{progress, Error, Result};

/// Rows that Ward's agglomeration sees: its time grows with their square.
const WARD_ROWS: usize = 1500;

/// One place to start from.
#[derive(Clone, Copy)]
enum Start {
    KMeans { whitened: bool, seed: u64 },
    Ward { whitened: bool },
}

/// The fit of the largest objective, among those that leave no group empty if there are any.
pub(super) fn best_start(
    x: &ArrayView2<f32>,
    data: &Centred,
    k: usize,
    settings: &MixtureSettings,
) -> Result<Fit> {
    let white = whitened(data)?;
    let shown = progress::stage("mixture", settings.starts + 2);
    let ticket = progress::current();
    let one = |start: Start| -> Result<(usize, Fit)> {
        let model = start.model(x, &white, data, k, settings)?;
        let fit = em(data, model, settings.max_iterations, settings.tolerance)?;
        shown.advance(1);
        Ok((count_nonempty(&classify(data, &fit.model)?, k), fit))
    };
    let fits: Vec<Result<(usize, Fit)>> = starts(settings)
        .into_par_iter()
        .map(|start| ticket.within(|| one(start)))
        .collect();
    progress::check()?;
    best(fits)
}

fn starts(settings: &MixtureSettings) -> Vec<Start> {
    let mut rng = Rng::new(settings.seed, Purpose::Mixture, 1);
    let kmeans = (0..settings.starts).map(|i| Start::KMeans {
        whitened: i % 2 == 1,
        seed: rng.next_u64(),
    });
    let ward = [false, true].map(|whitened| Start::Ward { whitened });
    kmeans.chain(ward).collect()
}

/// A start that fails is passed over, unless all do. The first of equals is kept.
fn best(fits: Vec<Result<(usize, Fit)>>) -> Result<Fit> {
    let mut best: Result<(usize, Fit)> = Err(Error::Internal("a mixture without starts".into()));
    for fit in fits {
        let better = match (&best, &fit) {
            (Err(_), _) => true,
            (Ok(_), Err(_)) => false,
            (Ok((most, old)), Ok((groups, new))) => {
                groups > most || (groups == most && new.objective > old.objective)
            }
        };
        if better {
            best = fit;
        }
    }
    best.map(|(_, fit)| fit)
}

impl Start {
    fn model(
        self,
        x: &ArrayView2<f32>,
        white: &Array2<f32>,
        data: &Centred,
        k: usize,
        settings: &MixtureSettings,
    ) -> Result<Gaussians> {
        let space = |whitened: bool| if whitened { white.view() } else { x.view() };
        match self {
            Start::KMeans { whitened, seed } => {
                let one = KMeansSettings {
                    starts: 1,
                    seed,
                    ..Default::default()
                };
                let labels = kmeans(space(whitened), k, &one)?.labels;
                Ok(Gaussians::maximise(data, &sums_of_labels(data, &labels, k)))
            }
            Start::Ward { whitened } => {
                let mut rng = Rng::new(settings.seed, Purpose::Mixture, 2);
                let rows = sample(data.rows, WARD_ROWS.max(k), &mut rng);
                let labels = ward(&space(whitened).select(Axis(0), &rows).view(), k)?;
                let data = data.select(&rows);
                Ok(Gaussians::maximise(
                    &data,
                    &sums_of_labels(&data, &labels, k),
                ))
            }
        }
    }
}

/// The rows in coordinates in which their covariance is the identity.
pub(super) fn whitened(data: &Centred) -> Result<Array2<f32>> {
    let mut covariance = &data.scatter / data.rows as f64;
    for (j, ridge) in data.ridge.iter().enumerate() {
        covariance[(j, j)] += ridge;
    }
    let factor = Cholesky::new(covariance)
        .ok_or_else(|| Error::numeric("the columns of the embedding depend on each other"))?
        .unpack();
    let mut rows = DMatrix::from_column_slice(data.columns, data.rows, &data.values);
    factor.solve_lower_triangular_mut(&mut rows);
    Ok(Array2::from_shape_fn(
        (data.rows, data.columns),
        |(i, j)| rows[(j, i)] as f32,
    ))
}
