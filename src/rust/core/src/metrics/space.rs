//! How continuous domains are in space.

use ndarray::{Array2, ArrayView2, Axis};

use super::{check_labels, compact};
use crate::graph;
use crate::{Error, Result};

/// CHAOS: the distance from a cell to the nearest other cell of its domain, on standardised coordinates (n x 2 or n x 3),
/// averaged over cells; lower is more continuous. As in the published code, cells in domains of one or two add nothing to the
/// sum but count in the mean.
///
/// # Errors
/// [`Error::Argument`] `labels` for no cells or another number of labels; [`Error::Coords`] for coordinates that are not finite.
pub fn chaos(labels: &[u32], coords: ArrayView2<f64>) -> Result<f64> {
    check_labels(labels, coords.nrows())?;
    graph::check_coords(coords)?;
    let standardised = standardised(coords);
    let (labels, n_domains) = compact(labels);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_domains];
    (0..)
        .zip(&labels)
        .for_each(|(cell, &domain)| members[domain].push(cell));
    let mut sum = 0.0;
    for cells in members.iter().filter(|cells| cells.len() > 2) {
        let near = graph::nearest(standardised.select(Axis(0), cells).view(), 1)?;
        sum += near.distance.iter().sum::<f64>();
    }
    Ok(sum / labels.len() as f64)
}

/// Columns with mean 0 and standard deviation 1 (divisor n); a constant column becomes 0.
fn standardised(coords: ArrayView2<f64>) -> Array2<f64> {
    let mut out = coords.to_owned();
    let n = coords.nrows() as f64;
    for mut column in out.columns_mut() {
        // Sums of large coordinates would lose what tells them apart.
        let origin = column[0];
        column -= origin;
        let mean = column.sum() / n;
        column -= mean;
        let deviation = (column.iter().map(|x| x * x).sum::<f64>() / n).sqrt();
        column.mapv_inplace(|x| if deviation > 0.0 { x / deviation } else { 0.0 });
    }
    out
}

/// PAS: the share of cells of whose `k` nearest cells in space strictly more than half lie in other domains; published with
/// `k = 10`.
///
/// # Errors
/// As [`chaos`]; [`Error::Argument`] `k` unless `1 <= k < n`.
pub fn pas(labels: &[u32], coords: ArrayView2<f64>, k: usize) -> Result<f64> {
    check_labels(labels, coords.nrows())?;
    let near = graph::nearest(coords, k)?;
    let outlying = |cell: &usize| {
        let others = near.row(*cell).iter();
        let foreign = others
            .filter(|&&o| labels[o as usize] != labels[*cell])
            .count();
        2 * foreign > k
    };
    let count = (0..labels.len()).filter(outlying).count();
    Ok(count as f64 / labels.len() as f64)
}

/// Discontinuity: the mean of CHAOS and PAS (`k = 10`, or all other cells where there are fewer).
///
/// # Errors
/// As [`pas`].
pub fn dis(labels: &[u32], coords: ArrayView2<f64>) -> Result<f64> {
    let others = coords.nrows().saturating_sub(1);
    if others == 0 {
        return Err(Error::argument(
            "labels",
            "at least two labelled cells are needed",
        ));
    }
    Ok(0.5 * (chaos(labels, coords)? + pas(labels, coords, others.min(10))?))
}
