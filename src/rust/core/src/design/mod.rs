//! The model's input X, which every epoch multiplies: dense (principal components, a reduction) or scaled genes that
//! stay sparse, in single precision. (`preprocess::ScaledGenes` has the same genes in double precision, whose
//! components are taken once.)

mod device;
mod host;

use candle_core::Device;
use ndarray::Array2;
use rayon::prelude::*;

pub use self::device::PlacedInput;
pub use self::host::Scaled;
use crate::dense::{gram, times_into, times_transposed, transposed, View};
use crate::gpu::Kernels;

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

impl Input {
    /// Of values that are held dense.
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

    /// Of genes that stay sparse.
    pub fn scaled(scaled: Scaled) -> Self {
        Self {
            n: scaled.matrix.n_rows(),
            p: scaled.matrix.n_cols(),
            norms: scaled.norms(),
            form: Form::Scaled(Box::new(scaled)),
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

    /// The copy on the device, once it is there.
    pub fn placed(&self) -> Option<&PlacedInput> {
        self.placed.as_ref()
    }

    /// The copy on the device.
    ///
    /// # Errors
    /// It is not there.
    pub fn on_device(&self) -> candle_core::Result<&PlacedInput> {
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

    /// The length of a row.
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
            Form::Scaled(s) => s.column_squares(),
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
            Form::Scaled(s) => Form::Scaled(Box::new(s.permuted(order))),
        };
        Self {
            form,
            norms,
            ..self
        }
    }

    /// N.
    pub fn n_rows(&self) -> usize {
        self.n
    }

    /// p.
    pub fn n_columns(&self) -> usize {
        self.p
    }

    /// `X w'` for w of `outer` x p, as N x `outer`.
    pub fn times_transposed(&self, w: &[f32], outer: usize) -> Vec<f32> {
        match &self.form {
            Form::Dense(x) => times_transposed(x, w, self.p, outer),
            Form::Scaled(s) => {
                let mut out = vec![0f32; self.n * outer];
                s.multiply_into(&transposed(w, self.p), outer, &mut out, false);
                out
            }
        }
    }

    /// `g' X` for g of N x `outer`, as `outer` x p.
    pub fn gram(&self, g: &[f32], outer: usize) -> Vec<f32> {
        match &self.form {
            Form::Dense(x) => gram(g, x, outer, self.p),
            Form::Scaled(s) => transposed(&s.transposed_times(g, outer), outer),
        }
    }
}
