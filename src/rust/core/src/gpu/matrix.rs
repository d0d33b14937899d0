//! A sparse matrix on the device.

use candle_core::{bail, Result, Tensor};

use super::kernel::{Spmm, Spmm4, Spmm4Long};
use super::{Buffer, Kernels, List, LongStarts, Read};
use crate::sparse::Csr;

/// Mean entries of a row from which on a block shares a row.
const LONG: usize = 128;

/// [`Csr`] on the device.
#[derive(Clone, Debug)]
pub struct Matrix {
    starts: LongStarts,
    columns: List,
    values: Tensor,
}

/// A row of numbers that is taken off each row of a product: one, or one a slice.
#[derive(Clone, Copy)]
pub struct Offset<'a> {
    /// What is taken off, a row a slice.
    pub rows: &'a Tensor,
    /// The slice of each row of the product; None where there is one.
    pub slices: Option<&'a List>,
}

impl Matrix {
    /// A copy on the device.
    pub fn new(kernels: &Kernels, matrix: &Csr) -> Result<Self> {
        let device = kernels.device();
        let mut values = matrix.values.clone();
        // A device takes no empty arrays.
        values.resize(matrix.nnz().max(1), 0.0);
        let len = values.len();
        Ok(Self {
            starts: LongStarts::new(&matrix.indptr, device)?,
            columns: List::new(&matrix.indices, matrix.n_cols(), device)?,
            values: Tensor::from_vec(values, len, device)?,
        })
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.starts.rows()
    }

    /// Where the entries are: row starts and columns.
    pub fn pattern(&self) -> (&LongStarts, &List) {
        (&self.starts, &self.columns)
    }

    /// `self x` for x of `n_cols` x w.
    pub fn times(&self, kernels: &Kernels, x: &Tensor) -> Result<Buffer> {
        self.times_less(kernels, x, None)
    }

    /// `self x` less a row of numbers.
    pub fn times_less(
        &self,
        kernels: &Kernels,
        x: &Tensor,
        offset: Option<Offset>,
    ) -> Result<Buffer> {
        let (n, width) = x.dims2()?;
        if n != self.columns.bound() {
            bail!("matrices that do not fit");
        }
        let rows = self.n_rows();
        let mut out = kernels.floats((rows, width))?;
        let (starts, columns, values) = (&self.starts, &self.columns, &self.values);
        let slices = offset.and_then(|o| o.slices);
        let offset = offset.map(|o| o.rows as &dyn Read<f32>);
        if !width.is_multiple_of(4) {
            Spmm {
                starts,
                columns,
                values,
                x,
                offset,
                slices,
                out: &mut out,
                rows,
                width,
            }
            .launch(kernels)?;
        } else if offset.is_none() && columns.len() > LONG * rows {
            Spmm4Long {
                starts,
                columns,
                values,
                x,
                out: &mut out,
                quads: width / 4,
            }
            .launch(kernels)?;
        } else {
            Spmm4 {
                starts,
                columns,
                values,
                x,
                offset,
                slices,
                out: &mut out,
                rows,
                quads: width / 4,
            }
            .launch(kernels)?;
        }
        Ok(out)
    }
}
