//! Who is next to whom.

/// An unweighted graph over `n` cells, in compressed rows: neighbours of cell `i` in rising order, without `i`
/// itself and without repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    pub(crate) indptr: Vec<usize>,
    pub(crate) neighbours: Vec<u32>,
}

impl Graph {
    pub fn n_nodes(&self) -> usize {
        self.indptr.len() - 1
    }

    pub fn n_edges(&self) -> usize {
        self.neighbours.len()
    }

    #[inline]
    pub fn neighbours(&self, node: usize) -> &[u32] {
        &self.neighbours[self.indptr[node]..self.indptr[node + 1]]
    }

    pub fn contains(&self, from: usize, to: u32) -> bool {
        self.neighbours(from).binary_search(&to).is_ok()
    }
}
