//! Who is next to whom.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::spatial::{self, Neighbours};
use crate::sparse::Csr;
use crate::{Error, Result};

/// An unweighted graph over `n` cells, in compressed rows: neighbours of cell `i` in rising order, without `i`
/// itself and without repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    pub(crate) indptr: Vec<usize>,
    pub(crate) neighbours: Vec<u32>,
}

impl Graph {
    /// The graph with an edge for each pair `(from, to)`: repeated pairs count once, loops are dropped, directions
    /// are kept (see [`Graph::symmetric_union`]).
    ///
    /// # Errors
    /// [`Error::Internal`] when a pair names a node outside `0..n`.
    pub fn from_edges(n: usize, edges: impl Iterator<Item = (u32, u32)>) -> Result<Self> {
        let edges: Vec<(u32, u32)> = edges.filter(|(from, to)| from != to).collect();
        if edges.iter().any(|&(f, t)| f.max(t) as usize >= n) {
            return Err(Error::Internal(format!("an edge leaves the {n} nodes")));
        }
        Ok(Self::from_pairs(n, &edges))
    }

    /// `pairs` lie within `0..n`; loops may remain.
    fn from_pairs(n: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = vec![0usize; n + 1];
        pairs
            .iter()
            .for_each(|&(from, _)| starts[from as usize + 1] += 1);
        (0..n).for_each(|i| starts[i + 1] += starts[i]);
        let mut next = starts.clone();
        let mut ends = vec![0u32; pairs.len()];
        for &(from, to) in pairs {
            ends[next[from as usize]] = to;
            next[from as usize] += 1;
        }
        let rows = (0..n).map(|i| ends[starts[i]..starts[i + 1]].to_vec());
        Self::from_rows(rows.collect())
    }

    /// One list of neighbours a node, in any order, repetitions allowed, loops dropped.
    pub(crate) fn from_rows(mut rows: Vec<Vec<u32>>) -> Self {
        rows.par_iter_mut().enumerate().for_each(|(node, row)| {
            row.retain(|&to| to as usize != node);
            row.sort_unstable();
            row.dedup();
        });
        let mut indptr = Vec::with_capacity(rows.len() + 1);
        indptr.push(0);
        let mut total = 0;
        for row in &rows {
            total += row.len();
            indptr.push(total);
        }
        Self {
            indptr,
            neighbours: rows.concat(),
        }
    }

    /// From each cell to its neighbours and from these to it: [`Graph::symmetric_union`] of [`Graph::directed`].
    pub fn undirected(near: &Neighbours) -> Self {
        let lists = near.index.chunks_exact(near.k.max(1));
        let mut rows: Vec<Vec<u32>> = lists.clone().map(<[u32]>::to_vec).collect();
        for (from, list) in lists.enumerate() {
            for &to in list {
                rows[to as usize].push(from as u32);
            }
        }
        Self::from_rows(rows)
    }

    /// Edges in both directions wherever there is one in either.
    pub fn symmetric_union(&self) -> Self {
        let n = self.n_nodes();
        let mut rows: Vec<Vec<u32>> = (0..n).map(|i| self.neighbours(i).to_vec()).collect();
        for from in 0..n {
            for &to in self.neighbours(from) {
                rows[to as usize].push(from as u32);
            }
        }
        Self::from_rows(rows)
    }

    /// The `k` nearest cells of each cell in space, made symmetric by union (METHODS 1.2). `coords` is cells x 2 or
    /// cells x 3; ties as in [`super::spatial_knn`].
    ///
    /// ```
    /// use ndarray::array;
    /// use spax_core::graph::Graph;
    ///
    /// let graph = Graph::knn(array![[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]].view(), 1)?;
    /// assert_eq!(graph.neighbours(1), [0, 2]);
    /// # Ok::<(), spax_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`super::spatial_knn`].
    pub fn knn(coords: ArrayView2<f64>, k: usize) -> Result<Self> {
        Ok(Self::undirected(&spatial::spatial_knn(coords, k)?))
    }

    /// From each cell to its neighbours, one way.
    pub fn directed(near: &Neighbours) -> Self {
        let rows = near.index.chunks_exact(near.k.max(1));
        Self::from_rows(rows.map(<[u32]>::to_vec).collect())
    }

    /// All pairs of cells at most `radius` apart (METHODS 1.2), in the units of `coords` (cells x 2 or cells x 3).
    ///
    /// # Errors
    /// [`Error::Coords`] for coordinates that are not finite, all equal or not 2 or 3 wide; [`Error::Argument`]
    /// `radius` when it is not positive and finite or gives more edges than can be handled.
    pub fn radius(coords: ArrayView2<f64>, radius: f64) -> Result<Self> {
        spatial::radius_rows(coords, radius).map(Self::from_rows)
    }

    /// `D^-1/2 (A + I) D^-1/2` (METHODS 1.3) with the degrees `D` of `A + I`.
    pub fn normalised(&self) -> Csr {
        let n = self.n_nodes();
        let scale: Vec<f64> = (0..n)
            .map(|i| 1.0 / ((self.neighbours(i).len() + 1) as f64).sqrt())
            .collect();
        let (indptr, indices) = self.with_loops();
        let mut values = Vec::with_capacity(indices.len());
        for node in 0..n {
            let row = indices[indptr[node]..indptr[node + 1]].iter();
            values.extend(row.map(|&to| (scale[node] * scale[to as usize]) as f32));
        }
        Csr {
            n_cols: n,
            indptr,
            indices,
            values,
        }
    }

    /// The rows of `A + I`.
    fn with_loops(&self) -> (Vec<usize>, Vec<u32>) {
        let mut indptr = vec![0];
        let mut indices = Vec::with_capacity(self.n_edges() + self.n_nodes());
        for node in 0..self.n_nodes() {
            let row = self.neighbours(node);
            let below = row.partition_point(|&to| (to as usize) < node);
            indices.extend_from_slice(&row[..below]);
            indices.push(node as u32);
            indices.extend_from_slice(&row[below..]);
            indptr.push(indices.len());
        }
        (indptr, indices)
    }

    /// The same graph with its nodes renamed: new node `i` is old node `order[i]`.
    ///
    /// # Errors
    /// [`Error::Internal`] when `order` does not hold every node once.
    pub fn permuted(&self, order: &[u32]) -> Result<Self> {
        let rank = inverse(order, self.n_nodes())?;
        let row = |&old: &u32| {
            let ends = self.neighbours(old as usize).iter();
            ends.map(|&to| rank[to as usize]).collect()
        };
        Ok(Self::from_rows(order.par_iter().map(row).collect()))
    }

    /// Whether every edge has its reverse.
    pub fn is_symmetric(&self) -> bool {
        (0..self.n_nodes()).into_par_iter().all(|from| {
            let mut ends = self.neighbours(from).iter();
            ends.all(|&to| self.contains(to as usize, from as u32))
        })
    }

    /// The number of cells.
    pub fn n_nodes(&self) -> usize {
        self.indptr.len() - 1
    }

    /// The number of entries: twice that of undirected edges when the graph is symmetric.
    pub fn n_edges(&self) -> usize {
        self.neighbours.len()
    }

    /// The neighbours of one cell, rising.
    #[inline]
    pub fn neighbours(&self, node: usize) -> &[u32] {
        &self.neighbours[self.indptr[node]..self.indptr[node + 1]]
    }

    /// Whether there is an edge.
    pub fn contains(&self, from: usize, to: u32) -> bool {
        self.neighbours(from).binary_search(&to).is_ok()
    }
}

/// The place of each of `0..n` in `order`.
fn inverse(order: &[u32], n: usize) -> Result<Vec<u32>> {
    let mut rank = vec![u32::MAX; n];
    for (new, &old) in order.iter().enumerate() {
        match rank.get_mut(old as usize) {
            Some(place) if *place == u32::MAX => *place = new as u32,
            _ => return Err(Error::Internal("not an order of the nodes".into())),
        }
    }
    if order.len() != n {
        return Err(Error::Internal("not an order of the nodes".into()));
    }
    Ok(rank)
}
