//! The directions along which a modality's input varies most.

use ndarray::{s, Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::eigen::leading;
use super::features::Columns;
use super::modality::Modality;
use crate::{Error, Result};

/// Rows whose products are summed together.
const CHUNK: usize = 4096;

/// Orthonormal directions of the input's columns, and the variance of the cells along each.
#[derive(Clone, Debug, PartialEq)]
pub struct Directions {
    /// Columns x directions.
    pub loadings: Array2<f64>,
    /// Falling.
    pub variance: Vec<f64>,
}

impl Modality {
    /// The `most` leading principal directions of the input, or as many as are known: of scaled genes those of the components.
    ///
    /// # Errors
    /// Scaled genes without the projection to their components; a decomposition that does not converge.
    pub fn directions(&self, most: usize) -> Result<Directions> {
        match (&self.features.input, &self.projection) {
            (Columns::Dense(x), _) => of_columns(x.view(), most),
            (Columns::Scaled(_), Some(projection)) => {
                let known = projection.rotation.as_ref().ok_or_else(unknown)?;
                let wanted = most.min(known.ncols());
                let variance = self.components.slice(s![.., ..wanted]).mapv(f64::from);
                Ok(Directions {
                    loadings: known.slice(s![.., ..wanted]).to_owned(),
                    variance: variance.var_axis(Axis(0), 0.0).to_vec(),
                })
            }
            (Columns::Scaled(_), None) => Err(unknown()),
        }
    }
}

fn unknown() -> Error {
    Error::Internal("the components of these genes are not known".into())
}

fn of_columns(x: ArrayView2<f32>, most: usize) -> Result<Directions> {
    let (n, p) = x.dim();
    let mut covariance = covariance(x);
    let eigen = leading(&mut covariance, p, most.min(n.saturating_sub(1)))?;
    let known = eigen.values.iter().take_while(|v| **v > 0.0).count();
    Ok(Directions {
        loadings: Array2::from_shape_fn((p, known), |(i, j)| eigen.vectors[(i, j)]),
        variance: eigen.values[..known].to_vec(),
    })
}

/// Row-major, over n cells.
fn covariance(x: ArrayView2<f32>) -> Vec<f64> {
    let (n, p) = x.dim();
    let mean: Array1<f64> = x.mapv(f64::from).mean_axis(Axis(0)).unwrap_or_default();
    let starts: Vec<usize> = (0..n).step_by(CHUNK).collect();
    let parts: Vec<Array2<f64>> = starts
        .into_par_iter()
        .map(|start| {
            let rows = x.slice(s![start..(start + CHUNK).min(n), ..]);
            let rows = rows.mapv(f64::from) - &mean;
            rows.t().dot(&rows)
        })
        .collect();
    let zero = Array2::zeros((p, p));
    let sum = parts.into_iter().fold(zero, |sum, part| sum + part);
    (sum / n as f64).iter().copied().collect()
}
