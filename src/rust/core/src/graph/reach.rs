//! Over how many nearest cells to average: as many as tell most about the cell in their middle.
//!
//! The mean of a cell's neighbours, without the cell, is a prediction of it. A wider mean has less noise and more of what
//! lies beyond the cell's domain, so that the best width grows with the noise of the data. It is measured by the mutual
//! information of cell and mean under Gaussians (Kullback 1959): log det S - log det R, S the covariance of the columns, R
//! that of what a linear regression on the mean leaves. Like the mixture that finds the domains, it does not change when the columns
//! are scaled or mixed; the squared error, which does, is decided by the few columns of large variance.

use nalgebra::{Cholesky, DMatrix};
use ndarray::{s, Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::Neighbours;
use crate::{Error, Result};

/// Neighbours that complete a ring on a square (4, 8, 12, 20, 24, 28, 36) or a hexagonal grid (6, 12, 18, 30, 36), up to
/// where both do: a part of a ring would draw the mean to one side.
const RINGS: [usize; 10] = [4, 6, 8, 12, 18, 20, 24, 28, 30, 36];

/// The most neighbours that [`reach`] looks at.
pub const WIDEST: usize = RINGS[RINGS.len() - 1];

/// Added to the diagonal of correlations, so that columns may depend on each other; as in the mixture.
const RIDGE: f64 = 1e-6;

/// Rows whose products are summed together.
const CHUNK: usize = 4096;

/// The number of neighbours whose mean tells most about a cell's row of `x` (cells x columns), of those in `near`; the least
/// of equals. All of `near` when that is fewer than any ring.
///
/// # Errors
/// Rows and neighbours that do not fit.
pub fn reach(x: ArrayView2<f32>, near: &Neighbours) -> Result<usize> {
    let mut best = (near.k, f64::NEG_INFINITY);
    for (ring, told) in told_by_rings(x, near)? {
        if told > best.1 {
            best = (ring, told);
        }
    }
    Ok(best.0)
}

/// Twice the mutual information (natural logarithm) of a cell and the mean of its neighbours, by ring. Of cells fewer than
/// twice the columns, only the first columns are looked at: regression would leave nothing.
///
/// # Errors
/// Rows and neighbours that do not fit; `Numeric` for columns whose covariance has no logarithm.
pub fn told_by_rings(x: ArrayView2<f32>, near: &Neighbours) -> Result<Vec<(usize, f64)>> {
    if x.nrows() != near.n_rows() {
        return Err(Error::Internal("rows and neighbours do not fit".into()));
    }
    let most = x.ncols().min(x.nrows().saturating_sub(2) / 2);
    let x = standardised(x.slice(s![.., ..most]));
    let rings: Vec<usize> = RINGS.into_iter().filter(|&k| k <= near.k).collect();
    let own = x.t().dot(&x) / x.nrows() as f64;
    let all = products(&x, near, &rings);
    let told = |(k, p): (usize, Products)| Ok((k, p.told(&own, x.nrows() as f64)?));
    rings.into_iter().zip(all).map(told).collect()
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

/// Sums over cells: of the means of their neighbours, of products of two means, of the cell's own row with the mean.
#[derive(Clone)]
struct Products {
    mean: Array1<f64>,
    of_means: Array2<f64>,
    with_own: Array2<f64>,
}

impl Products {
    fn of(own: ArrayView2<f64>, mean: &Array2<f64>) -> Self {
        Self {
            mean: mean.sum_axis(Axis(0)),
            of_means: mean.t().dot(mean),
            with_own: own.t().dot(mean),
        }
    }

    fn add(&mut self, other: &Self) {
        self.mean += &other.mean;
        self.of_means += &other.of_means;
        self.with_own += &other.with_own;
    }

    /// log det S - log det R of n cells; the columns of the cells themselves have mean 0.
    fn told(&self, own: &Array2<f64>, n: f64) -> Result<f64> {
        let s = with_ridge(matrix(own), |_| 1.0);
        let mean = matrix(&self.mean.clone().insert_axis(Axis(1))) / n;
        let of_means = matrix(&self.of_means) / n - &mean * mean.transpose();
        let variances: Vec<f64> = of_means.diagonal().iter().copied().collect();
        let factor = factor(with_ridge(of_means, |j| {
            variances[j].max(f64::MIN_POSITIVE)
        }))?;
        let across = matrix(&self.with_own) / n;
        let left = &s - &across * factor.solve(&across.transpose());
        Ok(log_det(&self::factor(s)?) - log_det(&self::factor(left)?))
    }
}

fn matrix(x: &Array2<f64>) -> DMatrix<f64> {
    DMatrix::from_fn(x.nrows(), x.ncols(), |i, j| x[[i, j]])
}

fn with_ridge(mut x: DMatrix<f64>, variance: impl Fn(usize) -> f64) -> DMatrix<f64> {
    for j in 0..x.nrows() {
        x[(j, j)] += RIDGE * variance(j);
    }
    x
}

fn factor(x: DMatrix<f64>) -> Result<Cholesky<f64, nalgebra::Dyn>> {
    Cholesky::new(x)
        .ok_or_else(|| Error::numeric("the components of a modality depend on each other"))
}

fn log_det(factor: &Cholesky<f64, nalgebra::Dyn>) -> f64 {
    let diagonal = factor.l_dirty().diagonal();
    2.0 * diagonal.iter().map(|d| d.ln()).sum::<f64>()
}

/// The sums for every ring.
fn products(x: &Array2<f64>, near: &Neighbours, rings: &[usize]) -> Vec<Products> {
    let zero = Products::of(x.slice(s![..0, ..]), &Array2::zeros((0, x.ncols())));
    let starts: Vec<usize> = (0..x.nrows()).step_by(CHUNK).collect();
    let parts: Vec<Vec<Products>> = starts
        .into_par_iter()
        .map(|start| {
            let end = (start + CHUNK).min(x.nrows());
            chunk_products(x, near, rings, start..end)
        })
        .collect();
    let mut sums = vec![zero; rings.len()];
    for part in &parts {
        sums.iter_mut().zip(part).for_each(|(sum, p)| sum.add(p));
    }
    sums
}

/// Neighbours are added ring by ring, so that all rings together cost as much as the widest.
fn chunk_products(
    x: &Array2<f64>,
    near: &Neighbours,
    rings: &[usize],
    cells: std::ops::Range<usize>,
) -> Vec<Products> {
    let mut sums = Array2::zeros((cells.len(), x.ncols()));
    let mut done = 0;
    let own = x.slice(s![cells.clone(), ..]);
    let mut of_ring = |&ring: &usize| {
        for (mut sum, cell) in sums.rows_mut().into_iter().zip(cells.clone()) {
            for &other in &near.row(cell)[done..ring] {
                sum += &x.row(other as usize);
            }
        }
        done = ring;
        Products::of(own, &(&sums / ring as f64))
    };
    rings.iter().map(&mut of_ring).collect()
}
