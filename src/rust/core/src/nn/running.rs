//! The running moments of a batch norm, where the model is.

use candle_core::{DType, Device, Result, Tensor};

use super::norm_act::Moments;
use crate::gpu::Kernels;

/// Mean and variance of each column: on the host, or on a device that keeps them up to date itself.
#[derive(Clone, Debug)]
pub enum Running {
    Host(Moments),
    /// Means, then variances, f64.
    Placed(Tensor),
}

impl Running {
    /// Mean 0 and variance 1.
    pub fn new(width: usize, device: &Device) -> Result<Self> {
        let start = Moments {
            mean: vec![0.0; width],
            variance: vec![1.0; width],
        };
        Self::with(start, device)
    }

    /// Given moments.
    pub fn with(moments: Moments, device: &Device) -> Result<Self> {
        match Kernels::of(device)? {
            None => Ok(Self::Host(moments)),
            Some(_) => {
                let width = moments.mean.len();
                let values = [moments.mean, moments.variance].concat();
                Ok(Self::Placed(Tensor::from_vec(values, (2, width), device)?))
            }
        }
    }

    /// The moments, on the host.
    pub fn get(&self) -> Result<Moments> {
        match self {
            Self::Host(moments) => Ok(moments.clone()),
            Self::Placed(tensor) => {
                let values = tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
                let (mean, variance) = values.split_at(values.len() / 2);
                Ok(Moments {
                    mean: mean.to_vec(),
                    variance: variance.to_vec(),
                })
            }
        }
    }
}
