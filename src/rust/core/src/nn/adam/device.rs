//! On a device: one kernel for all parameters together.

use candle_core::{bail, DType, Result, Tensor, Var};

use crate::gpu::kernel::{AdamSquares, AdamUpdate, PARAMETERS};
use crate::gpu::{Kernels, Moved, Table};

/// Moments of Adam on a device, and the squares of the gradients.
pub struct PlacedMoments {
    kernels: Kernels,
    first: Vec<Tensor>,
    second: Vec<Tensor>,
}

/// What one step of Adam goes by.
pub struct Rates {
    pub clip: f64,
    /// The learning rate over the bias correction of the first moment.
    pub rate: f32,
    /// The square root of the second one's.
    pub root: f32,
    pub decay: f32,
}

impl PlacedMoments {
    pub fn new(kernels: &Kernels, parameters: &[Var]) -> Result<Self> {
        if parameters.len() > PARAMETERS {
            bail!("more than {PARAMETERS} parameters");
        }
        let zeros = || {
            let zero = |p: &Var| Tensor::zeros(p.shape(), DType::F32, p.device());
            parameters.iter().map(zero).collect::<Result<Vec<_>>>()
        };
        Ok(Self {
            kernels: kernels.clone(),
            first: zeros()?,
            second: zeros()?,
        })
    }

    /// The first moments of all parameters, then the second ones.
    pub fn moments(&self) -> impl Iterator<Item = &Tensor> {
        self.first.iter().chain(&self.second)
    }

    /// Replaces them.
    pub fn set(&mut self, values: Vec<Vec<f32>>) -> Result<()> {
        let all = self.first.iter_mut().chain(&mut self.second);
        for (moments, values) in all.zip(values) {
            *moments = Tensor::from_vec(values, moments.shape(), moments.device())?;
        }
        Ok(())
    }

    /// One step; the norm of all gradients before clipping, as one f64 on the device.
    pub fn step(
        &self,
        parameters: &[Var],
        gradients: &[Option<Tensor>],
        rates: &Rates,
    ) -> Result<Tensor> {
        let kernels = &self.kernels;
        let n = parameters.len();
        let values: Vec<Tensor> = parameters.iter().map(Var::as_detached_tensor).collect();
        if gradients.len() != n {
            bail!("not one gradient a parameter");
        }
        let moved = |p: usize| Moved {
            gradient: gradients[p].as_ref(),
            value: &values[p],
            first: &self.first[p],
            second: &self.second[p],
        };
        let moved: Vec<Moved> = (0..n).map(moved).collect();
        let table = &Table::new(kernels, &moved)?;
        let (mut squares, mut norm) = (kernels.doubles(n)?, kernels.doubles(())?);
        AdamSquares {
            table,
            squares: &mut squares,
        }
        .launch(kernels)?;
        AdamUpdate {
            table,
            squares: &squares,
            norm: &mut norm,
            n_squares: n,
            clip: rates.clip,
            rate: rates.rate,
            root: rates.root,
            decay: rates.decay,
        }
        .launch(kernels)?;
        Ok(norm.into_tensor())
    }
}
