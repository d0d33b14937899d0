//! All options of SpaLORA: their defaults, the presets, and what the published code does.

use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use super::table::TABLE;
use super::Params;
use crate::options::{
    ClusterMethod, DomainOptions, DomainSource, EmbeddingSource, GraphOptions, OptionSet,
    Published, Row,
};
use crate::preprocess::{Centre, Settings, ALL_GENES};
use crate::slices::Slices;

/// Along what the components of a modality lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Components {
    /// Directions in which the means over a cell and its neighbours vary most.
    Spatial,
    /// Principal components of the cells: as published.
    Cells,
}

/// Every option, under the names of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Of RNA: genes kept, those that vary most.
    pub n_genes: usize,
    /// Of RNA: cells in which a gene must be seen.
    pub min_cells: usize,
    /// Of RNA: counts that a gene must have in all.
    pub min_counts: usize,
    /// Of RNA: share of the cells in which a gene must be seen.
    pub min_share: f64,
    /// Of RNA: counts per cell after scaling.
    pub target_sum: f64,
    /// What the features of several slices are centred by.
    pub slice_center: Centre,
    /// Components of each modality; None: as published.
    pub n_components: Option<usize>,
    /// Along what they lie.
    pub components: Components,
    /// Who is a neighbour of whom in space.
    #[serde(flatten)]
    pub graph: GraphOptions,
    /// Most correlated cells in each modality.
    pub feature_k: usize,
    /// The network and its training.
    #[serde(flatten)]
    pub network: Params,
    /// Principal components of the embedding that are clustered.
    pub embedding_components: usize,
    /// What follows the training.
    #[serde(flatten)]
    pub domains: DomainOptions,
}

/// Chosen over simulated and real tissues: the folder `bench` holds the measurements.
impl Default for Options {
    fn default() -> Self {
        Self {
            n_genes: 3000,
            min_cells: 10,
            min_counts: 0,
            min_share: 0.05,
            target_sum: 1e4,
            slice_center: Centre::Means,
            n_components: Some(30),
            components: Components::Spatial,
            graph: GraphOptions { k: 6, radius: None },
            feature_k: 20,
            network: Params::default(),
            embedding_components: 10,
            domains: DomainOptions {
                cluster: ClusterMethod::Consensus,
                domains_from: DomainSource::Predicted,
                embedding_from: EmbeddingSource::Joint,
                mix_slices: true,
                smooth_components: 15,
                smooth_k: None,
                smooth_passes: 1,
                starts: 20,
                consensus: 1,
                boundaries: true,
                refine_k: 0,
            },
        }
    }
}

impl Options {
    /// How the RNA of cells in these slices is prepared.
    pub fn features(&self, slices: &Slices) -> Settings {
        let share = self.min_share * slices.n_cells() as f64 / slices.n_slices() as f64;
        Settings {
            min_cells: self.min_cells.max(share.ceil() as usize),
            min_counts: self.min_counts as f64,
            n_genes: self.n_genes,
            target_sum: self.target_sum,
            log1p: true,
            centre: self.slice_center,
            ..Settings::default()
        }
    }
}

impl Options {
    /// How the RNA becomes components that neighbours predict.
    pub fn predicted_features(&self, slices: &Slices) -> Settings {
        Settings {
            n_genes: ALL_GENES,
            centre: Centre::MeansAndSpread,
            ..self.features(slices)
        }
    }
}

impl OptionSet for Options {
    const SYSTEM: &'static str = "SpaLORA";
    const TABLE: &'static [Row] = TABLE;

    /// The code's settings for three platforms, RNA first.
    fn presets() -> Vec<(&'static str, Value)> {
        vec![
            (
                "visium_protein",
                preset(18, 64, 200, [[1.9, 2.5], [1.5, 10.0]], 3000),
            ),
            (
                "slide_tags",
                preset(1, 128, 200, [[5.0, 6.0], [1.0, 10.0]], 3000),
            ),
            (
                "spatial_atac_rna",
                preset(16, 128, 1600, [[1.5, 5.0], [1.5, 1.0]], 2000),
            ),
        ]
    }

    fn published() -> Published {
        Published {
            fixed: json!({
                "weights": "published", "input": "genes", "init": "random", "components": "cells", "cluster": "mclust",
                "domains_from": "embedding", "consensus": 1,
                "embedding_from": "network", "mix_slices": false,
            }),
            free: json!({
                "min_cells": 10, "min_counts": 0, "min_share": 0.0, "target_sum": 1e4, "slice_center": "none", "radius": null,
                "feature_k": 20, "learning_rate": 1e-4, "weight_decay": 0.0, "embedding_components": 20, "refine_k": 0,
            }),
            several: json!({}),
            preset: "visium_protein",
        }
    }
}

/// `weights`: of reconstruction and consistency, RNA first.
fn preset(k: usize, latent: usize, epochs: usize, weights: [[f64; 2]; 2], n_genes: usize) -> Value {
    let [reconstruction, consistency] = weights;
    json!({
        "k": k, "latent": latent, "epochs": epochs, "learning_rate": 1e-4, "w_recon": reconstruction, "w_cross": consistency,
        "n_genes": n_genes, "min_share": 0.0, "n_components": null, "components": "cells", "input": "genes",
        "embedding_components": 20,
    })
}
