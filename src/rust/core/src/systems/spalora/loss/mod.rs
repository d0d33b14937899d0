//! The losses of SpaLORA, without an array of cells x genes (METHODS 7).

mod device;
mod host;

use candle_core::{Device, Result, Tensor};

use crate::gpu::Kernels;

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
pub fn reconstruction(p: &Tensor, y: &Tensor, v: &Tensor, x: &Constant) -> Result<Tensor> {
    match (&x.omega, Kernels::of(p.device())?) {
        (Some(omega), Some(kernels)) => device::reconstruction(&kernels, [p, y, v], x, omega),
        _ => host::reconstruction([p, y, v], x),
    }
}

/// mean (a - b)^2
///
/// # Errors
/// Matrices of different shapes; a device that does not answer.
pub fn mean_squared(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    match Kernels::of(a.device())? {
        Some(kernels) => device::mean_squared(&kernels, a, b),
        None => host::mean_squared(a, b),
    }
}
