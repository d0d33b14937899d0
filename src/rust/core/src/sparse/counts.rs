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
    /// The cells of the view; None: all.
    cells: Option<&'a [u32]>,
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
            cells: None,
        })
    }

    /// Some cells of the whole matrix, as if there were no others.
    ///
    /// # Errors
    /// Cells that are not there.
    pub fn of(&self, cells: &'a [u32]) -> Result<Self> {
        let n = self.indptr.len() - 1;
        if cells.iter().any(|&cell| cell as usize >= n) {
            return Err(Error::Internal(format!("not all among {n} cells")));
        }
        Ok(Self {
            cells: Some(cells),
            ..*self
        })
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.cells.map_or(self.indptr.len() - 1, <[u32]>::len)
    }

    /// Number of genes.
    pub fn n_genes(&self) -> usize {
        self.n_genes
    }

    /// All values of the matrix, also those of cells outside the view.
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// Genes and counts of one cell.
    #[inline]
    pub fn cell(&self, cell: usize) -> (&'a [i32], &'a [f64]) {
        let cell = self.cells.map_or(cell, |cells| cells[cell] as usize);
        let range = self.indptr[cell] as usize..self.indptr[cell + 1] as usize;
        (&self.genes[range.clone()], &self.values[range])
    }
}
