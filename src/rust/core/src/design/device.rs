//! The model's input on a device.

use candle_core::{Result, Tensor};

use super::Scaled;
use crate::gpu::kernel::{ScaledGram, ScaledWeights};
use crate::gpu::{Buffer, Kernels, List, Matrix, Offset};

/// [`super::Input`] on a device.
pub struct PlacedInput {
    kernels: Kernels,
    form: Form,
    /// Length of each row.
    pub norms: Tensor,
}

enum Form {
    Dense(Tensor),
    Scaled(PlacedScaled),
}

/// (L - S mu) D^-1 with L sparse, S the slice of each row, mu a row of means a slice.
struct PlacedScaled {
    matrix: Matrix,
    transpose: Matrix,
    /// The slice of each row.
    slices: List,
    /// S: a 1 where a row is of a slice, N x slices.
    members: Tensor,
    /// Slices x p.
    mean: Tensor,
    /// 1 x p.
    inverse_sd: Tensor,
}

impl PlacedInput {
    pub(super) fn dense(
        kernels: &Kernels,
        x: &[f32],
        n: usize,
        p: usize,
        norms: &[f32],
    ) -> Result<Self> {
        let x = Tensor::from_slice(x, (n, p), kernels.device())?;
        Self::new(kernels, Form::Dense(x), norms)
    }

    pub(super) fn scaled(kernels: &Kernels, scaled: &Scaled, norms: &[f32]) -> Result<Self> {
        let p = scaled.inverse_sd.len();
        let rows =
            |values: &[f32]| Tensor::from_slice(values, (values.len() / p, p), kernels.device());
        let (n, n_slices) = (scaled.matrix.n_rows(), scaled.slices.n_slices());
        let slices: Vec<u32> = (0..n).map(|i| scaled.slices.of(i) as u32).collect();
        let mut members = vec![0f32; n * n_slices];
        for (i, &slice) in slices.iter().enumerate() {
            members[i * n_slices + slice as usize] = 1.0;
        }
        let form = PlacedScaled {
            matrix: Matrix::new(kernels, &scaled.matrix)?,
            transpose: Matrix::new(kernels, &scaled.transpose)?,
            slices: List::new(&slices, n_slices, kernels.device())?,
            members: Tensor::from_vec(members, (n, n_slices), kernels.device())?,
            mean: rows(&scaled.mean)?,
            inverse_sd: rows(&scaled.inverse_sd)?,
        };
        Self::new(kernels, Form::Scaled(form), norms)
    }

    fn new(kernels: &Kernels, form: Form, norms: &[f32]) -> Result<Self> {
        Ok(Self {
            kernels: kernels.clone(),
            form,
            norms: Tensor::from_slice(norms, norms.len(), kernels.device())?,
        })
    }

    /// The values, where they are held dense.
    pub fn as_dense(&self) -> Option<&Tensor> {
        match &self.form {
            Form::Dense(x) => Some(x),
            Form::Scaled(_) => None,
        }
    }

    /// `X w'` for w of outer x p.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn times_transposed(&self, w: &Tensor) -> Result<Buffer> {
        match &self.form {
            Form::Dense(x) => self.kernels.times_transposed(x, w),
            Form::Scaled(scaled) => scaled.times_transposed(&self.kernels, w),
        }
    }

    /// `g' X` for g of N x outer.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn gram(&self, g: &Tensor) -> Result<Buffer> {
        match &self.form {
            Form::Dense(x) => self.kernels.gram(g, x),
            Form::Scaled(scaled) => scaled.gram(&self.kernels, g),
        }
    }
}

impl PlacedScaled {
    /// L (D^-1 W) - S (mu D^-1 W)
    fn times_transposed(&self, kernels: &Kernels, w: &Tensor) -> Result<Buffer> {
        let (outer, p) = w.dims2()?;
        let mut scaled = kernels.floats((p, outer))?;
        ScaledWeights {
            w,
            inverse_sd: &self.inverse_sd,
            out: &mut scaled,
            p,
            outer,
        }
        .launch(kernels)?;
        let scaled = scaled.into_tensor();
        let rows = kernels.times(&self.mean, &scaled)?.into_tensor();
        let offset = Offset {
            rows: &rows,
            slices: Some(&self.slices),
        };
        self.matrix.times_less(kernels, &scaled, Some(offset))
    }

    /// (L'g - mu' (S'g))' D^-1
    fn gram(&self, kernels: &Kernels, g: &Tensor) -> Result<Buffer> {
        let (_, outer) = g.dims2()?;
        let p = self.transpose.n_rows();
        let product = self.transpose.times(kernels, g)?;
        let sums = kernels.gram(&self.members, g)?;
        let mut out = kernels.floats((outer, p))?;
        ScaledGram {
            product: &product,
            sums: &sums,
            mean: &self.mean,
            inverse_sd: &self.inverse_sd,
            out: &mut out,
            p,
            outer,
            slices: self.members.dim(1)?,
        }
        .launch(kernels)?;
        Ok(out)
    }
}
