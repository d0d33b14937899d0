//! Which nodes make up a node's summary.

use ndarray::{ArrayView2, Axis};

use crate::graph::{inner_product_neighbours, Graph};
use crate::slices::Slices;
use crate::sparse::Csr;
use crate::Result;

/// Pairs (anchor, positive): the anchor's embedding enters the positive's summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    /// Nodes.
    pub anchor: Vec<u32>,
    /// A similar node of each.
    pub positive: Vec<u32>,
}

impl Pairs {
    fn with_capacity(n: usize) -> Self {
        Self {
            anchor: Vec::with_capacity(n),
            positive: Vec::with_capacity(n),
        }
    }

    fn push(&mut self, anchor: u32, positive: u32) {
        self.anchor.push(anchor);
        self.positive.push(positive);
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
    let mut pairs = Pairs::with_capacity(n * top_k);
    let near = match others {
        0 => None,
        k => Some(inner_product_neighbours(online, target, k, true, seed)?),
    };
    let test = Test { spatial, clusters };
    for node in 0..n as u32 {
        // A node shares every cluster with itself.
        pairs.push(node, node);
        let candidates = near
            .as_ref()
            .map_or(&[][..], |near| near.row(node as usize));
        let kept = candidates.iter().filter(|&&other| test.keeps(node, other));
        kept.for_each(|&other| pairs.push(node, other));
    }
    Ok(pairs)
}

/// How many most similar nodes become candidates where there are several slices.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Others of the own slice.
    pub within: usize,
    /// Nodes of all other slices together.
    pub across: usize,
}

/// Several slices: the most similar nodes of the own slice and of the others, where each of a pair is
/// among the other's (and no node with itself); kept as in [`select_pairs`].
///
/// `embedding` is N x d with rows of length 1.
pub fn select_pairs_across(
    embedding: ArrayView2<f32>,
    slices: &Slices,
    reach: Reach,
    spatial: &Graph,
    clusters: Option<&[Vec<u32>]>,
    seed: u64,
) -> Result<Pairs> {
    let near = similar_nodes(embedding, slices, reach, seed)?;
    let test = Test { spatial, clusters };
    let mut pairs = Pairs::with_capacity(near.n_edges() / 2);
    for node in 0..near.n_nodes() as u32 {
        let mutual = near.neighbours(node as usize).iter().copied();
        let mutual = mutual.filter(|&other| near.contains(other as usize, node));
        let kept = mutual.filter(|&other| test.keeps(node, other));
        kept.for_each(|other| pairs.push(node, other));
    }
    Ok(pairs)
}

/// From each node to the most similar ones of its own slice and of the others.
fn similar_nodes(
    embedding: ArrayView2<f32>,
    slices: &Slices,
    reach: Reach,
    seed: u64,
) -> Result<Graph> {
    let mut rows = vec![Vec::new(); slices.n_cells()];
    let places = |cells: &[u32]| cells.iter().map(|&c| c as usize).collect::<Vec<_>>();
    for (slice, own) in slices.cells().iter().enumerate() {
        let queries = embedding.select(Axis(0), &places(own));
        let mut find = |cells: &[u32], k: usize, itself: bool| -> Result<()> {
            if k == 0 {
                return Ok(());
            }
            let items = embedding.select(Axis(0), &places(cells));
            let near = inner_product_neighbours(queries.view(), items.view(), k, itself, seed)?;
            for (i, &node) in own.iter().enumerate() {
                let found = near.row(i).iter().map(|&j| cells[j as usize]);
                rows[node as usize].extend(found);
            }
            Ok(())
        };
        find(own, reach.within.min(own.len() - 1), true)?;
        let elsewhere = |&cell: &u32| slices.of(cell as usize) != slice;
        let others: Vec<u32> = (0..slices.n_cells() as u32).filter(elsewhere).collect();
        find(&others, reach.across.min(others.len()), false)?;
    }
    Ok(Graph::from_rows(rows))
}

/// Whether two similar nodes are a pair: neighbours in space, or together in a cluster of one run.
struct Test<'a> {
    spatial: &'a Graph,
    clusters: Option<&'a [Vec<u32>]>,
}

impl Test<'_> {
    fn keeps(&self, node: u32, other: u32) -> bool {
        let together = |run: &Vec<u32>| run[node as usize] == run[other as usize];
        self.spatial.contains(node as usize, other)
            || self.clusters.is_none_or(|runs| runs.iter().any(together))
    }
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
