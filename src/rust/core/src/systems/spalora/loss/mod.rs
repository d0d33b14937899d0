//! The losses of SpaLORA, without an array of cells x genes (METHODS 7).

mod device;
mod host;

use candle_core::{Device, Result, Tensor};

use crate::gpu::Kernels;
use crate::nn::tape::Traced;

/// What stays the same about the input X (N x p) of a modality over the epochs.
pub struct Constant {
    /// omega, the weight of every column.
    pub weights: Vec<f32>,
    /// sum over columns of omega |X_g|^2.
    pub squares: f64,
    /// The weights where training runs, 1 x p.
    pub omega: Option<Tensor>,
}

impl Constant {
    /// The weights as a row.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn omega_on(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.weights, (1, self.weights.len()), device)
    }
}

/// mean over N x p of omega_g (X - P V)^2.
///
/// `p` is P = A Z (N x d), `y` is X Omega V' (N x d), `v` is V (d x columns). With these the sum is
/// sum omega |X_g|^2 - 2 <P, Y> + <P'P, V Omega V'>. That Y depends on V is left to the tape.
///
/// # Errors
/// Matrices that do not fit each other; a device that does not answer.
pub fn reconstruction(
    p: impl Into<Traced>,
    y: impl Into<Traced>,
    v: impl Into<Traced>,
    x: &Constant,
) -> Result<Traced> {
    let inputs = [p.into(), y.into(), v.into()];
    match (&x.omega, Kernels::of(inputs[0].value().device())?) {
        (Some(omega), Some(kernels)) => {
            device::reconstruction(&kernels, inputs.each_ref(), x, omega)
        }
        _ => host::reconstruction(inputs.each_ref(), x),
    }
}

/// mean (a - b)^2
///
/// # Errors
/// Matrices of different shapes; a device that does not answer.
pub fn mean_squared(a: impl Into<Traced>, b: impl Into<Traced>) -> Result<Traced> {
    let inputs = [a.into(), b.into()];
    match Kernels::of(inputs[0].value().device())? {
        Some(kernels) => device::mean_squared(&kernels, inputs.each_ref()),
        None => host::mean_squared(inputs.each_ref()),
    }
}
