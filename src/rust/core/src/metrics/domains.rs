//! Labels made smoother, and domains numbered sensibly.

use nalgebra::{Matrix3, SymmetricEigen, Vector3};
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::check_labels;
use crate::graph;
use crate::{Error, Result};

/// Each cell's label replaced by the most frequent one among its `k` nearest cells in space (`coords` is n x 2 or n x 3). The
/// cell itself has no vote; of labels equally frequent the one nearest wins. This is the published refinement.
///
/// # Errors
/// [`Error::Argument`] `labels` for no cells or another number of labels, `k` unless `1 <= k < n`; [`Error::Coords`] for
/// coordinates that are not finite.
pub fn refine_labels(labels: &[u32], coords: ArrayView2<f64>, k: usize) -> Result<Vec<u32>> {
    check_labels(labels, coords.nrows())?;
    let near = graph::nearest(coords, k)?;
    let refined = (0..labels.len()).into_par_iter().map(|cell| {
        let votes = near.row(cell).iter().map(|&other| labels[other as usize]);
        most_frequent(votes).unwrap_or(labels[cell])
    });
    Ok(refined.collect())
}

/// The first to appear among the most frequent.
fn most_frequent(votes: impl Iterator<Item = u32>) -> Option<u32> {
    let mut ranked: Vec<(u32, usize)> = votes.zip(0..).collect();
    ranked.sort_unstable();
    let groups = ranked.chunk_by(|a, b| a.0 == b.0);
    let winner = groups.max_by_key(|group| (group.len(), std::cmp::Reverse(group[0].1)));
    winner.map(|group| group[0].0)
}

/// New numbers for the domains `0..k`, along the tissue: domain `d` becomes `order[d]`. Domains are sorted by their centroids'
/// places on the principal axis of the centroids, weighted by size; the axis points to larger values of the coordinate that
/// it follows most. Empty domains come last.
///
/// # Errors
/// [`Error::Argument`] `labels` for no cells, another number of labels, or labels of `k` or more; [`Error::Coords`] for
/// coordinates that are not finite.
pub fn order_domains(labels: &[u32], k: usize, coords: ArrayView2<f64>) -> Result<Vec<u32>> {
    check_labels(labels, coords.nrows())?;
    graph::check_coords(coords)?;
    if let Some(label) = labels.iter().find(|&&label| label as usize >= k) {
        let message = format!("label {label} is not one of {k} domains");
        return Err(Error::argument("labels", message));
    }
    let (centroids, sizes) = centroids(labels, k, coords);
    let axis = principal_axis(&centroids, &sizes);
    let place = |d: usize| {
        if sizes[d] > 0.0 {
            axis.dot(&centroids[d])
        } else {
            f64::INFINITY
        }
    };
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| place(a).total_cmp(&place(b)));
    let mut renamed = vec![0; k];
    (0u32..)
        .zip(order)
        .for_each(|(new, old)| renamed[old] = new);
    Ok(renamed)
}

/// Centroids about the mean of all cells (of empty domains: 0), and numbers of cells.
fn centroids(labels: &[u32], k: usize, coords: ArrayView2<f64>) -> (Vec<Vector3<f64>>, Vec<f64>) {
    let mut sums = vec![Vector3::zeros(); k];
    let mut sizes = vec![0.0; k];
    // Taken from the first cell, which keeps large coordinates exact.
    let value = |cell: usize, axis: usize| coords.get((cell, axis)).copied().unwrap_or(0.0);
    for (cell, &label) in labels.iter().enumerate() {
        sums[label as usize] += Vector3::from_fn(|axis, _| value(cell, axis) - value(0, axis));
        sizes[label as usize] += 1.0;
    }
    let mean = sums.iter().sum::<Vector3<f64>>() / labels.len() as f64;
    for (sum, &size) in sums.iter_mut().zip(&sizes) {
        *sum = if size > 0.0 {
            *sum / size - mean
        } else {
            Vector3::zeros()
        };
    }
    (sums, sizes)
}

fn principal_axis(centroids: &[Vector3<f64>], sizes: &[f64]) -> Vector3<f64> {
    let spread: Matrix3<f64> = centroids
        .iter()
        .zip(sizes)
        .map(|(c, &size)| c * c.transpose() * size)
        .sum();
    let eigen = SymmetricEigen::new(spread);
    let axis: Vector3<f64> = eigen
        .eigenvectors
        .column(eigen.eigenvalues.imax())
        .into_owned();
    if axis[axis.iamax()] < 0.0 {
        -axis
    } else {
        axis
    }
}
