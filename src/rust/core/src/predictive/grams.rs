//! Cross-products of predictors and targets, fold by fold: all that ridge regression and its validation need of the cells.

use std::ops::Range;

use ndarray::{s, Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::folds::FOLDS;
use crate::{progress, Error, Result};

/// Rows of one product.
const CHUNK: usize = 1024;

/// Sums over cells of products of columns: predictors (standardised) first, then targets (centred).
pub struct Grams {
    /// Means of the predictors.
    pub centre: Array1<f64>,
    /// Standard deviations of the predictors (over n); 1 for a constant one.
    pub spread: Array1<f64>,
    /// Means of the targets.
    pub(super) targets: Array1<f64>,
    pub(super) n_cells: usize,
    pub(super) n_predictors: usize,
    /// Over all cells, square.
    pub(super) total: Array2<f64>,
    /// The same over the cells of each fold, and how many there are.
    pub(super) folds: Vec<(usize, Array2<f64>)>,
}

impl Grams {
    /// Of predictors `z` and targets `x`, both with a row a cell; `folds` has the fold of each.
    ///
    /// # Errors
    /// Other numbers of rows; [`Error::Interrupted`].
    pub fn new(z: ArrayView2<f32>, x: ArrayView2<f32>, folds: &[u8]) -> Result<Self> {
        if z.nrows() != x.nrows() || z.nrows() != folds.len() {
            return Err(Error::Internal("predictors of other cells".into()));
        }
        let (centre, spread) = moments(z);
        let targets = moments(x).0;
        let rows = |fold: usize| -> Vec<usize> {
            let cells = folds.iter().enumerate();
            cells
                .filter(|(_, &f)| usize::from(f) == fold)
                .map(|(c, _)| c)
                .collect()
        };
        let ticket = progress::current();
        let gram = |fold: usize| {
            let rows = rows(fold);
            let mut sum = Array2::zeros((z.ncols() + x.ncols(), z.ncols() + x.ncols()));
            for rows in rows.chunks(CHUNK) {
                ticket.part(|| {
                    let mut block = Array2::zeros((rows.len(), sum.ncols()));
                    let (mut left, mut right) = block.view_mut().split_at(Axis(1), z.ncols());
                    for (i, &row) in rows.iter().enumerate() {
                        for (j, &v) in z.row(row).iter().enumerate() {
                            left[[i, j]] = (f64::from(v) - centre[j]) / spread[j];
                        }
                        for (j, &v) in x.row(row).iter().enumerate() {
                            right[[i, j]] = f64::from(v) - targets[j];
                        }
                    }
                    ndarray::linalg::general_mat_mul(1.0, &block.t(), &block, 1.0, &mut sum);
                });
            }
            (rows.len(), sum)
        };
        let folds: Vec<(usize, Array2<f64>)> = (0..FOLDS).into_par_iter().map(gram).collect();
        ticket.check()?;
        let width = z.ncols() + x.ncols();
        let total = folds
            .iter()
            .fold(Array2::zeros((width, width)), |sum, (_, gram)| sum + gram);
        Ok(Self {
            centre,
            spread,
            targets,
            n_cells: z.nrows(),
            n_predictors: z.ncols(),
            total,
            folds,
        })
    }

    /// Cross-products of some predictors and some targets, of one of the fields of this.
    pub(super) fn part(
        &self,
        gram: &Array2<f64>,
        predictors: &[usize],
        targets: Range<usize>,
    ) -> Products {
        let columns = self.n_predictors + targets.start..self.n_predictors + targets.end;
        let rows = gram.select(Axis(0), predictors);
        Products {
            own: rows.select(Axis(1), predictors),
            cross: rows.slice(s![.., columns.clone()]).to_owned(),
            squares: columns.map(|j| gram[[j, j]]).sum(),
        }
    }

    /// Cross-products over all cells of some predictors and some targets, square: predictors first.
    pub(super) fn joint(&self, predictors: &[usize], targets: &[Range<usize>]) -> Array2<f64> {
        let targets = targets.iter().cloned().flatten();
        let targets = targets.map(|target| self.n_predictors + target);
        let columns: Vec<usize> = predictors.iter().copied().chain(targets).collect();
        self.total
            .select(Axis(0), &columns)
            .select(Axis(1), &columns)
    }
}

/// Of predictors Z and targets X: Z'Z, Z'X, and the sum of the squares of X.
pub(super) struct Products {
    pub own: Array2<f64>,
    pub cross: Array2<f64>,
    pub squares: f64,
}

/// Means and standard deviations (over n) of columns, from chunks of rows in their order.
fn moments(x: ArrayView2<f32>) -> (Array1<f64>, Array1<f64>) {
    let n = x.nrows().max(1) as f64;
    let part = |first: usize, about: &Array1<f64>, power: i32| {
        let mut sum = Array1::<f64>::zeros(x.ncols());
        for row in x
            .slice(s![first..(first + CHUNK).min(x.nrows()), ..])
            .rows()
        {
            let terms = sum.iter_mut().zip(row.iter().zip(about));
            terms.for_each(|(s, (&v, m))| *s += (f64::from(v) - m).powi(power));
        }
        sum
    };
    let sums = |about: Array1<f64>, power: i32| -> Array1<f64> {
        let chunks = (0..x.nrows().div_ceil(CHUNK)).into_par_iter();
        let parts: Vec<_> = chunks.map(|c| part(c * CHUNK, &about, power)).collect();
        parts
            .iter()
            .fold(Array1::zeros(x.ncols()), |sum, part| sum + part)
    };
    let centre = sums(Array1::zeros(x.ncols()), 1) / n;
    let spread = sums(centre.clone(), 2).mapv(|s| match (s / n).sqrt() {
        spread if spread > 0.0 => spread,
        _ => 1.0,
    });
    (centre, spread)
}
