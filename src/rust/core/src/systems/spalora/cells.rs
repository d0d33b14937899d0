//! Cells with all that the network takes of them.

use crate::graph::Graph;
use crate::nn::propagate::Operator;
use crate::preprocess::Modality;
use crate::{Error, Result};

/// In the caller's order. Trainings and predictions run in another, and give back this one.
#[derive(Clone, Copy)]
pub struct Cells<'a> {
    /// What was measured.
    pub modalities: &'a [Modality],
    /// Neighbours in the tissue.
    pub spatial: &'a Graph,
    /// Of each modality, cells that are similar by it.
    pub similar: &'a [Graph],
    /// The order to work in, along a space-filling curve: first cell `order[0]`, then `order[1]`.
    pub order: &'a [u32],
}

impl Cells<'_> {
    /// # Errors
    /// `Internal` for graphs of other cells, or not one for each modality.
    pub(super) fn check(&self) -> Result<()> {
        let fits = |graph: &Graph| graph.n_nodes() == self.order.len();
        match fits(self.spatial)
            && self.similar.iter().all(fits)
            && self.similar.len() == self.modalities.len()
        {
            true => Ok(()),
            false => Err(Error::Internal("modalities and graphs do not fit".into())),
        }
    }

    /// What averages over a graph, in the order to work in.
    pub(super) fn operator(&self, graph: &Graph) -> Result<Operator> {
        let graph = graph.permuted(self.order)?;
        Ok(Operator::symmetric(graph.normalised()))
    }
}
