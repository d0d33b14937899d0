//! Shared nearest neighbours, for community detection.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::euclidean_neighbours;
use crate::{progress, Result};

/// Weighted edges, each pair once with `from < to`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edges {
    /// The lower cell of each edge.
    pub from: Vec<u32>,
    /// The higher cell of each edge.
    pub to: Vec<u32>,
    /// Jaccard index of the neighbours of the two.
    pub weight: Vec<f32>,
}

/// The graph that Seurat clusters: two cells are joined by the Jaccard index of their sets of `k`
/// nearest (each cell in its own set, and counted), where it exceeds `prune` (1/15). `x` is cells x
/// columns.
///
/// # Errors
/// `k` of 0 or more than the cells; values that are no numbers.
pub fn shared_neighbour_edges(
    x: ArrayView2<f32>,
    k: usize,
    prune: f32,
    seed: u64,
) -> Result<Edges> {
    let sets = neighbour_sets(x, k, seed)?;
    let members = inverted(&sets, k, x.nrows());
    let ticket = progress::current();
    let rows: Vec<Vec<(u32, f32)>> = (0..x.nrows())
        .into_par_iter()
        .map(|cell| ticket.part(|| edges_of(cell, &sets, &members, k, prune)))
        .collect();
    ticket.check()?;
    let mut edges = Edges::default();
    for (from, row) in rows.into_iter().enumerate() {
        for (to, weight) in row {
            edges.from.push(from as u32);
            edges.to.push(to);
            edges.weight.push(weight);
        }
    }
    Ok(edges)
}

/// Row i: cell i and its k - 1 nearest others.
fn neighbour_sets(x: ArrayView2<f32>, k: usize, seed: u64) -> Result<Vec<u32>> {
    let n = x.nrows() as u32;
    if k == 1 {
        return Ok((0..n).collect());
    }
    let near = euclidean_neighbours(x, k.saturating_sub(1), seed)?;
    let row = |cell: u32| std::iter::once(cell).chain(near.row(cell as usize).iter().copied());
    Ok((0..n).flat_map(row).collect())
}

/// For each cell the sets that hold it.
fn inverted(sets: &[u32], k: usize, n: usize) -> Vec<Vec<u32>> {
    let mut members = vec![vec![]; n];
    for (place, &cell) in sets.iter().enumerate() {
        members[cell as usize].push((place / k) as u32);
    }
    members
}

fn edges_of(
    cell: usize,
    sets: &[u32],
    members: &[Vec<u32>],
    k: usize,
    prune: f32,
) -> Vec<(u32, f32)> {
    let own = &sets[cell * k..(cell + 1) * k];
    let mut sharing: Vec<u32> = own
        .iter()
        .flat_map(|&m| &members[m as usize])
        .copied()
        .filter(|&other| other as usize > cell)
        .collect();
    sharing.sort_unstable();
    sharing
        .chunk_by(|a, b| a == b)
        .filter_map(|same| {
            let shared = same.len() as f32;
            let weight = shared / (2.0 * k as f32 - shared);
            (weight > prune).then_some((same[0], weight))
        })
        .collect()
}
