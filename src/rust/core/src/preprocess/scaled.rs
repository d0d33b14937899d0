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
}

impl ScaledGenes {
    /// # Errors
    /// Fewer than two cells, which have no standard deviation.
    pub fn new(matrix: Csr) -> Result<Self> {
        if matrix.n_rows() < 2 {
            return Err(Error::counts("`counts` has fewer than two cells"));
        }
        let (mean, sd) = moments(&matrix);
        Ok(Self { matrix, mean, sd })
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
                row[g] = ((f64::from(value) - self.mean[g]) / self.sd[g]) as f32;
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
            .zip(&self.sd)
            .flat_map(|(row, &sd)| row.to_vec().into_iter().map(move |v| v / sd))
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
        self.mean.iter().zip(&self.sd).map(|(mean, sd)| -mean / sd)
    }
}

/// Mean and standard deviation of every column, the latter about the mean.
fn moments(matrix: &Csr) -> (Vec<f64>, Vec<f64>) {
    let n = matrix.n_rows() as f64;
    let columns = matrix.n_cols();
    let mut mean = vec![0f64; columns];
    let mut range = vec![(f32::INFINITY, f32::NEG_INFINITY); columns];
    let mut seen = vec![0usize; columns];
    for (column, value) in entries(matrix) {
        mean[column] += f64::from(value);
        range[column] = (range[column].0.min(value), range[column].1.max(value));
        seen[column] += 1;
    }
    mean.iter_mut().for_each(|m| *m /= n);
    let mut squares = vec![0f64; columns];
    for (column, value) in entries(matrix) {
        squares[column] += (f64::from(value) - mean[column]).powi(2);
    }
    let sd = (0..columns).map(|c| {
        let unseen = n - seen[c] as f64;
        // Exact, where a sum of squares would leave rounding to divide by.
        let (low, high) = range[c];
        let constant =
            (unseen == 0.0 && low == high) || (low >= 0.0 && high <= 0.0) || seen[c] == 0;
        let variance = (squares[c] + unseen * mean[c] * mean[c]) / (n - 1.0);
        if constant {
            1.0
        } else {
            variance.sqrt()
        }
    });
    let sd = sd.collect();
    (mean, sd)
}

fn entries(matrix: &Csr) -> impl Iterator<Item = (usize, f32)> + '_ {
    (0..matrix.n_rows()).flat_map(|row| {
        let (columns, values) = matrix.row(row);
        columns.iter().zip(values).map(|(&c, &v)| (c as usize, v))
    })
}
