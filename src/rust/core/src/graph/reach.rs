//! Over how many nearest cells to average: as many as predict the cell in their middle.
//!
//! The mean of a cell's neighbours, without the cell, is a prediction of it. A wider mean has less noise and more of
//! what lies beyond the cell's domain, so that the best width grows with the noise of the data. It is measured by the
//! likelihood, under one Gaussian, of what a linear regression on the mean leaves of all columns. Like the mixture that
//! finds the domains, it does not change when the columns are scaled or mixed; the squared error, which does, is
//! decided by the few columns of large variance.
//!
//! The regression is fitted to nine tenths of the tissue and judged on the last, each in turn. The tenths are regions:
//! neighbours have each other in their means, and on cells scattered over the tissue the widest means would look best
//! by chance (Roberts et al. 2017, cross-validation strategies for data with spatial structure).

use nalgebra::{Cholesky, DMatrix};
use ndarray::{concatenate, s, Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::Neighbours;
use crate::{progress, Error, Result};

/// Neighbours that complete a ring on a hexagonal (6, 12, 18, 30, 36) or a square grid (8, 12, 20, 24, 28, 36), up to
/// where both do: a part of a ring would draw the mean to one side. Six is also the mean number of neighbours of a cell
/// in any layout; single cells are predicted best by fewer, which follow their types, but domains are wider than that.
const RINGS: [usize; 9] = [6, 8, 12, 18, 20, 24, 28, 30, 36];

/// The most neighbours that [`reach`] looks at.
pub const WIDEST: usize = RINGS[RINGS.len() - 1];

/// Added to the diagonal of covariances as a part of it, so that columns may depend on each other; as in the mixture.
const RIDGE: f64 = 1e-6;

/// Regions of the cross-validation: the usual ten.
const FOLDS: usize = 10;

/// Cells that are judged by at the most, taken evenly along the curve: their means are over all neighbours.
const ENOUGH: usize = 20_000;

/// Rows whose products are summed together.
const CHUNK: usize = 4096;

/// The number of neighbours whose mean predicts a cell's row of `x` (cells x columns): of those in `near` the fewest
/// that come within one standard error (over the regions) of the best, as cross-validation is usually read (Breiman et
/// al. 1984, Classification and regression trees, 3.4.3); a mean that is too wide costs more, whole domains. All of
/// `near` when that is fewer than any ring. `order` is the cells along a curve that keeps regions together.
///
/// # Errors
/// As [`ring_scores`].
pub fn reach(x: ArrayView2<f32>, near: &Neighbours, order: &[u32]) -> Result<usize> {
    let rings = ring_scores(x, near, order)?;
    let total = |scores: &[f64]| scores.iter().sum::<f64>();
    let best = rings
        .iter()
        .max_by(|a, b| total(&a.1).total_cmp(&total(&b.1)));
    let Some((_, best)) = best else {
        return Ok(near.k);
    };
    let close = rings.iter().find(|ring| within_one_error(best, &ring.1));
    Ok(close.map_or(near.k, |ring| ring.0))
}

/// Whether the mean of `best - scores` is at most its standard error.
fn within_one_error(best: &[f64], scores: &[f64]) -> bool {
    let n = best.len() as f64;
    let lost: Vec<f64> = best.iter().zip(scores).map(|(b, s)| b - s).collect();
    let mean = lost.iter().sum::<f64>() / n;
    let squares: f64 = lost.iter().map(|l| (l - mean) * (l - mean)).sum();
    mean <= 0.0 || mean <= (squares / (n - 1.0) / n).sqrt()
}

/// Twice the log-likelihood of a cell given the mean of its neighbours, without the constant: for each ring the mean
/// over the cells (of more than 20,000, over as many) of every region. Of cells fewer than four times the columns only
/// the first columns are looked at: a regression needs more cells than that.
///
/// # Errors
/// Rows, neighbours and order that do not fit; `Numeric` for columns whose covariance has no logarithm.
pub fn ring_scores(
    x: ArrayView2<f32>,
    near: &Neighbours,
    order: &[u32],
) -> Result<Vec<(usize, Vec<f64>)>> {
    if x.nrows() != near.n_rows() || x.nrows() != order.len() {
        return Err(Error::Internal("rows and neighbours do not fit".into()));
    }
    let most = x.ncols().min(x.nrows() / 4);
    let x = standardised(x.slice(s![.., ..most]));
    let rings: Vec<usize> = RINGS.into_iter().filter(|&k| k <= near.k).collect();
    let judged: Vec<u32> = order
        .iter()
        .step_by(order.len().div_ceil(ENOUGH).max(1))
        .copied()
        .collect();
    let regions = products(&x, near, &rings, &judged)?;
    let score = |(ring, k): (usize, usize)| {
        progress::check()?;
        let of_ring: Vec<&Products> = regions.iter().map(|region| &region[ring]).collect();
        Ok((k, cross_validated(&of_ring)?))
    };
    rings.iter().copied().enumerate().map(score).collect()
}

/// Columns of mean 0 and variance 1; those that do not vary are left out.
fn standardised(x: ArrayView2<f32>) -> Array2<f64> {
    let mut out = x.mapv(f64::from);
    let mut varies = Vec::new();
    for (j, mut column) in out.axis_iter_mut(Axis(1)).enumerate() {
        let mean = column.mean().unwrap_or(0.0);
        column -= mean;
        let spread = column.std(0.0);
        if spread > 0.0 {
            column /= spread;
            varies.push(j);
        }
    }
    out.select(Axis(1), &varies)
}

/// The mean over the neighbours of some cells, and the cells themselves: sums of the products of the rows (1, mean,
/// own).
#[derive(Clone)]
struct Products {
    columns: usize,
    sums: DMatrix<f64>,
}

impl Products {
    fn zero(columns: usize) -> Self {
        let size = 1 + 2 * columns;
        Self {
            columns,
            sums: DMatrix::zeros(size, size),
        }
    }

    /// `own_products`: of the own columns with themselves, which every ring has.
    fn of(mean: &Array2<f64>, own: &Array2<f64>, own_products: &Array2<f64>) -> Result<Self> {
        let one = Array2::<f64>::ones((own.nrows(), 1));
        let beside = |parts: &[ArrayView2<f64>]| {
            concatenate(Axis(1), parts).map_err(|e| Error::Internal(e.to_string()))
        };
        let told = beside(&[one.view(), mean.view()])?;
        let told_products = told.t().dot(&beside(&[told.view(), own.view()])?);
        let n_told = told.ncols();
        let size = n_told + own.ncols();
        let sums = DMatrix::from_fn(size, size, |i, j| match (i < n_told, j < n_told) {
            (true, _) => told_products[[i, j]],
            (false, true) => told_products[[j, i]],
            (false, false) => own_products[[i - n_told, j - n_told]],
        });
        Ok(Self {
            columns: own.ncols(),
            sums,
        })
    }

    fn cells(&self) -> f64 {
        self.sums[(0, 0)]
    }

    /// Of (1, mean) with itself, of (1, mean) with the own columns, of these with themselves.
    fn blocks(&self) -> (DMatrix<f64>, DMatrix<f64>, DMatrix<f64>) {
        let (told, own) = (1 + self.columns, self.columns);
        let block = |i, j, rows, columns| self.sums.view((i, j), (rows, columns)).into_owned();
        (
            block(0, 0, told, told),
            block(0, told, told, own),
            block(told, told, own, own),
        )
    }

    /// The regression of the own columns on (1, mean).
    fn slopes(&self) -> Result<DMatrix<f64>> {
        let (mut means, across, _) = self.blocks();
        for j in 0..means.nrows() {
            means[(j, j)] += RIDGE * means[(j, j)].max(RIDGE * self.cells());
        }
        Ok(factor(means)?.solve(&across))
    }

    /// The products of what `slopes` leave of the own columns.
    fn left(&self, slopes: &DMatrix<f64>) -> DMatrix<f64> {
        let (means, across, own) = self.blocks();
        let cross = slopes.tr_mul(&across);
        own - &cross - cross.transpose() + slopes.tr_mul(&(means * slopes))
    }
}

/// For each part, twice the mean log-likelihood of its cells given the others, without the constant.
fn cross_validated(parts: &[&Products]) -> Result<Vec<f64>> {
    let columns = parts.first().map_or(0, |p| p.columns);
    let mut all = Products::zero(columns);
    parts.iter().for_each(|p| all.sums += &p.sums);
    let score = |part: &&Products| {
        let others = Products {
            columns,
            sums: &all.sums - &part.sums,
        };
        let slopes = others.slopes()?;
        let mut covariance = others.left(&slopes) / others.cells();
        for j in 0..columns {
            covariance[(j, j)] += RIDGE;
        }
        let factor = factor(covariance)?;
        let misfit = factor.solve(&part.left(&slopes)).trace() / part.cells();
        Ok(-log_det(&factor) - misfit)
    };
    parts.iter().map(score).collect()
}

fn factor(x: DMatrix<f64>) -> Result<Cholesky<f64, nalgebra::Dyn>> {
    Cholesky::new(x)
        .ok_or_else(|| Error::numeric("the covariance of the components is not positive definite"))
}

fn log_det(factor: &Cholesky<f64, nalgebra::Dyn>) -> f64 {
    let diagonal = factor.l_dirty().diagonal();
    2.0 * diagonal.iter().map(|d| d.ln()).sum::<f64>()
}

/// By region (none of them without cells) and ring.
fn products(
    x: &Array2<f64>,
    near: &Neighbours,
    rings: &[usize],
    order: &[u32],
) -> Result<Vec<Vec<Products>>> {
    let folds = order.chunks(order.len().div_ceil(FOLDS).max(1));
    let jobs: Vec<(usize, &[u32])> = folds
        .enumerate()
        .flat_map(|(fold, cells)| cells.chunks(CHUNK).map(move |chunk| (fold, chunk)))
        .collect();
    let ticket = progress::current();
    let done: Vec<(usize, Vec<Products>)> = jobs
        .into_par_iter()
        .map(|(fold, cells)| {
            ticket.check()?;
            Ok((fold, chunk_products(x, near, rings, cells)?))
        })
        .collect::<Result<_>>()?;
    let n_folds = done.last().map_or(0, |job| job.0 + 1);
    let mut sums = vec![vec![Products::zero(x.ncols()); rings.len()]; n_folds];
    for (fold, parts) in done {
        let pairs = sums[fold].iter_mut().zip(parts);
        pairs.for_each(|(sum, part)| sum.sums += part.sums);
    }
    Ok(sums)
}

/// Neighbours are added ring by ring, so that all rings together cost as much as the widest.
fn chunk_products(
    x: &Array2<f64>,
    near: &Neighbours,
    rings: &[usize],
    cells: &[u32],
) -> Result<Vec<Products>> {
    let index: Vec<usize> = cells.iter().map(|&cell| cell as usize).collect();
    let own = x.select(Axis(0), &index);
    let own_products = own.t().dot(&own);
    let mut sums = Array2::<f64>::zeros(own.dim());
    let mut done = 0;
    let mut of_ring = |&ring: &usize| {
        for (mut sum, &cell) in sums.rows_mut().into_iter().zip(&index) {
            for &other in &near.row(cell)[done..ring] {
                sum += &x.row(other as usize);
            }
        }
        done = ring;
        Products::of(&(&sums / ring as f64), &own, &own_products)
    };
    rings.iter().map(&mut of_ring).collect()
}
