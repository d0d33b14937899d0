//! What the model makes of cells: embeddings and attention.

use ndarray::{Array2, ArrayView2};

use super::model::Forward;
use crate::nn::view::to_host;
use crate::{Error, Result};

/// What the trained model gives, in the caller's order of cells. Rows of the embeddings have length 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Z, N x d.
    pub joint: Array2<f32>,
    /// Z_m, N x d each.
    pub modality: Vec<Array2<f32>>,
    /// Weights of the modalities, N x their number.
    pub across: Array2<f32>,
    /// Weights of the spatial and the feature graph, N x 2 a modality.
    pub within: Vec<Array2<f32>>,
}

/// What [`Embedding`] holds, in the order of training and of any length.
pub struct Arrays {
    pub joint: Vec<f32>,
    pub modality: Vec<Vec<f32>>,
    pub across: Vec<f32>,
    pub within: Vec<Vec<f32>>,
}

impl Arrays {
    pub(super) fn of(forward: &Forward) -> Result<Self> {
        let modality = forward.modality.iter().map(|z| to_host(z.value()));
        let within = forward.within.iter().map(to_host);
        Ok(Self {
            joint: to_host(forward.joint.value())?,
            modality: modality.collect::<candle_core::Result<_>>()?,
            across: to_host(&forward.across)?,
            within: within.collect::<candle_core::Result<_>>()?,
        })
    }

    /// In the caller's order, where row `order[i]` is row i here.
    pub(super) fn embedding(self, order: &[u32]) -> Result<Embedding> {
        let unit = |mut values: Vec<f32>| {
            let width = values.len() / order.len().max(1);
            unit_rows(&mut values, width);
            in_callers_order(&values, order)
        };
        let modality = self.modality.into_iter().map(unit);
        let within = self.within.iter().map(|w| in_callers_order(w, order));
        Ok(Embedding {
            modality: modality.collect::<Result<_>>()?,
            joint: unit(self.joint)?,
            across: in_callers_order(&self.across, order)?,
            within: within.collect::<Result<_>>()?,
        })
    }
}

fn in_callers_order(values: &[f32], order: &[u32]) -> Result<Array2<f32>> {
    let width = values.len() / order.len().max(1);
    let rows = ArrayView2::from_shape((order.len(), width), values)
        .map_err(|e| Error::Internal(e.to_string()))?;
    let mut out = Array2::zeros(rows.dim());
    for (row, &cell) in rows.rows().into_iter().zip(order) {
        out.row_mut(cell as usize).assign(&row);
    }
    Ok(out)
}

/// Rows of length 1; a row without length stays 0.
fn unit_rows(values: &mut [f32], width: usize) {
    for row in values.chunks_exact_mut(width) {
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
        row.iter_mut().for_each(|v| *v /= length);
    }
}
