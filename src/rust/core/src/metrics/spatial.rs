//! Coherence of domains in the tissue.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::check_length;
use crate::graph::spatial_knn;
use crate::Result;

/// A domain with fewer cells has no neighbours worth a mean.
const SMALLEST: usize = 3;

/// CHAOS: the mean distance of a cell to the nearest cell of its own domain, on coordinates scaled
/// to standard deviation 1; lower is more continuous. Domains of one or two cells add nothing.
///
/// `coords` is cells x 2 (or 3). Source: Shang & Zhou, SpatialPCA, 2022.
///
/// # Errors
/// Coordinates that are no numbers, or as many labels as there are not cells.
pub fn chaos(labels: &[u32], coords: ArrayView2<f64>) -> Result<f64> {
    check_length(labels, coords.nrows())?;
    let scaled = standardised(coords);
    let mut total = 0.0;
    for cells in members(labels) {
        if cells.len() >= SMALLEST {
            total += nearest_distances(&scaled, &cells)?;
        }
    }
    Ok(total / labels.len() as f64)
}

fn standardised(coords: ArrayView2<f64>) -> Array2<f64> {
    let mut scaled = coords.to_owned();
    for mut column in scaled.axis_iter_mut(Axis(1)) {
        let mean = column.mean().unwrap_or(0.0);
        let sd = column.std(0.0);
        column.mapv_inplace(|x| if sd > 0.0 { (x - mean) / sd } else { 0.0 });
    }
    scaled
}

/// The cells of each label.
fn members(labels: &[u32]) -> Vec<Vec<usize>> {
    let (codes, k) = super::dense_codes(labels);
    let mut cells = vec![vec![]; k];
    for (cell, &code) in codes.iter().enumerate() {
        cells[code as usize].push(cell);
    }
    cells
}

/// Sum over `cells` of the distance to the nearest other one.
fn nearest_distances(coords: &Array2<f64>, cells: &[usize]) -> Result<f64> {
    let own = coords.select(Axis(0), cells);
    let first = own.row(0).to_owned();
    if own.rows().into_iter().all(|row| row == first) {
        return Ok(0.0);
    }
    Ok(spatial_knn(own.view(), 1)?.distance.iter().sum())
}

/// PAS: the share of cells of which more than half of the `k` nearest belong to other domains; lower
/// is smoother (k = 10).
///
/// # Errors
/// Coordinates that are no numbers, `k` of 0 or not below the number of cells.
pub fn pas(labels: &[u32], coords: ArrayView2<f64>, k: usize) -> Result<f64> {
    check_length(labels, coords.nrows())?;
    let near = spatial_knn(coords, k)?;
    let abnormal = (0..labels.len())
        .into_par_iter()
        .filter(|&cell| {
            let others = near.row(cell).iter();
            let differ = others.filter(|&&o| labels[o as usize] != labels[cell]);
            2 * differ.count() > k
        })
        .count();
    Ok(abnormal as f64 / labels.len() as f64)
}
