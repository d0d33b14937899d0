//! The model's input on the CPU, where it stays sparse.

use rayon::prelude::*;

use crate::dense::{sum_parts, CHUNK};
use crate::slices::Slices;
use crate::sparse::{Block, BlockMut, Csr};

/// (L - S mu) D^-1 with L sparse, S the slice of each row, mu a row of means a slice.
pub struct Scaled {
    pub(super) matrix: Csr,
    pub(super) transpose: Csr,
    pub(super) slices: Slices,
    pub(super) mean: Vec<f32>,
    pub(super) inverse_sd: Vec<f32>,
}

impl Scaled {
    /// `mean`: of every column, a row a slice; `inverse_sd`: 1 / sd of every column, and 0 for one that does not vary.
    pub fn new(matrix: Csr, slices: Slices, mean: &[f64], inverse_sd: &[f64]) -> Self {
        let floats = |values: &[f64]| values.iter().map(|&v| v as f32).collect();
        Self {
            transpose: matrix.transpose(),
            matrix,
            slices,
            mean: floats(mean),
            inverse_sd: floats(inverse_sd),
        }
    }

    /// Row i of the result is row `order[i]`.
    pub(super) fn permuted(self, order: &[u32]) -> Self {
        let matrix = self.matrix.permuted_rows(order);
        Self {
            transpose: matrix.transpose(),
            slices: self.slices.permuted(order),
            matrix,
            ..self
        }
    }

    /// The sum of squares of every column: one standard deviation squared, times rows - 1; a column that does
    /// not vary is zero.
    pub(super) fn column_squares(&self) -> Vec<f64> {
        let varies = |&inverse: &f32| f64::from(u8::from(inverse > 0.0));
        let freedom = self.matrix.n_rows() as f64 - 1.0;
        let columns = self.inverse_sd.iter();
        columns.map(|i| freedom * varies(i)).collect()
    }

    fn means_of(&self, slice: usize) -> &[f32] {
        let p = self.inverse_sd.len();
        &self.mean[slice * p..][..p]
    }

    /// |x_i|^2 = sum over all genes of (mu/sd)^2, corrected at the entries that are not zero.
    pub(super) fn norms(&self) -> Vec<f32> {
        let z = |value: f32, mean: &[f32], g: usize| {
            f64::from((value - mean[g]) * self.inverse_sd[g]).powi(2)
        };
        let empty: Vec<f64> = (0..self.slices.n_slices())
            .map(|slice| {
                let mean = self.means_of(slice);
                (0..mean.len()).map(|g| z(0.0, mean, g)).sum()
            })
            .collect();
        (0..self.matrix.n_rows())
            .into_par_iter()
            .map(|i| {
                let slice = self.slices.of(i);
                let mean = self.means_of(slice);
                let (genes, values) = self.matrix.row(i);
                let correction: f64 = genes
                    .iter()
                    .zip(values)
                    .map(|(&g, &v)| z(v, mean, g as usize) - z(0.0, mean, g as usize))
                    .sum();
                (empty[slice] + correction).max(0.0).sqrt() as f32
            })
            .collect()
    }

    /// L (D^-1 W) - S (mu D^-1 W)
    pub(super) fn multiply_into(&self, w: &[f32], width: usize, out: &mut [f32], add: bool) {
        let mut scaled = w.to_vec();
        scale_rows(&mut scaled, &self.inverse_sd, width);
        let offset = self.offsets(&scaled, width);
        let rows = out.par_chunks_exact_mut(width).enumerate();
        rows.for_each(|(i, row)| {
            let offset = &offset[self.slices.of(i) * width..][..width];
            match add {
                true => row.iter_mut().zip(offset).for_each(|(x, o)| *x -= o),
                false => row.iter_mut().zip(offset).for_each(|(x, o)| *x = -o),
            }
        });
        let out = BlockMut::new(out, width, 0, width);
        self.matrix
            .multiply_into(Block::whole(&scaled, width), out, true);
    }

    /// mu W, a row a slice.
    fn offsets(&self, w: &[f32], width: usize) -> Vec<f32> {
        let of_slice = |slice: usize| {
            let mut sums = vec![0f64; width];
            for (&mean, row) in self.means_of(slice).iter().zip(w.chunks_exact(width)) {
                let pairs = sums.iter_mut().zip(row);
                pairs.for_each(|(s, &w)| *s += f64::from(w) * f64::from(mean));
            }
            sums.into_iter().map(|s| s as f32)
        };
        (0..self.slices.n_slices()).flat_map(of_slice).collect()
    }

    /// D^-1 (L'g - mu' (S'g))
    pub(super) fn transposed_times(&self, g: &[f32], width: usize) -> Vec<f32> {
        let mut product = self.transpose.times_dense(g, width);
        let sums = self.sums_of_slices(g, width);
        for (slice, sums) in sums.chunks_exact(width).enumerate() {
            for (row, &mean) in product.chunks_exact_mut(width).zip(self.means_of(slice)) {
                let pairs = row.iter_mut().zip(sums);
                pairs.for_each(|(value, sum)| *value -= mean * sum);
            }
        }
        scale_rows(&mut product, &self.inverse_sd, width);
        product
    }

    /// S'g, a row a slice.
    fn sums_of_slices(&self, g: &[f32], width: usize) -> Vec<f32> {
        let parts = g.par_chunks(CHUNK * width).enumerate().map(|(chunk, g)| {
            let mut sums = vec![0f32; width * self.slices.n_slices()];
            for (i, row) in g.chunks_exact(width).enumerate() {
                let slice = self.slices.of(chunk * CHUNK + i);
                let pairs = sums[slice * width..][..width].iter_mut().zip(row);
                pairs.for_each(|(s, &g)| *s += g);
            }
            sums
        });
        sum_parts(parts.collect(), width * self.slices.n_slices())
    }
}

fn scale_rows(x: &mut [f32], factors: &[f32], width: usize) {
    for (row, &factor) in x.chunks_exact_mut(width).zip(factors) {
        row.iter_mut().for_each(|value| *value *= factor);
    }
}
