//! What the network makes of cells that it does not see: the honest side of its embedding.

use std::sync::Arc;

use candle_core::Tensor;
use ndarray::Array2;

use super::model::{operand, Model};
use super::trainer::Trainer;
use super::weights::in_callers_order;
use crate::design::Input;
use crate::engine::place::Place;
use crate::gpu::Packed;
use crate::nn::gather::{gather, PlacedRows, Rows, TOKEN};
use crate::nn::linear::linear;
use crate::nn::propagate::Operator;
use crate::predictive::{scattered_folds, FOLDS};
use crate::{threads, Result};

impl Model {
    /// f in evaluation mode with the token in place of some cells' features, as `rows` say; one result for each.
    fn embed_masked(
        &self,
        x: &Arc<Input>,
        graph: &Operator,
        rows: &[Rows],
    ) -> candle_core::Result<Vec<Tensor>> {
        let product = self.online.first(x)?;
        let weight = operand(&self.online.layers[0].weight, false);
        let token = linear(operand(&self.token, false), weight)?.into_value();
        let masked = rows.iter().map(|rows| {
            let first = gather(product.clone(), token.clone(), rows)?.into_value();
            self.online.finish(first, graph)
        });
        masked.collect()
    }
}

impl Trainer {
    /// The embedding of every cell where the token stands in place of its features: N x latent, in the caller's order of cells, in
    /// evaluation mode. A fifth of the cells at a time are hidden, so that a hidden cell has neighbours that are seen.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn unseen(&self) -> Result<Array2<f32>> {
        let n = self.order.len();
        let folds = scattered_folds(n);
        threads::install(self.threads, || {
            let rows = (0..FOLDS as u8).map(|fold| hide(&folds, fold, &self.place));
            let rows = rows.collect::<Result<Vec<_>>>()?;
            let passes = self
                .model
                .embed_masked(&self.input, &self.propagation, &rows)?;
            let mut out = Array2::zeros((n, self.params.params.latent));
            for (fold, z) in passes.iter().enumerate() {
                let z = in_callers_order(z, &self.order)?;
                let hidden = folds.iter().zip(&self.order);
                for (_, &cell) in hidden.filter(|(&f, _)| usize::from(f) == fold) {
                    let cell = cell as usize;
                    out.row_mut(cell).assign(&z.row(cell));
                }
            }
            Ok(out)
        })
    }
}

/// Every node's own row, or the token's for those of the fold.
fn hide(folds: &[u8], fold: u8, place: &Place) -> Result<Rows> {
    let nodes = folds.iter().zip(0u32..);
    let rows: Vec<u32> = nodes
        .map(|(&f, node)| if f == fold { TOKEN } else { node })
        .collect();
    let Place::Device(kernels) = place else {
        return Ok(rows.into());
    };
    let mut lists = Packed::default();
    lists.partial(&rows, rows.len());
    let placed = PlacedRows {
        rows: lists.upload(kernels.device())?.partial()?,
        moved: None,
    };
    Ok(Rows::from(rows).with(placed))
}
