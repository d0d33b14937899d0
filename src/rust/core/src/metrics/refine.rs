//! Smoothing of labels.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::check_length;
use crate::graph::spatial_knn;
use crate::Result;

/// The commonest label among the `k` nearest cells (the cell itself not counted); of labels equally
/// common, the one whose nearest cell is nearest. `coords` is cells x 2 (or 3).
///
/// # Errors
/// Coordinates that are no numbers, `k` of 0 or not below the number of cells.
pub fn refine_labels(labels: &[u32], coords: ArrayView2<f64>, k: usize) -> Result<Vec<u32>> {
    check_length(labels, coords.nrows())?;
    let near = spatial_knn(coords, k)?;
    Ok((0..labels.len())
        .into_par_iter()
        .map(|cell| commonest(near.row(cell), labels))
        .collect())
}

fn commonest(near: &[u32], labels: &[u32]) -> u32 {
    let mut counts: Vec<(u32, usize)> = Vec::with_capacity(8);
    for &other in near {
        let label = labels[other as usize];
        match counts.iter_mut().find(|(l, _)| *l == label) {
            Some((_, count)) => *count += 1,
            None => counts.push((label, 1)),
        }
    }
    // Labels stand in the order of their nearest cell; the first of the largest wins.
    let mut best = (0, 0);
    for (label, count) in counts {
        if count > best.1 {
            best = (label, count);
        }
    }
    best.0
}
