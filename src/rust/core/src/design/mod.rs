//! The model's input X: dense (principal components, a reduction) or scaled genes that stay sparse.

pub(crate) mod device;

use candle_core::Device;
use ndarray::Array2;
use rayon::prelude::*;

use self::device::PlacedInput;
use crate::dense::{gram, sum_parts, times_into, times_transposed, transposed, View, CHUNK};
use crate::gpu::Kernels;
use crate::nn::linear::{Design, PlacedDesign};
use crate::preprocess::{Columns, Features, ScaledGenes};
use crate::slices::Slices;
use crate::sparse::{Block, BlockMut, Csr};

/// N x p, f32.
pub struct Input {
    form: Form,
    n: usize,
    p: usize,
    /// Length of each row.
    norms: Vec<f32>,
    placed: Option<PlacedInput>,
}

enum Form {
    Dense(Vec<f32>),
    Scaled(Box<Scaled>),
}

/// (L - S mu) D^-1 with L sparse, S the slice of each row, mu a row of means a slice.
pub(super) struct Scaled {
    pub matrix: Csr,
    pub transpose: Csr,
    pub slices: Slices,
    pub mean: Vec<f32>,
    pub inverse_sd: Vec<f32>,
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
            placed: None,
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
            placed: None,
        }
    }

    /// With its copy on `device`.
    pub fn on(mut self, device: &Device) -> candle_core::Result<Self> {
        let Some(kernels) = Kernels::of(device)? else {
            return Ok(self);
        };
        let placed = match &self.form {
            Form::Dense(x) => PlacedInput::dense(&kernels, x, self.n, self.p, &self.norms)?,
            Form::Scaled(scaled) => PlacedInput::scaled(&kernels, scaled, &self.norms)?,
        };
        self.placed = Some(placed);
        Ok(self)
    }

    /// The copy on the device.
    pub(crate) fn on_device(&self) -> candle_core::Result<&PlacedInput> {
        match &self.placed {
            Some(placed) => Ok(placed),
            None => candle_core::bail!("an input that is not on the device"),
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

    /// `X w` (N x `width`) for w of p x `width`, written to `out` or added to it.
    pub fn multiply_into(&self, w: &[f32], width: usize, out: &mut [f32], add: bool) {
        match &self.form {
            Form::Dense(x) => {
                let keep = f32::from(u8::from(add));
                times_into(x, View::new(w, self.p, width), out, keep, 1.0);
            }
            Form::Scaled(s) => s.multiply_into(w, width, out, add),
        }
    }

    /// `X' g` (p x `width`) for g of N x `width`.
    pub fn transposed_times(&self, g: &[f32], width: usize) -> Vec<f32> {
        match &self.form {
            Form::Dense(x) => gram(x, g, self.p, width),
            Form::Scaled(s) => s.transposed_times(g, width),
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
            Form::Scaled(s) => {
                let mut out = vec![0f32; self.n * outer];
                s.multiply_into(&transposed(w, self.p), outer, &mut out, false);
                out
            }
        }
    }

    fn gram(&self, g: &[f32], outer: usize) -> Vec<f32> {
        match &self.form {
            Form::Dense(x) => gram(g, x, outer, self.p),
            Form::Scaled(s) => transposed(&s.transposed_times(g, outer), outer),
        }
    }

    fn placed(&self) -> Option<&dyn PlacedDesign> {
        self.placed
            .as_ref()
            .map(|placed| placed as &dyn PlacedDesign)
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
    fn multiply_into(&self, w: &[f32], width: usize, out: &mut [f32], add: bool) {
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
    fn transposed_times(&self, g: &[f32], width: usize) -> Vec<f32> {
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
