//! The running moments of a batch norm, where the model is.

use candle_core::{DType, Error, Result, Tensor, Var};

use super::init::MOMENTS;
use super::norm_act::Moments;
use super::parameters::Builder;

/// Mean and variance of each column: a buffer of the model. On a device the kernels keep it up to date.
#[derive(Clone, Debug)]
pub struct Running(Var);

impl Running {
    /// Of the batch norm of this name.
    ///
    /// # Errors
    /// Those of the builder's source; a negative variance.
    pub fn new(builder: &Builder, name: &str, width: usize) -> Result<Self> {
        let made = builder.get_with_hints_dtype((2, width), name, MOMENTS, DType::F64)?;
        let running = Self(Var::from_tensor(&made)?);
        match running.get()?.variance.iter().all(|v| *v >= 0.0) {
            true => Ok(running),
            false => Err(Error::Msg(format!(
                "`{name}.running_var` of the model is damaged"
            ))),
        }
    }

    /// Of no model: the same mean and variance in each column.
    #[cfg(test)]
    pub fn of(mean: f64, variance: f64, width: usize) -> Result<Self> {
        let values = [vec![mean; width], vec![variance; width]].concat();
        let device = candle_core::Device::Cpu;
        Ok(Self(Var::from_vec(values, (2, width), &device)?))
    }

    /// Means, then variances: 2 x width, f64.
    pub fn as_tensor(&self) -> &Tensor {
        self.0.as_tensor()
    }

    /// The moments, on the host.
    pub fn get(&self) -> Result<Moments> {
        let values: Vec<f64> = self.0.as_detached_tensor().flatten_all()?.to_vec1()?;
        let (mean, variance) = values.split_at(values.len() / 2);
        Ok(Moments {
            mean: mean.to_vec(),
            variance: variance.to_vec(),
        })
    }

    /// Moves by the part `momentum` towards the moments of a batch of `n` rows.
    pub fn follow(&self, batch: &Moments, n: usize, momentum: f64) -> Result<()> {
        let unbiased = n as f64 / (n as f64 - 1.0).max(1.0);
        let Moments {
            mut mean,
            mut variance,
        } = self.get()?;
        for c in 0..mean.len() {
            mean[c] += momentum * (batch.mean[c] - mean[c]);
            variance[c] += momentum * (batch.variance[c] * unbiased - variance[c]);
        }
        self.set(Moments { mean, variance })
    }

    fn set(&self, moments: Moments) -> Result<()> {
        let values = [moments.mean, moments.variance].concat();
        let values = Tensor::from_vec(values, self.0.shape(), self.0.device())?;
        self.0.set(&values)
    }
}
