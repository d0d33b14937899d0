//! What neighbours say about every cell, in the forms that a run asks for.

use std::sync::Arc;

use ndarray::{s, Array1, Array2, ArrayView2};
use serde_json::{json, Value};

use super::{off_curve_rows, DIRECTIONS, EDGES, SHOWN};
use crate::engine::tensors::Tensors;
use crate::predictive::Directions;

/// What a result says of the predictions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// The share of the components' variance, by modality, that neighbours predict in compact regions that are left
    /// out.
    pub r2: Vec<f64>,
    /// Modalities that neighbours do not predict at all, and that count for nothing.
    pub unheard: Vec<usize>,
    /// Whether neighbours predict nothing at all: cells that are not where they are said to be, as a rule.
    pub nothing: bool,
    /// The same of [`Quality::r2`] over all components, predicted by a linear reading of what the network makes of cells that it does
    /// not see. Its weights have been trained on all cells: it flatters the network.
    pub r2_network: Option<f64>,
    /// Penalty of the ridge, by modality.
    pub lambda: Vec<f64>,
    /// Neighbours that predict, at most.
    pub neighbours: usize,
    /// Cells that stand in the data more than once, in one place and with the same values.
    pub twins: usize,
}

/// What neighbours say about every cell.
pub struct Predictions {
    pub(super) order: Arc<Vec<u32>>,
    /// The components that are predicted.
    pub(super) own: Arc<Array2<f32>>,
    /// From the rings of the first family to what they predict of all components.
    pub(super) all: Directions,
    /// Directions of each family, row i those of cell `order[i]`.
    pub(super) matrices: Vec<Array2<f32>>,
    /// How good they are.
    pub quality: Quality,
    /// What makes the columns of further cells.
    pub model: Tensors,
}

impl Predictions {
    /// How good they are, for a result.
    pub fn describe(&self) -> Value {
        json!({
            "r2": self.quality.r2, "lambda": self.quality.lambda, "neighbours": self.quality.neighbours,
            "twins": self.quality.twins, "unheard": self.quality.unheard,
            "nothing": self.quality.nothing, "r2_network": self.quality.r2_network,
        })
    }

    /// The columns that users see: cells x directions, in the cells' own order.
    pub fn columns(&self) -> Array2<f32> {
        off_curve_rows(self.shown(), &self.order)
    }

    /// The components that are predicted, row i those of cell `order[i]` of [`crate::engine::Tissue::order`].
    pub fn own(&self) -> ArrayView2<'_, f32> {
        self.own.view()
    }

    /// [`Predictions::columns`] in that order.
    pub fn shown(&self) -> ArrayView2<'_, f32> {
        let x = &self.matrices[0];
        x.slice(s![.., ..x.ncols().min(SHOWN)])
    }

    /// The matrices that many mixtures are fitted to, row i those of cell `order[i]` of
    /// [`crate::engine::Tissue::order`].
    pub fn matrices(&self) -> Vec<ArrayView2<'_, f32>> {
        let mut all = Vec::new();
        for x in &self.matrices {
            let mut widths: Vec<usize> = DIRECTIONS.iter().map(|&d| d.min(x.ncols())).collect();
            widths.dedup();
            all.extend(widths.into_iter().map(|d| x.slice(s![.., ..d])));
        }
        all
    }

    pub(super) fn keep(&mut self, directions: &Directions, rings: usize, spreads: &[f64]) {
        let width = directions.weights.ncols().min(SHOWN);
        let weights = directions.weights.slice(s![.., ..width]).to_owned();
        let edges: Array1<f64> = EDGES[..=rings].iter().map(|&e| e as f64).collect();
        let arrays = [
            ("ridge.spread", Array1::from(spreads.to_vec()).into_dyn()),
            ("ridge.edges", edges.into_dyn()),
            ("ridge.centre", directions.centre.clone().into_dyn()),
            ("ridge.weights", weights.into_dyn()),
        ];
        for (name, array) in arrays {
            self.model.insert(name, array);
        }
    }
}
