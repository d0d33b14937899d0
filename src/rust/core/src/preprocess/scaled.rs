//! z-scored genes that are never written out.
//!
//! (L - 1 mu') D^-1, with L sparse, mu the means and D the standard deviations: centring would fill
//! every zero, so products are taken as L (D^-1 W) - 1 (mu' D^-1 W) instead (METHODS 1.1).

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::sparse::Csr;
use crate::{Error, Result};

/// Cells that one task writes.
const CHUNK: usize = 64;

/// Cells x genes, each gene with mean 0 and standard deviation 1 over the cells (ddof 1).
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledGenes {
    /// Cells x genes before scaling.
    pub matrix: Csr,
    /// Mean of every gene.
    pub mean: Vec<f64>,
    /// Standard deviation of every gene; 1 where it does not vary, so that it scales to zeros.
    pub sd: Vec<f64>,
    /// 1 / sd, and 0 for a gene that does not vary: then its rounding cannot pass for variation.
    pub(crate) scale: Vec<f64>,
}

impl ScaledGenes {
    /// # Errors
    /// Fewer than two cells, which have no standard deviation.
    pub fn new(matrix: Csr) -> Result<Self> {
        if matrix.n_rows() < 2 {
            return Err(Error::counts("`counts` has fewer than two cells"));
        }
        let mean = means(&matrix);
        let sd = deviations(&matrix, &mean);
        let scale = sd.iter().map(|sd| sd.map_or(0.0, f64::recip)).collect();
        let sd = sd.into_iter().map(|sd| sd.unwrap_or(1.0)).collect();
        Ok(Self {
            matrix,
            mean,
            sd,
            scale,
        })
    }

    /// # Errors
    /// Every gene has one value in all cells.
    pub fn check_variation(&self) -> Result<()> {
        if self.scale.iter().any(|&scale| scale > 0.0) {
            return Ok(());
        }
        Err(Error::counts(
            "no gene of `counts` varies between cells: nothing tells the cells apart",
        ))
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.matrix.n_rows()
    }

    /// Number of genes.
    pub fn n_genes(&self) -> usize {
        self.matrix.n_cols()
    }

    /// The dense array, cells x genes. For panels of few genes.
    pub fn to_dense(&self) -> Array2<f32> {
        let zero: Vec<f32> = self.scaled_zeros().map(|z| z as f32).collect();
        let mut dense = Array2::zeros((self.n_cells(), self.n_genes()));
        for (cell, mut row) in dense.rows_mut().into_iter().enumerate() {
            row.iter_mut().zip(&zero).for_each(|(d, z)| *d = *z);
            let (genes, values) = self.matrix.row(cell);
            for (&gene, &value) in genes.iter().zip(values) {
                let g = gene as usize;
                row[g] = ((f64::from(value) - self.mean[g]) * self.scale[g]) as f32;
            }
        }
        dense
    }

    /// The product with `w` (genes x width): cells x width, summed in f64.
    ///
    /// # Errors
    /// `w` with another number of rows than there are genes.
    pub fn matmul(&self, w: &Array2<f32>) -> Result<Array2<f32>> {
        self.project(w.mapv(f64::from).view())
    }

    pub(super) fn project(&self, w: ArrayView2<f64>) -> Result<Array2<f32>> {
        if w.nrows() != self.n_genes() {
            return Err(Error::Internal(format!(
                "{} weights for {} genes",
                w.nrows(),
                self.n_genes()
            )));
        }
        let (n, width) = (self.n_cells(), w.ncols());
        let weights: Vec<f64> = w
            .rows()
            .into_iter()
            .zip(&self.scale)
            .flat_map(|(row, &scale)| row.to_vec().into_iter().map(move |v| v * scale))
            .collect();
        let offset = self.offset(&weights, width);
        let mut product = vec![0f32; n * width];
        product
            .par_chunks_mut((CHUNK * width).max(1))
            .enumerate()
            .for_each(|(chunk, rows)| self.fill(chunk * CHUNK, rows, &weights, &offset));
        Array2::from_shape_vec((n, width), product).map_err(|e| Error::Internal(e.to_string()))
    }

    /// mu' D^-1 W, from D^-1 W.
    fn offset(&self, weights: &[f64], width: usize) -> Vec<f64> {
        let mut offset = vec![0f64; width];
        for (row, mean) in weights.chunks_exact(width.max(1)).zip(&self.mean) {
            offset.iter_mut().zip(row).for_each(|(o, w)| *o += mean * w);
        }
        offset
    }

    fn fill(&self, first: usize, rows: &mut [f32], weights: &[f64], offset: &[f64]) {
        let width = offset.len();
        let mut sum = vec![0f64; width];
        for (i, out) in rows.chunks_exact_mut(width).enumerate() {
            sum.iter_mut().zip(offset).for_each(|(s, o)| *s = -o);
            let (genes, values) = self.matrix.row(first + i);
            for (&gene, &value) in genes.iter().zip(values) {
                let value = f64::from(value);
                let row = &weights[gene as usize * width..][..width];
                sum.iter_mut().zip(row).for_each(|(s, w)| *s += value * w);
            }
            out.iter_mut().zip(&sum).for_each(|(o, s)| *o = *s as f32);
        }
    }

    /// What a zero of each gene becomes.
    fn scaled_zeros(&self) -> impl Iterator<Item = f64> + '_ {
        let pairs = self.mean.iter().zip(&self.scale);
        pairs.map(|(mean, scale)| -mean * scale)
    }
}

fn means(matrix: &Csr) -> Vec<f64> {
    let mut mean = vec![0f64; matrix.n_cols()];
    for (column, value) in entries(matrix) {
        mean[column] += f64::from(value);
    }
    let n = matrix.n_rows() as f64;
    mean.iter_mut().for_each(|m| *m /= n);
    mean
}

/// What one column holds.
#[derive(Clone)]
struct Column {
    low: f32,
    high: f32,
    seen: usize,
    squares: f64,
}

/// Standard deviation about the mean of every column; none where all values are the same.
fn deviations(matrix: &Csr, mean: &[f64]) -> Vec<Option<f64>> {
    let unseen = Column {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
        seen: 0,
        squares: 0.0,
    };
    let mut columns = vec![unseen; matrix.n_cols()];
    for (c, value) in entries(matrix) {
        let column = &mut columns[c];
        column.low = column.low.min(value);
        column.high = column.high.max(value);
        column.seen += 1;
        column.squares += (f64::from(value) - mean[c]).powi(2);
    }
    let n = matrix.n_rows();
    let deviation = |(column, mean): (&Column, &f64)| {
        let zeros = n - column.seen;
        let same = column.low == column.high && (zeros == 0 || column.high == 0.0);
        let squares = column.squares + zeros as f64 * mean * mean;
        let varies = column.seen > 0 && !same;
        varies.then(|| (squares / (n as f64 - 1.0)).sqrt())
    };
    columns.iter().zip(mean).map(deviation).collect()
}

fn entries(matrix: &Csr) -> impl Iterator<Item = (usize, f32)> + '_ {
    (0..matrix.n_rows()).flat_map(|row| {
        let (columns, values) = matrix.row(row);
        columns.iter().zip(values).map(|(&c, &v)| (c as usize, v))
    })
}
