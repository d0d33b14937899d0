//! Greedy k-means++: the centres from which Lloyd's algorithm starts.
//!
//! Source: Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007,
//! with scikit-learn's 2 + ln k candidates for every centre.

use rayon::prelude::*;

use super::tiles::{add_in_order, squared_distances, Tiles, CHUNK, LANES};
use crate::rng::Rng;
use crate::{progress, Result};

/// `k` rows of the data as centres (k x columns, flat).
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(super) fn plus_plus(data: &Tiles, k: usize, rng: &mut Rng) -> Result<Vec<f32>> {
    let candidates = 2 + (k as f64).ln() as usize;
    let mut centres = data.row(rng.below(data.rows));
    let mut nearest = vec![f32::INFINITY; data.rows];
    let mut sums = lower(data, &centres, &mut nearest);
    for _ in 1..k {
        progress::check()?;
        let drawn: Vec<f32> = (0..candidates)
            .flat_map(|_| data.row(draw(&nearest, &sums, rng)))
            .collect();
        let totals = potentials(data, &drawn, &nearest);
        let best = (0..candidates).fold(0, |b, c| if totals[c] < totals[b] { c } else { b });
        let centre = &drawn[best * data.columns..(best + 1) * data.columns];
        sums = lower(data, centre, &mut nearest);
        centres.extend_from_slice(centre);
    }
    Ok(centres)
}

/// A row drawn with probability proportional to its squared distance from the nearest centre.
fn draw(nearest: &[f32], sums: &[f64], rng: &mut Rng) -> usize {
    let total: f64 = sums.iter().sum();
    if total <= 0.0 {
        return rng.below(nearest.len());
    }
    let mut left = rng.uniform() * total;
    let mut chunk = 0;
    while chunk + 1 < sums.len() && left >= sums[chunk] {
        left -= sums[chunk];
        chunk += 1;
    }
    let end = ((chunk + 1) * CHUNK).min(nearest.len());
    let rows = chunk * CHUNK..end;
    for row in rows {
        left -= f64::from(nearest[row]);
        if left < 0.0 {
            return row;
        }
    }
    end - 1
}

/// Lowers the distances to the nearest centre by a new centre; their sum over each chunk.
fn lower(data: &Tiles, centre: &[f32], nearest: &mut [f32]) -> Vec<f64> {
    nearest
        .par_chunks_mut(CHUNK)
        .enumerate()
        .map(|(chunk, nearest)| {
            let tiles = nearest.chunks_mut(LANES).zip(data.chunk(chunk));
            tiles.map(|(old, tile)| lower_tile(tile, centre, old)).sum()
        })
        .collect()
}

fn lower_tile(tile: &[f32], centre: &[f32], nearest: &mut [f32]) -> f64 {
    let new = squared_distances(tile, centre);
    let mut sum = 0.0;
    for (old, new) in nearest.iter_mut().zip(new) {
        *old = old.min(new);
        sum += f64::from(*old);
    }
    sum
}

/// The sum of squared distances that each candidate would leave.
fn potentials(data: &Tiles, candidates: &[f32], nearest: &[f32]) -> Vec<f64> {
    let parts: Vec<Vec<f64>> = nearest
        .par_chunks(CHUNK)
        .enumerate()
        .map(|(chunk, nearest)| {
            let mut sums = vec![0.0; candidates.len() / data.columns];
            for (old, tile) in nearest.chunks(LANES).zip(data.chunk(chunk)) {
                let points = candidates.chunks_exact(data.columns);
                for (sum, point) in sums.iter_mut().zip(points) {
                    let new = squared_distances(tile, point);
                    let kept = old.iter().zip(new).map(|(&o, n)| f64::from(o.min(n)));
                    *sum += kept.sum::<f64>();
                }
            }
            sums
        })
        .collect();
    add_in_order(parts, candidates.len() / data.columns)
}
