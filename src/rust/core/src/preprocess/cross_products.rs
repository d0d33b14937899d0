//! The cross-products of the columns of a sparse matrix, from one pass over its rows.

use rayon::prelude::*;

use crate::sparse::Csr;
use crate::{progress, Error, Result};

/// Rows that are transposed at a time: bounds the memory beside the result.
const SLAB: usize = 4096;
/// Columns that one task sums.
const BLOCK: usize = 32;

/// X' diag(weights) X for X of n rows and m columns, `weights` one a row: an m x m array of which
/// only the entries `[i * m + j]` with j >= i are set, the others being 0. Summed in f64 and in the
/// order of the rows whatever the number of threads.
///
/// # Errors
/// No memory for the m x m result.
pub(super) fn cross_products(matrix: &Csr, weights: &[f64]) -> Result<Vec<f64>> {
    let m = matrix.n_cols();
    let mut products = zeros(m)?;
    let ticket = progress::current();
    for first in (0..matrix.n_rows()).step_by(SLAB) {
        ticket.check()?;
        let slab = Slab::new(matrix, first, (first + SLAB).min(matrix.n_rows()), weights);
        products
            .par_chunks_mut((BLOCK * m).max(1))
            .enumerate()
            .for_each(|(block, sums)| ticket.part(|| slab.add(block * BLOCK, sums)));
    }
    ticket.check()?;
    Ok(products)
}

fn zeros(m: usize) -> Result<Vec<f64>> {
    let too_large = || {
        Error::argument(
            "n_genes",
            format!("there is no memory for the covariance of {m} genes: lower `n_genes`"),
        )
    };
    let size = m.checked_mul(m).ok_or_else(too_large)?;
    let mut products = Vec::new();
    products.try_reserve_exact(size).map_err(|_| too_large())?;
    products.resize(size, 0.0);
    Ok(products)
}

/// Some rows, and their entries by column.
struct Slab<'a> {
    matrix: &'a Csr,
    first: usize,
    last: usize,
    ends: Vec<usize>,
    /// Row (from `first`) and weighted value of every entry, column by column, rows rising.
    by_column: Vec<(u32, f64)>,
}

impl<'a> Slab<'a> {
    fn new(matrix: &'a Csr, first: usize, last: usize, weights: &[f64]) -> Self {
        let mut ends = vec![0usize; matrix.n_cols() + 1];
        for row in first..last {
            matrix
                .row(row)
                .0
                .iter()
                .for_each(|&c| ends[c as usize + 1] += 1);
        }
        for c in 0..matrix.n_cols() {
            ends[c + 1] += ends[c];
        }
        let mut next = ends.clone();
        let mut by_column = vec![(0u32, 0f64); ends[matrix.n_cols()]];
        for (row, &weight) in (first..last).zip(&weights[first..last]) {
            let (columns, values) = matrix.row(row);
            for (&c, &v) in columns.iter().zip(values) {
                let place = &mut next[c as usize];
                by_column[*place] = ((row - first) as u32, weight * f64::from(v));
                *place += 1;
            }
        }
        Self {
            matrix,
            first,
            last,
            ends,
            by_column,
        }
    }

    /// Adds this slab's part to the rows of the result from `column` on.
    fn add(&self, column: usize, sums: &mut [f64]) {
        let m = self.matrix.n_cols();
        // Where each row's columns >= the current one begin; moves on as they are met.
        let mut cursor: Vec<usize> = (self.first..self.last)
            .map(|row| {
                self.matrix
                    .row(row)
                    .0
                    .partition_point(|&c| (c as usize) < column)
            })
            .collect();
        for (i, sums) in sums.chunks_exact_mut(m).enumerate() {
            for &(row, value) in &self.by_column[self.ends[column + i]..self.ends[column + i + 1]] {
                let (columns, values) = self.matrix.row(self.first + row as usize);
                let start = &mut cursor[row as usize];
                for (&c, &v) in columns[*start..].iter().zip(&values[*start..]) {
                    sums[c as usize] += value * f64::from(v);
                }
                *start += 1;
            }
        }
    }
}
