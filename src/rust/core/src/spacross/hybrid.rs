//! The adaptive hybrid graph: which nodes make up a node's summary (METHODS 3).

use ndarray::ArrayView2;

use super::params::ValidParams;
use crate::cluster::{kmeans, KMeansSettings};
use crate::graph::{inner_product_neighbours, Graph};
use crate::sparse::Csr;
use crate::Result;

/// Pairs (anchor, positive): the anchor's embedding enters the positive's summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    pub anchor: Vec<u32>,
    pub positive: Vec<u32>,
}

/// Rows of length 1; a row without length stays 0.
pub fn normalise_rows(x: &mut [f32], width: usize) {
    for row in x.chunks_exact_mut(width) {
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
        row.iter_mut().for_each(|v| *v /= length);
    }
}

/// The `top_k` nodes of the target most similar to each node of the online embedding, itself first
/// and counted; kept where the pair is a spatial edge, or shares a cluster in at least one run.
///
/// `online` and `target` are N x d with rows of length 1; `clusters` holds a label a node a run
/// (None: every pair is kept).
pub fn select_pairs(
    online: ArrayView2<f32>,
    target: ArrayView2<f32>,
    top_k: usize,
    spatial: &Graph,
    clusters: Option<&[Vec<u32>]>,
    seed: u64,
) -> Result<Pairs> {
    let n = online.nrows();
    let others = (top_k - 1).min(n - 1);
    let mut pairs = Pairs {
        anchor: Vec::with_capacity(n * top_k),
        positive: Vec::with_capacity(n * top_k),
    };
    let near = match others {
        0 => None,
        k => Some(inner_product_neighbours(online, target, k, true, seed)?),
    };
    for node in 0..n as u32 {
        // A node shares every cluster with itself.
        pairs.anchor.push(node);
        pairs.positive.push(node);
        let candidates = near
            .as_ref()
            .map_or(&[][..], |near| near.row(node as usize));
        for &other in candidates {
            let shared = |runs: &[Vec<u32>]| {
                runs.iter()
                    .any(|run| run[node as usize] == run[other as usize])
            };
            let global = || clusters.is_none_or(shared);
            if spatial.contains(node as usize, other) || global() {
                pairs.anchor.push(node);
                pairs.positive.push(other);
            }
        }
    }
    Ok(pairs)
}

/// The labels of the cluster test: k-means of the target embedding, several runs.
pub fn cluster_labels(
    target: ArrayView2<f32>,
    params: &ValidParams,
    seed: u64,
    round: u32,
) -> Result<Vec<Vec<u32>>> {
    let runs = params.params.kmeans_runs as u32;
    (0..runs)
        .map(|run| {
            let settings = KMeansSettings {
                starts: 1,
                seed,
                round: round * runs + run,
                ..KMeansSettings::default()
            };
            Ok(kmeans(target, params.n_domains, &settings)?.labels)
        })
        .collect()
}

/// The matrix that takes embeddings to summaries: row i averages the anchors whose positive is i.
pub fn summary_operator(pairs: &Pairs, n: usize) -> Result<Csr> {
    let mut indptr = vec![0usize; n + 1];
    pairs
        .positive
        .iter()
        .for_each(|&p| indptr[p as usize + 1] += 1);
    for i in 0..n {
        indptr[i + 1] += indptr[i];
    }
    let mut next = indptr.clone();
    let mut indices = vec![0u32; pairs.anchor.len()];
    // Anchors come in rising order, so each row's columns rise.
    for (&anchor, &positive) in pairs.anchor.iter().zip(&pairs.positive) {
        indices[next[positive as usize]] = anchor;
        next[positive as usize] += 1;
    }
    let values = indptr
        .windows(2)
        .flat_map(|w| std::iter::repeat_n(1.0 / (w[1] - w[0]) as f32, w[1] - w[0]))
        .collect();
    Csr::new(n, indptr, indices, values)
}
