//! The directions along which a modality's input varies most.

use ndarray::{s, Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::eigen::leading;
use super::features::Columns;
use super::modality::{unknown, Modality, ModalityKind};
use crate::{progress, Result};

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
    /// The `most` leading directions of the input, or as many as are known: those of the components, and of columns
    /// that a user prepared the principal ones.
    ///
    /// # Errors
    /// Scaled genes without the projection to their components; a decomposition that does not converge.
    pub fn directions(&self, most: usize) -> Result<Directions> {
        match &self.features.input {
            Columns::Dense(x) if self.kind == ModalityKind::Features => of_columns(x.view(), most),
            Columns::Dense(_) => Ok(self.along(Array2::eye(self.components.ncols()).view(), most)),
            Columns::Scaled(_) => Ok(self.along(self.rotation()?, most)),
        }
    }

    /// Genes x components: what takes scaled genes to their components.
    ///
    /// # Errors
    /// A modality of which that is not known.
    pub fn rotation(&self) -> Result<ArrayView2<'_, f64>> {
        let known = self.projection.as_ref().and_then(|p| p.rotation.as_ref());
        Ok(known.ok_or_else(unknown)?.view())
    }

    /// The first components, `loadings` being what leads to them.
    pub fn along(&self, loadings: ArrayView2<f64>, most: usize) -> Directions {
        let wanted = most.min(loadings.ncols());
        let first = self.components.slice(s![.., ..wanted]).mapv(f64::from);
        Directions {
            loadings: loadings.slice(s![.., ..wanted]).to_owned(),
            variance: first.var_axis(Axis(0), 0.0).to_vec(),
        }
    }
}

/// Principal directions of dense columns.
pub(super) fn of_columns(x: ArrayView2<f32>, most: usize) -> Result<Directions> {
    let (n, p) = x.dim();
    let covariance = covariance(x);
    progress::check()?;
    let eigen = leading(covariance, p, most.min(n.saturating_sub(1)))?;
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
    let ticket = progress::current();
    let starts: Vec<usize> = (0..n).step_by(CHUNK).collect();
    let parts: Vec<Array2<f64>> = starts
        .into_par_iter()
        .map(|start| {
            if ticket.cancelled() {
                return Array2::zeros((p, p));
            }
            let rows = x.slice(s![start..(start + CHUNK).min(n), ..]);
            let rows = rows.mapv(f64::from) - &mean;
            rows.t().dot(&rows)
        })
        .collect();
    let zero = Array2::zeros((p, p));
    let sum = parts.into_iter().fold(zero, |sum, part| sum + part);
    (sum / n as f64).iter().copied().collect()
}
