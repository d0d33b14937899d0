//! Rows in double precision about their mean, with what the mixture needs of them once.

use nalgebra::DMatrix;
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::tiles::{add_in_order, column_means, CHUNK};

/// Rows less a fixed point, their second moments, and the ridge of every covariance.
pub(super) struct Centred {
    /// Row-major, rows x columns.
    pub values: Vec<f64>,
    pub rows: usize,
    pub columns: usize,
    /// What was taken from every row.
    pub origin: Vec<f64>,
    /// Sum of the outer products of the rows.
    pub scatter: DMatrix<f64>,
    /// Added to the diagonal of every covariance: a small part of each column's variance.
    pub ridge: Vec<f64>,
}

impl Centred {
    /// Centres `x`; `regularisation` is the ridge as a part of the variance of a column.
    pub fn new(x: &ArrayView2<f32>, regularisation: f64) -> Self {
        let origin = column_means(x);
        let (rows, columns) = x.dim();
        let mut values = vec![0.0; rows * columns];
        let out = values.par_chunks_mut(columns).enumerate();
        out.with_min_len(CHUNK).for_each(|(i, out)| {
            for ((o, &v), mean) in out.iter_mut().zip(x.row(i)).zip(&origin) {
                *o = f64::from(v) - mean;
            }
        });
        let scatter = scatter(&values, columns);
        let ridge = ridge(&scatter, rows, regularisation);
        Self {
            values,
            rows,
            columns,
            origin,
            scatter,
            ridge,
        }
    }

    /// Some of the rows, about the same origin and with the same ridge.
    pub fn select(&self, rows: &[usize]) -> Self {
        let values: Vec<f64> = rows.iter().flat_map(|&i| self.row(i)).copied().collect();
        Self {
            scatter: scatter(&values, self.columns),
            values,
            rows: rows.len(),
            columns: self.columns,
            origin: self.origin.clone(),
            ridge: self.ridge.clone(),
        }
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// The rows of each chunk.
    pub fn chunks(&self) -> rayon::slice::Chunks<'_, f64> {
        self.values.par_chunks(CHUNK * self.columns)
    }
}

fn scatter(values: &[f64], columns: usize) -> DMatrix<f64> {
    let parts: Vec<Vec<f64>> = values
        .par_chunks(CHUNK * columns)
        .map(|chunk| {
            let mut sum = vec![0.0; columns * columns];
            for row in chunk.chunks_exact(columns) {
                for (line, &a) in sum.chunks_exact_mut(columns).zip(row) {
                    line.iter_mut().zip(row).for_each(|(s, &b)| *s += a * b);
                }
            }
            sum
        })
        .collect();
    DMatrix::from_vec(columns, columns, add_in_order(parts, columns * columns))
}

/// A column without variance takes a small part of the mean variance, and the unit where no
/// column varies, so that every covariance has an inverse.
fn ridge(scatter: &DMatrix<f64>, rows: usize, regularisation: f64) -> Vec<f64> {
    const LEAST_PART_OF_MEAN: f64 = 1e-6;
    let variances: Vec<f64> = scatter.diagonal().iter().map(|s| s / rows as f64).collect();
    let mean = variances.iter().sum::<f64>() / variances.len() as f64;
    let least = if mean > 0.0 {
        mean * LEAST_PART_OF_MEAN
    } else {
        1.0
    };
    let ridge = variances.iter().map(|v| regularisation * v.max(least));
    ridge.collect()
}
