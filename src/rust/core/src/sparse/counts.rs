//! Raw counts as R holds them.

use crate::{Error, Result};

/// Borrowed slots of a `dgCMatrix`: genes x cells in compressed columns, which is cells x genes in
/// compressed rows. Nothing is copied.
#[derive(Clone, Copy, Debug)]
pub struct CountsView<'a> {
    indptr: &'a [i32],
    genes: &'a [i32],
    values: &'a [f64],
    n_genes: usize,
}

impl<'a> CountsView<'a> {
    /// `indptr` has one entry more than there are cells; `genes` and `values` one an entry.
    ///
    /// # Errors
    /// Slots that do not form a matrix.
    pub fn new(
        indptr: &'a [i32],
        genes: &'a [i32],
        values: &'a [f64],
        n_genes: usize,
    ) -> Result<Self> {
        let ends = indptr.last().map(|&e| e as usize);
        let rising = indptr.windows(2).all(|w| w[0] <= w[1]);
        if indptr.first() != Some(&0) || !rising || ends != Some(values.len()) {
            return Err(Error::counts("the column pointers of `counts` are damaged"));
        }
        if genes.len() != values.len() || genes.iter().any(|&g| g < 0 || g as usize >= n_genes) {
            return Err(Error::counts("the row indices of `counts` are damaged"));
        }
        Ok(Self {
            indptr,
            genes,
            values,
            n_genes,
        })
    }

    pub fn n_cells(&self) -> usize {
        self.indptr.len() - 1
    }

    pub fn n_genes(&self) -> usize {
        self.n_genes
    }

    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// Genes and counts of one cell.
    #[inline]
    pub fn cell(&self, cell: usize) -> (&'a [i32], &'a [f64]) {
        let range = self.indptr[cell] as usize..self.indptr[cell + 1] as usize;
        (&self.genes[range.clone()], &self.values[range])
    }
}
