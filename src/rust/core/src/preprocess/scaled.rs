//! z-scored genes that are never written out.
//!
//! (L - S mu) D^-1, with L sparse, S the slice of each cell (all ones for one slice), mu a row of means a slice and D
//! the standard deviations: centring would fill every zero, so products are taken as L (D^-1 W) - S (mu D^-1 W) instead
//! (METHODS 1.1).

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::progress::{self, until_cancelled};
use crate::slices::Slices;
use crate::sparse::Csr;
use crate::{Error, Result};

/// Where the genes' means and standard deviations are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Centre {
    /// Over all cells.
    #[serde(rename = "none")]
    All,
    /// A mean within each slice, one standard deviation about them.
    #[serde(rename = "mean")]
    Means,
    /// Mean and standard deviation within each slice.
    #[serde(rename = "scale")]
    MeansAndSpread,
}

/// Cells that one task writes.
const CHUNK: usize = 64;

/// Cells x genes, each gene with mean 0 and standard deviation 1 over the cells (ddof 1).
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledGenes {
    /// Cells x genes before scaling.
    pub matrix: Csr,
    /// The cells that share their means: one slice for all, or several.
    pub slices: Slices,
    /// Mean of every gene, a row a slice.
    pub mean: Vec<f64>,
    /// Standard deviation of every gene; 1 where it does not vary, so that it scales to zeros.
    pub sd: Vec<f64>,
    /// 1 / sd, and 0 for a gene that does not vary: then its rounding cannot pass for variation.
    pub(crate) scale: Vec<f64>,
    /// What every gene was multiplied by in each slice before all this, a row a slice; empty where it was not.
    pub(crate) evened: Vec<f32>,
}

impl ScaledGenes {
    /// # Errors
    /// Fewer than two cells, which have no standard deviation.
    pub fn new(matrix: Csr) -> Result<Self> {
        let slices = Slices::one(matrix.n_rows());
        Self::about(matrix, slices)
    }

    /// Scaled as `centre` says.
    ///
    /// # Errors
    /// Fewer than two cells (or in a slice that is scaled by itself), which have no standard deviation.
    pub fn centred(mut matrix: Csr, slices: &Slices, centre: Centre) -> Result<Self> {
        let evened = match (centre, slices.n_slices()) {
            // One slice is all cells.
            (Centre::All, _) | (Centre::MeansAndSpread, 1) => return Self::new(matrix),
            (Centre::Means, _) => Vec::new(),
            (Centre::MeansAndSpread, _) => even_out(&mut matrix, slices)?,
        };
        Ok(Self {
            evened,
            ..Self::about(matrix, slices.clone())?
        })
    }

    /// Every gene about its mean in each of `slices`, with one standard deviation.
    fn about(matrix: Csr, slices: Slices) -> Result<Self> {
        if matrix.n_rows() < 2 {
            return Err(too_few());
        }
        let mean = means(&matrix, &slices);
        let sd = deviations(&matrix, &slices, &mean);
        progress::check()?;
        let scale = sd.iter().map(|sd| sd.map_or(0.0, f64::recip)).collect();
        let sd = sd.into_iter().map(|sd| sd.unwrap_or(1.0)).collect();
        Ok(Self {
            matrix,
            slices,
            mean,
            sd,
            scale,
            evened: Vec::new(),
        })
    }

    /// Neither centred nor scaled: components of these are singular vectors.
    pub(super) fn as_they_are(matrix: Csr) -> Self {
        let genes = matrix.n_cols();
        Self {
            slices: Slices::one(matrix.n_rows()),
            matrix,
            mean: vec![0.0; genes],
            sd: vec![1.0; genes],
            scale: vec![1.0; genes],
            evened: Vec::new(),
        }
    }

    /// Each gene about its mean over all cells, in its own units: components of these are those of the genes'
    /// covariance.
    pub fn unscaled(matrix: Csr) -> Self {
        let mean = means(&matrix, &Slices::one(matrix.n_rows()));
        Self {
            mean,
            ..Self::as_they_are(matrix)
        }
    }

    /// The `n` genes (all, if there are fewer) whose values have the largest variance before scaling, most first; ties
    /// in the order of the genes.
    pub fn most_variable(&self, n: usize) -> Vec<u32> {
        // 1 / sd, and 0 for a gene that does not vary.
        let spread = |gene: u32| match self.scale[gene as usize] {
            scale if scale > 0.0 => scale.recip(),
            _ => 0.0,
        };
        let mut order: Vec<u32> = (0..self.n_genes() as u32).collect();
        order.sort_by(|&a, &b| spread(b).total_cmp(&spread(a)));
        order.truncate(n);
        order
    }

    /// The means of one slice.
    pub fn means_of(&self, slice: usize) -> &[f64] {
        &self.mean[slice * self.n_genes()..][..self.n_genes()]
    }

    /// Mean of every gene over all cells, before scaling.
    pub fn column_means(&self) -> Vec<f64> {
        means(&self.matrix, &Slices::one(self.n_cells()))
    }

    /// Mean of every gene over all cells after scaling, in f32 as the published code takes it: rounding, and nothing
    /// else.
    pub fn mean_scores(&self) -> Vec<f64> {
        let mut sums = vec![0f32; self.n_genes()];
        for cell in until_cancelled(0..self.n_cells()) {
            let mean = self.means_at(cell);
            let (genes, values) = self.matrix.row(cell);
            let mut entries = genes.iter().zip(values).peekable();
            for (g, sum) in sums.iter_mut().enumerate() {
                let own = entries.next_if(|(&gene, _)| gene as usize == g);
                let value = own.map_or(0.0, |(_, &value)| f64::from(value));
                *sum += ((value - mean[g]) * self.scale[g]) as f32;
            }
        }
        sums.into_iter().map(f64::from).collect()
    }

    /// The means that hold for one cell.
    fn means_at(&self, cell: usize) -> &[f64] {
        self.means_of(self.slices.of(cell))
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
        let mut dense = Array2::zeros((self.n_cells(), self.n_genes()));
        let z = |value: f64, mean: &[f64], g: usize| ((value - mean[g]) * self.scale[g]) as f32;
        for (cell, mut row) in until_cancelled(dense.rows_mut()).enumerate() {
            let mean = self.means_at(cell);
            row.indexed_iter_mut()
                .for_each(|(g, d)| *d = z(0.0, mean, g));
            let (genes, values) = self.matrix.row(cell);
            for (&gene, &value) in genes.iter().zip(values) {
                row[gene as usize] = z(f64::from(value), mean, gene as usize);
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
        let ticket = progress::current();
        product
            .par_chunks_mut((CHUNK * width).max(1))
            .enumerate()
            .for_each(|(chunk, rows)| {
                ticket.part(|| self.fill(chunk * CHUNK, rows, &weights, &offset));
            });
        ticket.check()?;
        Array2::from_shape_vec((n, width), product).map_err(|e| Error::Internal(e.to_string()))
    }

    /// Z' u (genes x columns) for u of cells x columns, L' given.
    pub(super) fn project_back(&self, transpose: &Csr, u: ArrayView2<f32>) -> Array2<f64> {
        let (p, width) = (self.n_genes(), u.ncols());
        let values: Vec<f32> = u.iter().copied().collect();
        let product = transpose.times_dense(&values, width);
        let mut sums = Array2::<f64>::zeros((self.slices.n_slices(), width));
        for (cell, row) in u.rows().into_iter().enumerate() {
            let mut sum = sums.row_mut(self.slices.of(cell));
            sum.zip_mut_with(&row, |sum, &u| *sum += f64::from(u));
        }
        Array2::from_shape_fn((p, width), |(gene, j)| {
            let slices = sums.column(j).into_iter().enumerate();
            let centre: f64 = slices.map(|(s, sum)| self.means_of(s)[gene] * sum).sum();
            (f64::from(product[gene * width + j]) - centre) * self.scale[gene]
        })
    }

    /// mu D^-1 W, a row a slice, from D^-1 W.
    fn offset(&self, weights: &[f64], width: usize) -> Vec<f64> {
        let mut offset = vec![0f64; width * self.slices.n_slices()];
        for (slice, offset) in offset.chunks_exact_mut(width.max(1)).enumerate() {
            let means = self.means_of(slice);
            for (row, mean) in weights.chunks_exact(width.max(1)).zip(means) {
                offset.iter_mut().zip(row).for_each(|(o, w)| *o += mean * w);
            }
        }
        offset
    }

    fn fill(&self, first: usize, rows: &mut [f32], weights: &[f64], offset: &[f64]) {
        let width = offset.len() / self.slices.n_slices();
        let mut sum = vec![0f64; width];
        for (i, out) in rows.chunks_exact_mut(width).enumerate() {
            let offset = &offset[self.slices.of(first + i) * width..][..width];
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
}

fn too_few() -> Error {
    Error::counts("`counts` has fewer than two cells")
}

/// Divides every gene by its standard deviation within each slice; the factors, a row a slice.
fn even_out(matrix: &mut Csr, slices: &Slices) -> Result<Vec<f32>> {
    if slices.sizes().contains(&1) {
        return Err(too_few());
    }
    let p = matrix.n_cols();
    let mean = means(matrix, slices);
    let columns = columns(matrix, slices, &mean);
    let factors: Vec<f32> = slices
        .sizes()
        .iter()
        .enumerate()
        .flat_map(|(slice, &n)| (slice * p..(slice + 1) * p).map(move |c| (c, n)))
        .map(|(c, n)| match columns[c].squares(n, mean[c]) {
            Some(squares) => ((n as f64 - 1.0) / squares).sqrt() as f32,
            None => 0.0,
        })
        .collect();
    for row in 0..matrix.n_rows() {
        let scale = &factors[slices.of(row) * p..][..p];
        let range = matrix.indptr[row]..matrix.indptr[row + 1];
        let places = &matrix.indices[range.clone()];
        for (value, &c) in matrix.values[range].iter_mut().zip(places) {
            *value *= scale[c as usize];
        }
    }
    Ok(factors)
}

/// The mean of every column in every slice.
fn means(matrix: &Csr, slices: &Slices) -> Vec<f64> {
    let p = matrix.n_cols();
    let mut mean = vec![0f64; slices.n_slices() * p];
    for (row, column, value) in entries(matrix) {
        mean[slices.of(row) * p + column] += f64::from(value);
    }
    for (mean, n) in mean.chunks_exact_mut(p.max(1)).zip(slices.sizes()) {
        mean.iter_mut().for_each(|m| *m /= n as f64);
    }
    mean
}

/// What one column holds in one slice.
#[derive(Clone)]
struct Column {
    low: f32,
    high: f32,
    seen: usize,
    squares: f64,
}

impl Column {
    /// The sum of squares about the mean over `n` cells; none where all values are the same.
    fn squares(&self, n: usize, mean: f64) -> Option<f64> {
        let zeros = n - self.seen;
        let same = self.low == self.high && (zeros == 0 || self.high == 0.0);
        let varies = self.seen > 0 && !same;
        varies.then_some(self.squares + zeros as f64 * mean * mean)
    }
}

/// Every column in every slice.
fn columns(matrix: &Csr, slices: &Slices, mean: &[f64]) -> Vec<Column> {
    let unseen = Column {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
        seen: 0,
        squares: 0.0,
    };
    let p = matrix.n_cols();
    let mut columns = vec![unseen; slices.n_slices() * p];
    for (row, c, value) in entries(matrix) {
        let place = slices.of(row) * p + c;
        let column = &mut columns[place];
        column.low = column.low.min(value);
        column.high = column.high.max(value);
        column.seen += 1;
        column.squares += (f64::from(value) - mean[place]).powi(2);
    }
    columns
}

/// Standard deviation of every column about its means; none where it does not vary within any slice.
fn deviations(matrix: &Csr, slices: &Slices, mean: &[f64]) -> Vec<Option<f64>> {
    let p = matrix.n_cols();
    let columns = columns(matrix, slices, mean);
    let sizes = slices.sizes();
    let squares = |c: usize| {
        let found = sizes.iter().enumerate().filter_map(|(slice, &n)| {
            let place = slice * p + c;
            columns[place].squares(n, mean[place])
        });
        found.reduce(|a, b| a + b)
    };
    let freedom = matrix.n_rows() as f64 - 1.0;
    (0..p)
        .map(|c| squares(c).map(|squares| (squares / freedom).sqrt()))
        .collect()
}

/// Row, column and value of every entry.
fn entries(matrix: &Csr) -> impl Iterator<Item = (usize, usize, f32)> + '_ {
    until_cancelled(0..matrix.n_rows()).flat_map(move |row| {
        let (columns, values) = matrix.row(row);
        let pairs = columns.iter().zip(values);
        pairs.map(move |(&c, &v)| (row, c as usize, v))
    })
}
