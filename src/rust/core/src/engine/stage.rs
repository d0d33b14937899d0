//! What a run is told, and the stages that it goes through.

use super::domains::Method;
use super::system::System;
use super::tissue::Tissue;
use crate::options::{ClusterMethod, DomainOptions, DomainSource, EmbeddingSource};

/// What a run is asked for, beside the options of its system.
#[derive(Clone, Debug)]
pub struct Asked {
    /// How many domains to find.
    pub n_domains: usize,
    /// Of everything that is drawn.
    pub seed: u64,
    /// As the published code does it.
    pub published: bool,
    /// Expression as the model reconstructs it.
    pub impute: bool,
}

/// A system that is ready for a run, and how its domains are to be found.
pub struct Opened {
    /// The system.
    pub system: Box<dyn System>,
    /// From its options.
    pub domains: DomainOptions,
}

/// What every run is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many domains to find.
    pub n_domains: usize,
    /// Of everything that is drawn.
    pub seed: u64,
    /// As [`crate::device::choose`] takes it.
    pub device: String,
    /// How domains are found.
    pub domains: DomainOptions,
    /// Epochs of one call of [`super::Run::advance`]; None: all.
    pub block: Option<usize>,
}

impl Settings {
    /// What was asked for, on a device.
    pub fn new(asked: &Asked, device: impl Into<String>, domains: &DomainOptions) -> Self {
        Self {
            n_domains: asked.n_domains,
            seed: asked.seed,
            device: device.into(),
            domains: domains.clone(),
            block: None,
        }
    }

    /// The method of the core; None where whoever holds the run finds the groups.
    pub fn method(&self) -> Option<Method> {
        match self.domains.cluster {
            ClusterMethod::Consensus => Some(Method::Consensus),
            ClusterMethod::Gmm => Some(Method::Mixture),
            ClusterMethod::Kmeans => Some(Method::KMeans),
            ClusterMethod::Mclust | ClusterMethod::Leiden | ClusterMethod::Louvain => None,
        }
    }

    /// What is clustered.
    pub fn source(&self) -> DomainSource {
        self.domains.domains_from
    }

    /// Whether the embedding that users see is the network's together with what neighbours predict.
    pub(super) fn joins(&self) -> bool {
        self.source() == DomainSource::Predicted
            && self.domains.embedding_from == EmbeddingSource::Joint
    }

    /// Whether the embedding of this tissue is freed of what tells its slices apart.
    pub fn mixes(&self, tissue: &Tissue) -> bool {
        self.joins() && self.domains.mix_slices && tissue.slices().n_slices() > 1
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Wants the parts.
    Preprocess,
    /// Finds the neighbours.
    Graph,
    /// Chooses the device, and refuses what does not fit.
    Place,
    /// Averages over neighbours, and predicts from them.
    Smooth,
    /// Trains the network.
    Train,
    /// Groups the columns.
    Domains,
    /// The method of the settings is not one of the core: wants labels.
    Labels,
    /// Makes what labels further cells.
    Model,
    /// Nothing.
    Done,
}

impl Stage {
    /// Its name in the timings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preprocess => "preprocess",
            Self::Graph => "graph",
            Self::Place => "place",
            Self::Smooth => "smooth",
            Self::Train => "train",
            Self::Domains | Self::Labels => "domains",
            Self::Model => "model",
            Self::Done => "done",
        }
    }
}
