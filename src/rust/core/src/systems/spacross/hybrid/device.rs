//! On a device: most similar nodes by exact blocked search, the cluster test, k-means.
//!
//! On the device every node is scored against every other, a tile at a time, so nothing N x N is held and nothing is
//! approximate: a million nodes take 5e11 products of width 16, about a second on an H100. What is left to the host is
//! to turn the kept candidates into sparse rows, once every 50 epochs.

use candle_core::{Result, Tensor};
use ndarray::Array2;

use super::Basis;
use crate::cluster::{kmeans_on, KMeansSettings};
use crate::gpu::kernel::{KeepPairs, TopK, UnitRows, KEEP, WIDE};
use crate::gpu::{Buffer, Kernels, List, Matrix};
use crate::nn::propagate::Operator;
use crate::nn::view::to_host;
use crate::sparse::Csr;
use crate::systems::spacross::model::Encoder;

/// Whether the kernel can hold so many columns and neighbours.
pub fn fits(columns: usize, top_k: usize) -> bool {
    columns <= WIDE && top_k <= KEEP
}

/// The summaries' operator of one slice.
pub fn summaries(basis: &Basis, kernels: &Kernels) -> crate::Result<Operator> {
    let embed = |encoder: &Encoder| -> crate::Result<Tensor> {
        let embedding = encoder.embed(basis.input, basis.propagation)?;
        Ok(unit_rows(kernels, &embedding)?)
    };
    let (online, target) = (embed(&basis.model.online)?, embed(&basis.model.target)?);
    let clusters = clusters(basis, kernels, &target)?;
    let (both, top_k) = ([&online, &target], basis.params.params.top_k);
    let spatial = basis.propagation.on_device()?;
    Ok(average(kernels, both, top_k, spatial, clusters.as_deref())?)
}

/// What the cluster test looks at, if it is applied.
fn clusters(basis: &Basis, kernels: &Kernels, x: &Tensor) -> crate::Result<Option<Vec<Vec<u32>>>> {
    if !basis.params.params.cluster_test {
        return Ok(None);
    }
    let rows = Array2::from_shape_vec(x.dims2()?, to_host(x)?)
        .map_err(|e| crate::Error::Internal(e.to_string()))?;
    let k = basis.params.n_domains;
    let kmeans = |s: &KMeansSettings| Ok(kmeans_on(kernels, rows.view(), k, s)?.labels);
    basis.cluster_labels(kmeans).map(Some)
}

/// Rows of length 1.
fn unit_rows(kernels: &Kernels, x: &Tensor) -> Result<Tensor> {
    let (n, d) = x.dims2()?;
    let mut out = kernels.floats((n, d))?;
    UnitRows {
        x,
        out: &mut out,
        n,
        d,
    }
    .launch(kernels)?;
    Ok(out.into_tensor())
}

/// For each row of `queries` the `k` rows of `items` with the largest inner products, best first, ties by lower index,
/// but not the row of its own number: scores and indices, n x k.
pub fn most_similar(
    kernels: &Kernels,
    queries: &Tensor,
    items: &Tensor,
    k: usize,
) -> Result<(Tensor, List)> {
    let ((n, d), (n_items, _)) = (queries.dims2()?, items.dims2()?);
    let (mut scores, mut ids) = (kernels.floats((n, k))?, kernels.indices((n, k))?);
    TopK {
        queries,
        items,
        scores: &mut scores,
        ids: &mut ids,
        n,
        n_items,
        d,
        k,
        others: 1,
    }
    .launch(kernels)?;
    // SAFETY: the kernel writes k numbers of items for each of n rows.
    let ids = unsafe { List::of(ids, n_items)? };
    Ok((scores.into_tensor(), ids))
}

/// The summaries' operator: each node averages the anchors to whose candidates it belongs, itself among them. The
/// candidates are those of [`super::select_pairs`].
fn average(
    kernels: &Kernels,
    [online, target]: [&Tensor; 2],
    top_k: usize,
    spatial: &Matrix,
    clusters: Option<&[Vec<u32>]>,
) -> Result<Operator> {
    let n = online.dim(0)?;
    let k = (top_k - 1).min(n - 1);
    let (candidates, kept) = match k {
        0 => (vec![], vec![]),
        _ => {
            let (_, ids) = most_similar(kernels, online, target, k)?;
            let keep = keep(kernels, &ids, k, spatial, clusters)?.into_tensor();
            (ids.to_vec()?, keep.flatten_all()?.to_vec1()?)
        }
    };
    operator(n, k, &candidates, &kept)?.on(kernels.device())
}

/// A 1 for each candidate that is a neighbour in space or shares a cluster.
fn keep(
    kernels: &Kernels,
    ids: &List,
    k: usize,
    spatial: &Matrix,
    clusters: Option<&[Vec<u32>]>,
) -> Result<Buffer<u32>> {
    let n = spatial.n_rows();
    let runs = clusters.map_or(0, <[Vec<u32>]>::len);
    let labels = clusters.map_or_else(|| vec![0], <[Vec<u32>]>::concat);
    let len = labels.len();
    let labels = Tensor::from_vec(labels, len, kernels.device())?;
    let mut out = kernels.indices((n, k))?;
    let (starts, neighbours) = spatial.pattern();
    KeepPairs {
        candidates: ids,
        starts,
        neighbours,
        labels: &labels,
        keep: &mut out,
        n,
        k,
        runs,
    }
    .launch(kernels)?;
    Ok(out)
}

/// From n x k candidates and which are kept, both the operator and its transpose.
fn operator(n: usize, k: usize, candidates: &[u32], kept: &[u32]) -> Result<Operator> {
    let (anchors, columns) = by_anchor(n, k, candidates, kept);
    let mut counts = vec![0u32; n];
    columns.iter().for_each(|&c| counts[c as usize] += 1);
    let share = |&positive: &u32| 1.0 / counts[positive as usize] as f32;
    let values = columns.iter().map(share).collect();
    let wrap = |e: crate::Error| candle_core::Error::Msg(e.to_string());
    // Rows by anchor, a column and its share for each positive: the transpose of what averages.
    let transpose = Csr::new(n, anchors, columns, values).map_err(wrap)?;
    Ok(Operator::from_both(transpose.transpose(), transpose))
}

/// The kept candidates of each node, rising, with the node itself.
fn by_anchor(n: usize, k: usize, candidates: &[u32], kept: &[u32]) -> (Vec<usize>, Vec<u32>) {
    let mut starts = Vec::with_capacity(n + 1);
    let mut columns = Vec::with_capacity(n * (k + 1));
    starts.push(0);
    for node in 0..n {
        let first = columns.len();
        columns.push(node as u32);
        for e in node * k..(node + 1) * k {
            if kept[e] != 0 {
                columns.push(candidates[e]);
            }
        }
        columns[first..].sort_unstable();
        starts.push(columns.len());
    }
    (starts, columns)
}
