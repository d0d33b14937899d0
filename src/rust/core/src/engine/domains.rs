//! From columns to domains: groups, what several runs agree on, and numbers that follow the tissue.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis};

use super::tissue::Tissue;
use crate::cluster::{
    agreement, consensus, gaussian_mixture, kmeans, members, KMeansSettings, MemberSettings,
    MixtureSettings,
};
use crate::graph::Neighbours;
use crate::metrics::{order_domains, refine_labels};
use crate::{progress, Result};

/// A method of the core that finds groups; others cluster elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Many mixtures, the best of which are put together.
    Consensus,
    /// A Gaussian mixture with one covariance.
    Mixture,
    /// k-means.
    KMeans,
}

/// `k` groups of the rows of `x`, the largest first (of equals, that of the smaller label).
///
/// # Errors
/// Those of [`gaussian_mixture`] and [`kmeans`].
pub fn groups(
    x: ArrayView2<f32>,
    k: usize,
    method: Method,
    starts: usize,
    seed: u64,
) -> Result<Vec<u32>> {
    let labels = match method {
        Method::Consensus => agreement(&ensemble(&[x], k, starts, seed)?, k, None)?,
        Method::Mixture => {
            let settings = MixtureSettings {
                starts,
                seed,
                ..MixtureSettings::default()
            };
            gaussian_mixture(x, k, &settings)?.labels
        }
        Method::KMeans => {
            let settings = KMeansSettings {
                starts,
                seed,
                ..KMeansSettings::default()
            };
            kmeans(x, k, &settings)?.labels
        }
    };
    Ok(largest_first(&labels))
}

/// Members of an ensemble: of many matrices each gives fewer.
const MEMBERS: usize = 80;
/// The fewest and the most members of each matrix.
const KEEP: (usize, usize) = (3, 5);
/// With at most this many rows there are three times the starts and members, up to half as many again twice: seeds disagree
/// most where cells are few, and fits cost little there (bench/README.md, "Few cells").
const FEW_ROWS: usize = 2_000;
const TIMES_OF_FEW: usize = 3;
/// Rows to which the members are fitted.
const FIT_ROWS: usize = 20_000;
/// As many as two rings of a hexagonal grid have; a third one adds nothing (bench/README.md, "Votes with neighbours").
const VOTERS: usize = 18;

/// Labellings of the rows that all `matrices` have: of each matrix, the likeliest mixtures from `starts` starts, or from fewer as it
/// gives fewer members; of few rows up to three times as many starts and members.
///
/// # Errors
/// Those of [`members`]; no mixture that fills its components.
pub fn ensemble(
    matrices: &[ArrayView2<f32>],
    k: usize,
    starts: usize,
    seed: u64,
) -> Result<Vec<Vec<u32>>> {
    let shown = progress::stage("domains", matrices.len());
    let keep = (MEMBERS / matrices.len().max(1)).clamp(KEEP.0, KEEP.1);
    let times = times_of(matrices.first().map_or(0, |x| x.nrows()));
    let mut all = Vec::new();
    for (round, x) in matrices.iter().enumerate() {
        let settings = MemberSettings {
            starts: times * (starts * keep).div_ceil(KEEP.1),
            keep: times * keep,
            seed,
            round: round as u32,
            fit_rows: FIT_ROWS,
        };
        all.extend(
            members(x.view(), k, &settings)?
                .into_iter()
                .map(|m| m.labels),
        );
        shown.advance(1);
    }
    if let (true, Some(x)) = (all.is_empty(), matrices.first()) {
        // Fewer groups than asked for, perhaps: that mixture knows what to do about it.
        all.push(groups(x.view(), k, Method::Mixture, starts, seed)?);
    }
    Ok(all)
}

/// How many times the starts and members of so many rows there are.
fn times_of(rows: usize) -> usize {
    (FEW_ROWS * TIMES_OF_FEW / rows.max(1)).clamp(1, TIMES_OF_FEW)
}

/// Along the curve, the neighbours in its slice with whom a cell votes on its domain ([`agreement`]).
///
/// # Errors
/// Those of [`Tissue::neighbours`].
pub fn voters(tissue: &Tissue) -> Result<Arc<Neighbours>> {
    let along = tissue.along_curve()?;
    along.neighbours(VOTERS.min(along.most_neighbours()))
}

/// Values of cells in `order` (cell `order[i]` has `values[i]`), as the cells were given.
pub fn off_curve<T: Copy + Default>(values: &[T], order: &[u32]) -> Vec<T> {
    let mut out = vec![T::default(); values.len()];
    let pairs = order.iter().zip(values);
    pairs.for_each(|(&cell, &value)| out[cell as usize] = value);
    out
}

/// The seed of run `run` (from 0) of several, far from the small seeds that people type.
pub fn run_seed(seed: u64, run: usize) -> u64 {
    seed.wrapping_add(run as u64 * 1_000_003)
}

/// The labels that several runs agree on.
///
/// # Errors
/// Those of [`consensus`].
pub fn agreed(runs: &[Vec<u32>], k: usize) -> Result<Vec<u32>> {
    match runs {
        [one] => Ok(one.clone()),
        several => consensus(several, k),
    }
}

/// The domains that a user sees: with the commonest label of `refine` neighbours in the own slice where that is not 0, numbered along the tissue.
///
/// # Errors
/// Slices of fewer cells than `refine`.
pub fn finished(labels: Vec<u32>, tissue: &Tissue, refine: usize) -> Result<Vec<u32>> {
    let labels = match refine {
        0 => labels,
        k => refined(labels, tissue, k)?,
    };
    let labels = largest_first(&labels);
    let numbers = order_domains(&labels, 0, tissue.coords(), tissue.slices())?;
    Ok(labels.iter().map(|&l| numbers[l as usize]).collect())
}

/// Each cell with the commonest label of its `k` nearest in its slice.
///
/// # Errors
/// Slices of fewer cells than that.
pub fn refined(mut labels: Vec<u32>, tissue: &Tissue, k: usize) -> Result<Vec<u32>> {
    for cells in tissue.slices().cells() {
        let rows: Vec<usize> = cells.iter().map(|&c| c as usize).collect();
        let own: Vec<u32> = rows.iter().map(|&c| labels[c]).collect();
        let places: Array2<f64> = tissue.coords().select(Axis(0), &rows);
        for (&cell, label) in rows.iter().zip(refine_labels(&own, places.view(), k)?) {
            labels[cell] = label;
        }
    }
    Ok(labels)
}

/// Labels by the sizes of their groups.
pub fn largest_first(labels: &[u32]) -> Vec<u32> {
    let n = labels.iter().max().map_or(0, |&l| l as usize + 1);
    let mut sizes = vec![0usize; n];
    labels.iter().for_each(|&l| sizes[l as usize] += 1);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&label| std::cmp::Reverse(sizes[label]));
    let mut rank = vec![0u32; n];
    for (place, label) in order.into_iter().enumerate() {
        rank[label] = place as u32;
    }
    labels.iter().map(|&l| rank[l as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_rows_have_more_starts_and_members() {
        let times = [0, 200, 2_000, 2_001, 3_000, 3_001, 1_000_000].map(times_of);
        assert_eq!(times, [3, 3, 3, 2, 2, 1, 1]);
        let rows = |n| Array2::from_shape_fn((n, 2), |(i, j)| ((i * 7919 + j * 31) % 997) as f32);
        let members = |n| ensemble(&[rows(n).view()], 2, 20, 1).map(|m| m.len());
        assert_eq!(members(150).ok(), Some(15));
        assert_eq!(members(3_500).ok(), Some(5));
    }

    #[test]
    fn the_largest_group_comes_first_and_equals_keep_their_order() {
        assert_eq!(
            largest_first(&[2, 2, 0, 1, 2, 1, 0, 4]),
            [0, 0, 1, 2, 0, 2, 1, 3]
        );
    }
}
