//! The adaptive hybrid graph: which nodes make up a node's summary (METHODS 3).

mod device;
mod host;
mod pairs;

use std::sync::Arc;

use candle_core::Device;

use super::model::Model;
use super::params::ValidParams;
use crate::cluster::KMeansSettings;
use crate::design::Input;
use crate::engine::place::Place;
use crate::graph::Graph;
use crate::nn::propagate::Operator;
use crate::slices::Slices;
use crate::Result;

#[cfg(all(test, feature = "emulate"))]
pub use device::most_similar;
pub use pairs::{select_pairs, select_pairs_across, summary_operator, Pairs, Reach};

/// What the graph is built from.
pub struct Basis<'a> {
    /// Where it is built.
    pub place: &'a Place,
    /// Whose embeddings are compared.
    pub model: &'a Model,
    /// What the encoders see.
    pub input: &'a Arc<Input>,
    /// Averages over the spatial graph.
    pub propagation: &'a Operator,
    /// Neighbours in the tissue.
    pub spatial: &'a Graph,
    /// The slice of every node.
    pub slices: &'a Slices,
    /// How many neighbours and clusterings.
    pub params: &'a ValidParams,
    /// Of the clusterings.
    pub seed: u64,
    /// Which of the rebuilds this is.
    pub round: u32,
}

impl Basis<'_> {
    /// The operator that takes embeddings to summaries. A device's kernels hold one slice, and only so many neighbours
    /// and columns; the CPU does the rest.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn summaries(&self) -> Result<Operator> {
        let p = &self.params.params;
        let held = self.slices.n_slices() == 1 && device::fits(p.latent, p.top_k);
        match self.place {
            Place::Device(kernels) if held => device::summaries(self, kernels),
            _ => {
                let n_nodes = self.spatial.n_nodes();
                operator(&host::pairs(self)?, n_nodes, self.model.token.device())
            }
        }
    }

    /// The labels of the cluster test: several runs of `kmeans`, wherever that runs.
    fn cluster_labels(
        &self,
        kmeans: impl Fn(&KMeansSettings) -> Result<Vec<u32>>,
    ) -> Result<Vec<Vec<u32>>> {
        let runs = self.params.params.kmeans_runs as u32;
        (0..runs)
            .map(|run| {
                kmeans(&KMeansSettings {
                    starts: 1,
                    seed: self.seed,
                    round: self.round * runs + run,
                    ..KMeansSettings::default()
                })
            })
            .collect()
    }
}

/// The operator of given pairs, for tensors on `device`.
///
/// # Errors
/// A device that does not answer.
pub fn operator(pairs: &Pairs, n_nodes: usize, device: &Device) -> Result<Operator> {
    Ok(Operator::new(summary_operator(pairs, n_nodes)?).on(device)?)
}

/// Rows of length 1; a row without length stays 0.
pub fn normalise_rows(x: &mut [f32], width: usize) {
    for row in x.chunks_exact_mut(width) {
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
        row.iter_mut().for_each(|v| *v /= length);
    }
}
