//! The model's input X: dense (principal components, a reduction) or scaled genes that stay sparse.

use ndarray::Array2;
use rayon::prelude::*;

use crate::nn::linear::Design;
use crate::nn::matmul::{gram, times_transposed};
use crate::preprocess::{Columns, Features, ScaledGenes};
use crate::slices::Slices;
use crate::sparse::Csr;

/// N x p, f32.
pub struct Input {
    form: Form,
    n: usize,
    p: usize,
    /// Length of each row.
    norms: Vec<f32>,
}

enum Form {
    Dense(Vec<f32>),
    Scaled(Box<Scaled>),
}

/// (L - S mu) D^-1 with L sparse, S the slice of each row, mu a row of means a slice.
struct Scaled {
    matrix: Csr,
    transpose: Csr,
    slices: Slices,
    mean: Vec<f32>,
    inverse_sd: Vec<f32>,
}

impl Input {
    pub fn new(features: &Features) -> Self {
        match &features.input {
            Columns::Dense(x) => Self::dense(x.clone()),
            Columns::Scaled(genes) => Self::scaled(genes.clone()),
        }
    }

    pub fn dense(x: Array2<f32>) -> Self {
        let (n, p) = x.dim();
        let x = x
            .as_standard_layout()
            .into_owned()
            .into_raw_vec_and_offset()
            .0;
        let norms = x
            .par_chunks_exact(p.max(1))
            .map(|row| row.iter().map(|v| v * v).sum::<f32>().sqrt())
            .collect();
        Self {
            form: Form::Dense(x),
            n,
            p,
            norms,
        }
    }

    pub fn scaled(genes: ScaledGenes) -> Self {
        let (n, p) = (genes.matrix.n_rows(), genes.matrix.n_cols());
        let inverse_sd: Vec<f32> = genes.scale.iter().map(|&s| s as f32).collect();
        let mean: Vec<f32> = genes.mean.iter().map(|&m| m as f32).collect();
        let scaled = Scaled {
            transpose: genes.matrix.transpose(),
            matrix: genes.matrix,
            slices: genes.slices,
            mean,
            inverse_sd,
        };
        Self {
            norms: scaled.norms(),
            form: Form::Scaled(Box::new(scaled)),
            n,
            p,
        }
    }

    /// The values, where they are held dense.
    pub fn as_dense(&self) -> Option<&[f32]> {
        match &self.form {
            Form::Dense(x) => Some(x),
            Form::Scaled(_) => None,
        }
    }

    pub fn norm(&self, row: u32) -> f32 {
        self.norms[row as usize]
    }

    /// The sum of squares of every column.
    pub fn column_squares(&self) -> Vec<f64> {
        match &self.form {
            Form::Dense(x) => {
                let mut squares = vec![0f64; self.p];
                for row in x.chunks_exact(self.p.max(1)) {
                    let pairs = squares.iter_mut().zip(row);
                    pairs.for_each(|(s, &v)| *s += f64::from(v).powi(2));
                }
                squares
            }
            // One standard deviation squared, times cells - 1; a gene that does not vary is zero.
            Form::Scaled(s) => {
                let varies = |&inverse: &f32| f64::from(u8::from(inverse > 0.0));
                let freedom = self.n as f64 - 1.0;
                s.inverse_sd.iter().map(|i| freedom * varies(i)).collect()
            }
        }
    }

    /// Row i of the result is row `order[i]`.
    pub fn permuted(self, order: &[u32]) -> Self {
        let norms = order.iter().map(|&i| self.norms[i as usize]).collect();
        let p = self.p;
        let form = match self.form {
            Form::Dense(x) => Form::Dense(
                order
                    .iter()
                    .flat_map(|&i| &x[i as usize * p..][..p])
                    .copied()
                    .collect(),
            ),
            Form::Scaled(s) => {
                let matrix = s.matrix.permuted_rows(order);
                Form::Scaled(Box::new(Scaled {
                    transpose: matrix.transpose(),
                    slices: s.slices.permuted(order),
                    matrix,
                    ..*s
                }))
            }
        };
        Self {
            form,
            norms,
            ..self
        }
    }
}

impl Design for Input {
    fn n_rows(&self) -> usize {
        self.n
    }

    fn n_columns(&self) -> usize {
        self.p
    }

    fn times_transposed(&self, w: &[f32], outer: usize) -> Vec<f32> {
        match &self.form {
            Form::Dense(x) => times_transposed(x, w, self.p, outer),
            Form::Scaled(s) => s.times_transposed(w, outer),
        }
    }

    fn gram(&self, g: &[f32], outer: usize) -> Vec<f32> {
        match &self.form {
            Form::Dense(x) => gram(g, x, outer, self.p),
            Form::Scaled(s) => s.gram(g, outer),
        }
    }
}

impl Scaled {
    fn means_of(&self, slice: usize) -> &[f32] {
        let p = self.inverse_sd.len();
        &self.mean[slice * p..][..p]
    }

    /// |x_i|^2 = sum over all genes of (mu/sd)^2, corrected at the entries that are not zero.
    fn norms(&self) -> Vec<f32> {
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
    fn times_transposed(&self, w: &[f32], outer: usize) -> Vec<f32> {
        let p = self.inverse_sd.len();
        let mut scaled = vec![0f32; p * outer];
        let mut offset = vec![0f64; outer * self.slices.n_slices()];
        for o in 0..outer {
            for c in 0..p {
                let value = w[o * p + c] * self.inverse_sd[c];
                scaled[c * outer + o] = value;
                for (slice, offset) in offset.chunks_exact_mut(outer).enumerate() {
                    offset[o] += f64::from(value) * f64::from(self.mean[slice * p + c]);
                }
            }
        }
        let mut out = self.matrix.times_dense(&scaled, outer);
        let rows = out.par_chunks_exact_mut(outer).enumerate();
        rows.for_each(|(i, row)| {
            let offset = &offset[self.slices.of(i) * outer..][..outer];
            let pairs = row.iter_mut().zip(offset);
            pairs.for_each(|(x, o)| *x -= *o as f32);
        });
        out
    }

    /// (L'g - mu' (S'g))' D^-1
    fn gram(&self, g: &[f32], outer: usize) -> Vec<f32> {
        let p = self.inverse_sd.len();
        let product = self.transpose.times_dense(g, outer);
        let mut sums = vec![0f64; outer * self.slices.n_slices()];
        for (i, row) in g.chunks_exact(outer).enumerate() {
            let sums = &mut sums[self.slices.of(i) * outer..][..outer];
            let pairs = sums.iter_mut().zip(row);
            pairs.for_each(|(s, &g)| *s += f64::from(g));
        }
        (0..outer * p)
            .map(|e| {
                let (o, c) = (e / p, e % p);
                let slices = sums.chunks_exact(outer).enumerate();
                let centred = slices.fold(product[c * outer + o], |value, (slice, sums)| {
                    value - self.mean[slice * p + c] * sums[o] as f32
                });
                centred * self.inverse_sd[c]
            })
            .collect()
    }
}
