//! Lloyd's algorithm on the CPU: assign every row to the nearest centre, move every centre to its rows' mean.

use rayon::prelude::*;

use crate::cluster::tiles::{add_in_order, squared_distances, Tiles, CHUNK, LANES};
use crate::{progress, Result};

/// An assignment of all rows. Distances are squared, in the units of the tiles.
pub(super) struct Assignment {
    pub labels: Vec<u32>,
    pub distances: Vec<f32>,
}

impl Assignment {
    pub fn inertia(&self) -> f64 {
        let parts = self.distances.chunks(CHUNK);
        parts
            .map(|c| c.iter().map(|&d| f64::from(d)).sum::<f64>())
            .sum()
    }
}

/// Iterates from `centres`, which end where the assignment was made.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(super) fn lloyd(
    data: &Tiles,
    centres: &mut [f32],
    max_iterations: usize,
    tolerance: f64,
) -> Result<Assignment> {
    let mut assignment = Assignment {
        labels: vec![u32::MAX; data.rows],
        distances: vec![0.0; data.rows],
    };
    for _ in 0..max_iterations {
        progress::check()?;
        let step = assign(data, centres, &mut assignment);
        if step.moved == 0 {
            return Ok(assignment);
        }
        let shift = move_centres(data, &assignment, step.sums, centres);
        if shift <= tolerance * step.inertia / (data.rows * data.columns) as f64 {
            break;
        }
    }
    assign(data, centres, &mut assignment);
    Ok(assignment)
}

/// What one assignment adds up to: for each centre the sum of its rows and their number.
struct Step {
    sums: Vec<f64>,
    moved: usize,
    inertia: f64,
}

fn assign(data: &Tiles, centres: &[f32], assignment: &mut Assignment) -> Step {
    let width = centres.len() / data.columns * (data.columns + 1);
    let parts: Vec<Vec<f64>> = assignment
        .labels
        .par_chunks_mut(CHUNK)
        .zip(assignment.distances.par_chunks_mut(CHUNK))
        .enumerate()
        .map(|(chunk, (labels, distances))| {
            let mut sums = vec![0.0; width + 2];
            let rows = labels.chunks_mut(LANES).zip(distances.chunks_mut(LANES));
            for (tile, (labels, distances)) in data.chunk(chunk).zip(rows) {
                sums[width] += assign_tile(tile, centres, labels, distances) as f64;
                sums[width + 1] += distances.iter().map(|&d| f64::from(d)).sum::<f64>();
                add_rows(tile, labels, &mut sums[..width]);
            }
            sums
        })
        .collect();
    let mut sums = add_in_order(parts, width + 2);
    let (moved, inertia) = (sums[width] as usize, sums[width + 1]);
    sums.truncate(width);
    Step {
        sums,
        moved,
        inertia,
    }
}

/// Labels the rows of one tile; how many changed. A tie goes to the first centre.
fn assign_tile(tile: &[f32], centres: &[f32], labels: &mut [u32], distances: &mut [f32]) -> usize {
    let columns = tile.len() / LANES;
    let mut best = [f32::INFINITY; LANES];
    let mut nearest = [0u32; LANES];
    for (c, centre) in centres.chunks_exact(columns).enumerate() {
        let d = squared_distances(tile, centre);
        for lane in 0..LANES {
            let closer = d[lane] < best[lane];
            best[lane] = if closer { d[lane] } else { best[lane] };
            nearest[lane] = if closer { c as u32 } else { nearest[lane] };
        }
    }
    let moved = labels.iter().zip(&nearest).filter(|(a, b)| a != b).count();
    labels.copy_from_slice(&nearest[..labels.len()]);
    distances.copy_from_slice(&best[..labels.len()]);
    moved
}

/// Adds every row to the sum of its centre: `columns` sums and a count for each centre.
fn add_rows(tile: &[f32], labels: &[u32], sums: &mut [f64]) {
    let columns = tile.len() / LANES;
    for (lane, &label) in labels.iter().enumerate() {
        let start = label as usize * (columns + 1);
        let sum = &mut sums[start..start + columns + 1];
        let row = tile.iter().skip(lane).step_by(LANES);
        sum.iter_mut()
            .zip(row)
            .for_each(|(s, &v)| *s += f64::from(v));
        sum[columns] += 1.0;
    }
}

/// Moves each centre to the mean of its rows, and a centre without rows to the row that is
/// farthest from its own centre. Gives the sum of squared moves.
pub(super) fn move_centres(
    data: &Tiles,
    assignment: &Assignment,
    mut sums: Vec<f64>,
    centres: &mut [f32],
) -> f64 {
    reseed_empty(data, assignment, &mut sums);
    let mut shift = 0.0;
    let groups = sums.chunks_exact(data.columns + 1);
    for (centre, sum) in centres.chunks_exact_mut(data.columns).zip(groups) {
        let count = sum[data.columns];
        for (c, s) in centre.iter_mut().zip(sum).filter(|_| count > 0.0) {
            let new = (s / count) as f32;
            shift += f64::from(new - *c).powi(2);
            *c = new;
        }
    }
    shift
}

fn reseed_empty(data: &Tiles, assignment: &Assignment, sums: &mut [f64]) {
    let width = data.columns + 1;
    let empty: Vec<usize> = (0..sums.len() / width)
        .filter(|c| sums[c * width + data.columns] == 0.0)
        .collect();
    let mut taken: Vec<usize> = Vec::new();
    for group in empty {
        let far = farthest(&assignment.distances, &taken);
        let old = assignment.labels[far] as usize;
        if assignment.distances[far] == 0.0 || sums[old * width + data.columns] < 2.0 {
            return;
        }
        for (j, v) in data.row(far).into_iter().chain([1.0]).enumerate() {
            sums[old * width + j] -= f64::from(v);
            sums[group * width + j] = f64::from(v);
        }
        taken.push(far);
    }
}

/// The row with the largest distance, the first of equals, leaving out the rows `taken`.
fn farthest(distances: &[f32], taken: &[usize]) -> usize {
    let free = (0..distances.len()).filter(|i| !taken.contains(i));
    free.reduce(|a, b| if distances[b] > distances[a] { b } else { a })
        .unwrap_or(0)
}
