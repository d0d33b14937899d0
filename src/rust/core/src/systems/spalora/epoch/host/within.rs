//! One modality's way to its embedding and back: the encoder, two graphs, and attention over them.

use super::attention::{Attended, Parameters};
use super::columns::ColumnRange;
use super::narrow::Narrow;
use super::{propagate, Gradients, Weights};
use crate::nn::propagate::Operator;
use crate::systems::spalora::model::ModalityData;

/// What one modality keeps over the epochs.
pub enum Within {
    /// Attention over A (X W).
    Wide(Attended),
    Narrow(Narrow),
}

/// What the way needs beside the parameters.
pub struct Surroundings<'a> {
    pub source: &'a ModalityData,
    pub spatial: &'a Operator,
    /// N x d, to work in.
    pub plane: &'a mut [f32],
}

impl Within {
    pub fn new(source: &ModalityData, spatial: &Operator, d: usize) -> Self {
        let (n, p) = (source.n_rows(), source.input.n_columns());
        let graphs = [spatial.matrix(), source.features.matrix()];
        match source.input.as_dense() {
            Some(x) if p <= d => Self::Narrow(Narrow::new(x, p, graphs, d)),
            _ => Self::Wide(Attended::new(vec![0.0; 2 * n * d], n, 2, d)),
        }
    }

    /// N x 2: the spatial graph's weight, the feature graph's.
    pub fn weights(&self) -> &[f32] {
        match self {
            Self::Wide(attended) => &attended.weights,
            Self::Narrow(narrow) => &narrow.attended.weights,
        }
    }

    /// Writes the embedding to columns of `out`.
    pub fn forward(&mut self, w: &Weights, around: Surroundings, out: &mut [f32], at: ColumnRange) {
        let attended = match self {
            Self::Wide(attended) => attended,
            Self::Narrow(narrow) => return narrow.forward(w, out, at),
        };
        let Surroundings {
            source,
            spatial,
            plane,
        } = around;
        let from = ColumnRange::whole(at.width);
        source
            .input
            .multiply_into(&w.encoder, at.width, plane, false);
        for (j, graph) in [spatial, &source.features].into_iter().enumerate() {
            let to = ColumnRange::nth(j, 2, at.width);
            propagate(
                graph.matrix(),
                plane,
                from,
                &mut attended.embeddings,
                to,
                false,
            );
        }
        attended.forward(Parameters::of(&w.attention), out, at);
    }

    /// From the gradient of the embedding, columns of `grad`.
    pub fn backward(
        &mut self,
        w: &Weights,
        around: Surroundings,
        grad: &[f32],
        at: ColumnRange,
    ) -> Gradients {
        let attended = match self {
            Self::Wide(attended) => attended,
            Self::Narrow(narrow) => return narrow.backward(w, grad, at),
        };
        let Surroundings {
            source,
            spatial,
            plane,
        } = around;
        let attention = attended.backward_through(Parameters::of(&w.attention), grad, at, None);
        for (j, graph) in [spatial, &source.features].into_iter().enumerate() {
            let (from, to) = (
                ColumnRange::nth(j, 2, at.width),
                ColumnRange::whole(at.width),
            );
            propagate(
                graph.transpose(),
                &attended.embeddings,
                from,
                plane,
                to,
                j > 0,
            );
        }
        Gradients {
            encoder: source.input.transposed_times(plane, at.width),
            attention,
        }
    }
}
