//! Groups that must not be empty: as many as asked for, where there are as many distinct rows.

use ndarray::{ArrayView2, Axis};

use super::kmeans::{kmeans, KMeansSettings};
use crate::Result;

/// How many of the labels `0..k` occur; other labels do not count.
pub fn count_nonempty(labels: &[u32], k: usize) -> usize {
    let mut seen = vec![false; k];
    for &label in labels {
        if let Some(seen) = seen.get_mut(label as usize) {
            *seen = true;
        }
    }
    seen.into_iter().filter(|&s| s).count()
}

/// Gives every empty group one row: the row with the largest `distances` among the groups that
/// hold two distinct rows or more. A group stays empty only when fewer than `k` rows are distinct.
pub(super) fn fill_empty(x: &ArrayView2<f32>, labels: &mut [u32], distances: &[f32], k: usize) {
    while let Some(empty) = first_empty(labels, k) {
        let Some(row) = farthest_divisible(x, labels, distances, k) else {
            return;
        };
        labels[row] = empty;
    }
}

/// Splits the largest group in two, by k-means, for every empty group. A group stays empty only when
/// fewer than `k` rows are distinct.
pub(super) fn split_into_empty(
    x: &ArrayView2<f32>,
    labels: &mut [u32],
    k: usize,
    seed: u64,
) -> Result<()> {
    while let Some(empty) = first_empty(labels, k) {
        let Some(largest) = largest_divisible(x, labels, k) else {
            return Ok(());
        };
        let rows: Vec<usize> = (0..labels.len())
            .filter(|&i| labels[i] == largest)
            .collect();
        let settings = KMeansSettings {
            seed,
            ..Default::default()
        };
        let halves = kmeans(x.select(Axis(0), &rows).view(), 2, &settings)?.labels;
        for (row, _) in rows.into_iter().zip(halves).filter(|(_, half)| *half == 1) {
            labels[row] = empty;
        }
    }
    Ok(())
}

/// The group of most rows, the first of equals, among those that hold two distinct rows.
fn largest_divisible(x: &ArrayView2<f32>, labels: &[u32], k: usize) -> Option<u32> {
    let mut sizes = vec![0usize; k];
    labels.iter().for_each(|&l| sizes[l as usize] += 1);
    let divisible = divisible_groups(x, labels, k);
    let groups = (0..k).filter(|&c| divisible[c]);
    groups
        .reduce(|a, b| if sizes[b] > sizes[a] { b } else { a })
        .map(|c| c as u32)
}

fn first_empty(labels: &[u32], k: usize) -> Option<u32> {
    let mut seen = vec![false; k];
    labels.iter().for_each(|&l| seen[l as usize] = true);
    seen.iter().position(|&s| !s).map(|c| c as u32)
}

/// The first row of largest distance whose group holds another, different row.
fn farthest_divisible(
    x: &ArrayView2<f32>,
    labels: &[u32],
    distances: &[f32],
    k: usize,
) -> Option<usize> {
    let divisible = divisible_groups(x, labels, k);
    let rows = (0..labels.len()).filter(|&i| divisible[labels[i] as usize]);
    rows.reduce(|a, b| if distances[b] > distances[a] { b } else { a })
}

/// Which groups hold at least two distinct rows.
fn divisible_groups(x: &ArrayView2<f32>, labels: &[u32], k: usize) -> Vec<bool> {
    let mut first = vec![usize::MAX; k];
    let mut divisible = vec![false; k];
    for (i, &label) in labels.iter().enumerate() {
        let group = label as usize;
        if first[group] == usize::MAX {
            first[group] = i;
        }
        divisible[group] |= x.row(i) != x.row(first[group]);
    }
    divisible
}
