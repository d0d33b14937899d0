//! A sparse matrix in compressed rows.

use crate::progress::{self, until_cancelled};
use crate::{Error, Result};

/// `n_rows` x `n_cols`, f32 values, columns rising within a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Csr {
    pub(crate) n_cols: usize,
    pub(crate) indptr: Vec<usize>,
    pub(crate) indices: Vec<u32>,
    pub(crate) values: Vec<f32>,
}

impl Csr {
    /// # Errors
    /// Parts that do not form a matrix with rising columns.
    pub fn new(
        n_cols: usize,
        indptr: Vec<usize>,
        indices: Vec<u32>,
        values: Vec<f32>,
    ) -> Result<Self> {
        let rows_fit = indptr.first() == Some(&0)
            && indptr.last() == Some(&indices.len())
            && indptr.windows(2).all(|w| w[0] <= w[1])
            && indices.len() == values.len();
        let columns_fit = rows_fit
            && indptr.windows(2).all(|w| {
                let row = &indices[w[0]..w[1]];
                row.windows(2).all(|c| c[0] < c[1])
                    && row.last().is_none_or(|&c| (c as usize) < n_cols)
            });
        if !columns_fit {
            return Err(Error::Internal("not a sparse matrix".into()));
        }
        Ok(Self {
            n_cols,
            indptr,
            indices,
            values,
        })
    }

    /// From the columns and values of every row.
    ///
    /// # Errors
    /// Columns of a row that do not rise or are not there.
    pub fn from_rows(n_cols: usize, rows: Vec<Vec<(u32, f32)>>) -> Result<Self> {
        let mut indptr = vec![0usize];
        indptr.extend(rows.iter().scan(0, |end, row| {
            *end += row.len();
            Some(*end)
        }));
        let (indices, values) = until_cancelled(rows).flatten().unzip();
        progress::check()?;
        Self::new(n_cols, indptr, indices, values)
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of columns.
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// Number of entries.
    pub fn nnz(&self) -> usize {
        self.indices.len()
    }

    /// Columns and values of one row.
    #[inline]
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.indptr[row]..self.indptr[row + 1];
        (&self.indices[range.clone()], &self.values[range])
    }

    /// The values of one row, to change.
    pub(crate) fn row_values_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[self.indptr[row]..self.indptr[row + 1]]
    }

    /// Row i of the result is row `order[i]`.
    pub fn permuted_rows(&self, order: &[u32]) -> Self {
        let mut indptr = Vec::with_capacity(order.len() + 1);
        indptr.push(0);
        let mut indices = Vec::with_capacity(self.nnz());
        let mut values = Vec::with_capacity(self.nnz());
        for &row in order {
            let (columns, entries) = self.row(row as usize);
            indices.extend_from_slice(columns);
            values.extend_from_slice(entries);
            indptr.push(indices.len());
        }
        Self {
            n_cols: self.n_cols,
            indptr,
            indices,
            values,
        }
    }

    /// The transpose, by counting: linear in the entries. Not all of it when the work is cancelled.
    pub fn transpose(&self) -> Self {
        let mut indptr = vec![0usize; self.n_cols + 1];
        self.indices
            .iter()
            .for_each(|&c| indptr[c as usize + 1] += 1);
        for c in 0..self.n_cols {
            indptr[c + 1] += indptr[c];
        }
        let mut next = indptr.clone();
        let mut indices = vec![0u32; self.nnz()];
        let mut values = vec![0f32; self.nnz()];
        for row in until_cancelled(0..self.n_rows()) {
            let (columns, entries) = self.row(row);
            for (&c, &v) in columns.iter().zip(entries) {
                let place = &mut next[c as usize];
                indices[*place] = row as u32;
                values[*place] = v;
                *place += 1;
            }
        }
        Self {
            n_cols: self.n_rows(),
            indptr,
            indices,
            values,
        }
    }
}
