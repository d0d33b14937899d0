//! What slices are compared by beside their outlines: expression, as a few smooth components (METHODS 2.4).

use ndarray::{Array2, ArrayView2};

use crate::graph::{knn_within, smooth};
use crate::preprocess::{normalise, ScaledGenes};
use crate::slices::Slices;
use crate::sparse::{CountsView, Csr};
use crate::{progress, Result};

/// Genes that components are made from, the most variable.
const GENES: usize = 500;
/// Components that are compared.
const COMPONENTS: usize = 15;
/// Cells that are averaged over, the cell itself one of them.
const NEAR: usize = 6;
/// Counts that every cell is scaled to.
const TARGET_SUM: f64 = 1e4;

/// Cells x components of log-normalised counts over the genes that vary most, averaged over neighbours and centred within each slice, so that what
/// differs between whole slices does not count. `coords` are n x 2.
///
/// # Errors
/// Fewer than two cells; those of [`knn_within`]; a cancelled run.
pub fn expression(
    counts: &CountsView,
    coords: ArrayView2<f64>,
    slices: &Slices,
) -> Result<Array2<f64>> {
    let mut genes = variable_genes(counts, GENES)?;
    genes.sort_unstable();
    let scores = ScaledGenes::unscaled(log_normalised(counts, &genes)?)
        .pca(COMPONENTS)?
        .scores;
    progress::check()?;
    let smallest = slices.sizes().into_iter().min().unwrap_or(0);
    let others = NEAR.min(smallest.saturating_sub(1)).saturating_sub(1);
    let near = knn_within(coords, slices, others)?;
    let averaged = smooth(scores.view(), &near, 1)?.mapv(f64::from);
    Ok(centred_within(averaged, slices))
}

/// The genes whose log-normalised counts vary most, most first.
///
/// # Errors
/// Fewer than two cells.
pub(super) fn variable_genes(counts: &CountsView, n: usize) -> Result<Vec<u32>> {
    let all: Vec<u32> = (0..counts.n_genes() as u32).collect();
    Ok(ScaledGenes::new(log_normalised(counts, &all)?)?.most_variable(n))
}

/// Cells x `genes`, which rise; totals run over all genes.
fn log_normalised(counts: &CountsView, genes: &[u32]) -> Result<Csr> {
    let all: Vec<u32> = (0..counts.n_genes() as u32).collect();
    normalise(counts, &all, genes, TARGET_SUM, true)
}

/// Every column with mean 0 in each slice.
fn centred_within(mut x: Array2<f64>, slices: &Slices) -> Array2<f64> {
    let mut means = Array2::<f64>::zeros((slices.n_slices(), x.ncols()));
    for (cell, row) in x.rows().into_iter().enumerate() {
        let mut mean = means.row_mut(slices.of(cell));
        mean += &row;
    }
    for (mut mean, size) in means.rows_mut().into_iter().zip(slices.sizes()) {
        mean /= size as f64;
    }
    for (cell, mut row) in x.rows_mut().into_iter().enumerate() {
        row -= &means.row(slices.of(cell));
    }
    x
}

#[cfg(test)]
mod tests;
