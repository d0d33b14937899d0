//! A sparse matrix on the device.

use candle_core::{bail, Result, Tensor};

use super::{Buffer, Kernels, Launch};
use crate::sparse::Csr;

/// Mean entries of a row from which on a block shares a row.
const LONG: usize = 128;
const BLOCK: usize = 256;

/// [`Csr`] on the device.
#[derive(Clone, Debug)]
pub struct Matrix {
    starts: Tensor,
    columns: Tensor,
    values: Tensor,
    n_rows: usize,
    n_cols: usize,
    entries: usize,
}

/// A row of numbers that is taken off each row of a product: one, or one a slice.
#[derive(Clone, Copy)]
pub struct Offset<'a> {
    pub rows: &'a Tensor,
    /// The slice of each row of the product; None where there is one.
    pub slices: Option<&'a Tensor>,
}

impl Matrix {
    pub fn new(kernels: &Kernels, matrix: &Csr) -> Result<Self> {
        let device = kernels.device();
        let starts: Vec<i64> = matrix.indptr.iter().map(|&i| i as i64).collect();
        let entries = matrix.nnz();
        // A device takes no empty arrays.
        let padded = entries.max(1);
        let mut columns = matrix.indices.clone();
        let mut values = matrix.values.clone();
        columns.resize(padded, 0);
        values.resize(padded, 0.0);
        Ok(Self {
            starts: Tensor::from_vec(starts, matrix.n_rows() + 1, device)?,
            columns: Tensor::from_vec(columns, padded, device)?,
            values: Tensor::from_vec(values, padded, device)?,
            n_rows: matrix.n_rows(),
            n_cols: matrix.n_cols(),
            entries,
        })
    }

    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Adds where the entries are (row starts and columns) to the arguments of a kernel.
    pub fn pattern<'a>(&self, launch: Launch<'a>) -> Launch<'a> {
        launch.tensor(&self.starts).tensor(&self.columns)
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
        if n != self.n_cols {
            bail!("matrices that do not fit");
        }
        let out = kernels.floats((self.n_rows, width))?;
        let fours = width.is_multiple_of(4);
        let long = fours && offset.is_none() && self.entries > LONG * self.n_rows;
        let name = match (long, fours) {
            (true, _) => "spmm4_long",
            (_, true) => "spmm4",
            _ => "spmm",
        };
        let launch = kernels
            .launch(name)
            .tensor(&self.starts)
            .tensor(&self.columns)
            .tensor(&self.values)
            .tensor(x);
        if long {
            let x = (width / 4).min(BLOCK);
            let launch = launch.output(&out).u32(width / 4);
            launch.tiles(self.n_rows, x, BLOCK / x)?;
            return Ok(out);
        }
        let columns = if fours { width / 4 } else { width };
        launch
            .optional(offset.map(|o| o.rows))
            .optional(offset.and_then(|o| o.slices))
            .output(&out)
            .u64(self.n_rows)
            .u32(columns)
            .over_rows(self.n_rows, columns)?;
        Ok(out)
    }
}
