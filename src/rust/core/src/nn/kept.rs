//! Parameters as the arrays of a model file, and back.

use candle_core::{Device, Var};
use ndarray::Array2;

use super::view::to_host;
use crate::{Error, Result};

/// The values of a matrix of parameters.
///
/// # Errors
/// A device that does not answer.
pub fn matrix_of(var: &Var) -> Result<Array2<f64>> {
    let shape = var.dims2()?;
    let values = to_host(&var.as_detached_tensor())?;
    let values = values.into_iter().map(f64::from).collect();
    Array2::from_shape_vec(shape, values).map_err(|e| Error::Internal(e.to_string()))
}

/// Parameters with these values, row by row.
///
/// # Errors
/// Another number of values.
pub fn variable(values: Vec<f64>, shape: (usize, usize)) -> Result<Var> {
    let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
    Ok(Var::from_vec(values, shape, &Device::Cpu)?)
}
