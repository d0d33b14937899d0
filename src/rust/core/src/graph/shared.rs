//! Graphs of shared neighbours.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::embedding::euclidean_neighbours;
use super::spatial::slabs;
use crate::{Error, Result};

/// Undirected edges, each once with `from < to`, by rising `(from, to)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeightedEdges {
    pub from: Vec<u32>,
    pub to: Vec<u32>,
    pub weight: Vec<f64>,
}

/// The shared-nearest-neighbour graph of the rows of `x` (cells x d), as Seurat's `FindNeighbors` forms it: the weight is the
/// Jaccard index of the sets of `k` nearest cells (Euclidean distance, each cell in its own set), and edges below `prune`
/// (1/15 there) are left out. `seed` serves [`euclidean_neighbours`].
///
/// # Errors
/// Those of [`euclidean_neighbours`]; [`Error::Argument`] `k` below 2.
pub fn shared_neighbour_edges(
    x: ArrayView2<f32>,
    k: usize,
    prune: f64,
    seed: u64,
) -> Result<WeightedEdges> {
    if k < 2 {
        return Err(Error::argument("k", "`k` must be at least 2"));
    }
    let near = euclidean_neighbours(x, k - 1, seed)?;
    let sets = Sets::new(x.nrows(), k, |cell| near.row(cell));
    let mut edges = WeightedEdges::default();
    for slab in slabs(x.nrows(), 16 * 1024) {
        let found: Vec<Vec<(u32, f64)>> = slab
            .clone()
            .into_par_iter()
            .with_min_len(64)
            .map(|cell| sets.overlaps(cell, prune))
            .collect();
        for (from, row) in slab.zip(found) {
            edges
                .from
                .extend(std::iter::repeat_n(from as u32, row.len()));
            edges.to.extend(row.iter().map(|e| e.0));
            edges.weight.extend(row.iter().map(|e| e.1));
        }
    }
    Ok(edges)
}

/// `k` cells for each cell, and for each cell the sets that it is in, rising.
struct Sets {
    k: usize,
    members: Vec<u32>,
    starts: Vec<usize>,
    holders: Vec<u32>,
}

impl Sets {
    fn new<'a>(n: usize, k: usize, others: impl Fn(usize) -> &'a [u32]) -> Self {
        let mut members = Vec::with_capacity(n * k);
        for cell in 0..n {
            members.push(cell as u32);
            members.extend_from_slice(others(cell));
        }
        let mut starts = vec![0usize; n + 1];
        members.iter().for_each(|&m| starts[m as usize + 1] += 1);
        (0..n).for_each(|i| starts[i + 1] += starts[i]);
        let mut next = starts.clone();
        let mut holders = vec![0u32; members.len()];
        for (cell, set) in members.chunks_exact(k).enumerate() {
            for &member in set {
                holders[next[member as usize]] = cell as u32;
                next[member as usize] += 1;
            }
        }
        Self {
            k,
            members,
            starts,
            holders,
        }
    }

    /// The cells after `cell` whose sets overlap with its own by a Jaccard index of at least `prune`.
    fn overlaps(&self, cell: usize, prune: f64) -> Vec<(u32, f64)> {
        let mut shared: Vec<u32> = Vec::new();
        for &member in &self.members[cell * self.k..(cell + 1) * self.k] {
            let member = member as usize;
            let holders = &self.holders[self.starts[member]..self.starts[member + 1]];
            let after = holders.partition_point(|&holder| holder as usize <= cell);
            shared.extend_from_slice(&holders[after..]);
        }
        shared.sort_unstable();
        let runs = shared.chunk_by(|a, b| a == b);
        let weighted = runs.map(|run| (run[0], run.len() as f64 / (2 * self.k - run.len()) as f64));
        weighted.filter(|edge| edge.1 >= prune).collect()
    }
}
