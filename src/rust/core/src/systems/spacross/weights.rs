//! The encoder from named arrays, and what it makes of further cells.
//!
//! Names and layouts are PyTorch's, of the published model; a layer's bias is in its running mean (see
//! [`super::model::Layer`]).

use std::sync::Arc;

use candle_core::{Device, Tensor};
use ndarray::Array2;

use super::model::{Encoder, LAYERS};
use crate::design::Input;
use crate::engine::tensors::Tensors;
use crate::graph::Graph;
use crate::nn::parameters::{self, Stored};
use crate::nn::propagate::Operator;
use crate::nn::view::to_host;
use crate::preprocess::Features;
use crate::{Error, Result};

impl Encoder {
    /// The encoder of [`super::Trainer::weights`].
    ///
    /// # Errors
    /// [`Error::Model`] for arrays that are missing or do not fit each other.
    pub fn from_tensors(tensors: &Tensors) -> Result<Self> {
        let weight = |[linear, _]: [&str; 2]| tensors.matrix(&format!("{linear}.weight"));
        let mut widths = [weight(LAYERS[0])?.ncols(), 0, 0, 0, 0];
        for (width, layer) in widths[1..].iter_mut().zip(LAYERS) {
            *width = weight(layer)?.nrows();
        }
        let encoder = parameters::build(Stored(tensors), &Device::Cpu, |builder| {
            Encoder::new(&builder, widths)
        });
        Ok(encoder.map_err(|e| Error::model(e.to_string()))?.0)
    }

    /// f(x) in evaluation mode for any cells: N x latent, in the order of `features`. It is computed in `order`, along
    /// a space-filling curve.
    ///
    /// # Errors
    /// [`Error::Model`] for features of another width; `Internal` for parts of another length.
    pub fn embed_cells(
        &self,
        features: &Features,
        graph: &Graph,
        order: &[u32],
    ) -> Result<Array2<f32>> {
        let input = Input::from(features);
        let (expected, found) = (self.layers[0].weight.dim(1)?, input.n_columns());
        if expected != found {
            let message = format!("The model takes {expected} columns, and the input has {found}");
            return Err(Error::model(message));
        }
        if graph.n_nodes() != input.n_rows() || order.len() != input.n_rows() {
            return Err(Error::Internal(
                "input, graph and order of another length".into(),
            ));
        }
        let propagation = Operator::symmetric(graph.permuted(order)?.normalised());
        let z = self.embed(&Arc::new(input.permuted(order)), &propagation)?;
        in_callers_order(&z, order)
    }
}

/// The rows of `x` put back: row `order[i]` of the result is row i.
pub(super) fn in_callers_order(x: &Tensor, order: &[u32]) -> Result<Array2<f32>> {
    let (n, width) = x.dims2()?;
    let values = to_host(x)?;
    let mut out = Array2::zeros((n, width));
    for (row, &cell) in values.chunks_exact(width).zip(order) {
        out.row_mut(cell as usize)
            .iter_mut()
            .zip(row)
            .for_each(|(o, v)| *o = *v);
    }
    Ok(out)
}
