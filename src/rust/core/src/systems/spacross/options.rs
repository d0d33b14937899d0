//! All options of SpaCross: their defaults, the presets, and what the published code does.

use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use super::table::TABLE;
use super::Params;
use crate::options::{
    ClusterMethod, DomainOptions, DomainSource, EmbeddingSource, GraphOptions, OptionSet,
    Published, Row,
};
use crate::preprocess::{Centre, Settings, ALL_GENES};

/// What imputed expression comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImputeFrom {
    /// What the cells' neighbours predict: nearer to counts that were held out than the network's.
    Predicted,
    /// The network's reconstruction of scaled genes: as published.
    Network,
}

/// Every option, under the names of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Genes kept, those that vary most.
    pub n_genes: usize,
    /// Cells in which a gene must be seen.
    pub min_cells: usize,
    /// Counts that a gene must have in all.
    pub min_counts: usize,
    /// Counts per cell after scaling.
    pub target_sum: f64,
    /// Whether log(1 + x) follows.
    pub log1p: bool,
    /// What the genes of several slices are centred by.
    pub slice_center: Centre,
    /// Principal components given to the network.
    pub n_components: usize,
    /// Who is a neighbour of whom.
    #[serde(flatten)]
    pub graph: GraphOptions,
    /// The network and its training.
    #[serde(flatten)]
    pub network: Params,
    /// What imputed expression comes from.
    pub impute_from: ImputeFrom,
    /// What follows the training.
    #[serde(flatten)]
    pub domains: DomainOptions,
}

/// Half of the published ones: beyond them the embedding's groups get no better, and on most tissues worse
/// (bench/README.md, "How many epochs").
const EPOCHS: usize = 150;

/// The published settings for Visium, but for the contrast, the cluster test, the epochs, and how domains are found.
impl Default for Options {
    fn default() -> Self {
        let published = Settings::default();
        Self {
            n_genes: published.n_genes,
            min_cells: published.min_cells,
            min_counts: published.min_counts as usize,
            target_sum: published.target_sum,
            log1p: published.log1p,
            slice_center: Centre::Means,
            n_components: published.n_components,
            graph: GraphOptions {
                k: 12,
                radius: None,
            },
            network: Params {
                epochs: EPOCHS,
                ..Params::default()
            },
            impute_from: ImputeFrom::Predicted,
            domains: DomainOptions {
                cluster: ClusterMethod::Consensus,
                domains_from: DomainSource::Predicted,
                embedding_from: EmbeddingSource::Joint,
                mix_slices: true,
                smooth_components: 20,
                smooth_k: Some(18),
                smooth_passes: 1,
                starts: 20,
                consensus: 1,
                boundaries: false,
                refine_k: 0,
            },
        }
    }
}

impl Options {
    /// How counts become the network's input.
    pub fn features(&self) -> Settings {
        Settings {
            min_cells: self.min_cells,
            min_counts: self.min_counts as f64,
            n_genes: self.n_genes,
            target_sum: self.target_sum,
            log1p: self.log1p,
            n_components: self.n_components,
            centre: self.slice_center,
            ..Settings::default()
        }
    }

    /// How counts become the components that neighbours predict: z-scored within each slice, whatever the network's
    /// input is.
    pub fn predicted_features(&self) -> Settings {
        Settings {
            n_genes: ALL_GENES,
            centre: Centre::MeansAndSpread,
            ..self.features()
        }
    }

    /// How counts become the components that are averaged over neighbours: log-normalised whatever the network's input
    /// is.
    pub fn smoothed_features(&self) -> Settings {
        Settings {
            log1p: true,
            n_components: self.domains.smooth_components,
            ..self.features()
        }
    }
}

impl OptionSet for Options {
    const SYSTEM: &'static str = "SpaCross";
    const TABLE: &'static [Row] = TABLE;

    /// The configuration files of the published code.
    fn presets() -> Vec<(&'static str, Value)> {
        vec![
            ("visium", preset(0.5, 12, 20, [0.3, 0.6, 0.6])),
            ("visium_mouse_brain", preset(0.6, 8, 20, [0.8, 0.5, 1.0])),
            ("starmap", preset(0.3, 12, 30, [0.8, 0.6, 0.1])),
            ("osmfish", preset(0.6, 6, 20, [0.8, 0.5, 1.0])),
            ("merfish", preset(0.7, 8, 20, [0.4, 0.5, 0.3])),
            ("stereoseq", preset(0.6, 10, 10, [1.0, 0.6, 0.1])),
            ("stereoseq_embryo", preset(0.5, 8, 10, [0.5, 0.5, 0.8])),
        ]
    }

    fn published() -> Published {
        Published {
            fixed: json!({
                "contrast": "all_pairs", "cluster_test": false, "cluster": "mclust", "domains_from": "embedding", "consensus": 1,
                "embedding_from": "network", "mix_slices": false,
                "impute_from": "network",
            }),
            free: json!({
                "n_genes": 2000, "min_cells": 50, "min_counts": 10, "target_sum": 1e6, "log1p": false, "slice_center": "none",
                "n_components": 200, "hidden1": 64, "hidden2": 32, "gcn_hidden": 64, "latent": 16, "project": 32,
                "dropout": 0.2, "replace_rate": 0.05, "sharpness": 2.0, "update_every": 50, "kmeans_runs": 5,
                "learning_rate": 1e-3, "weight_decay": 3e-4, "clip_norm": 5.0, "epochs": 300, "refine_k": 0,
            }),
            several: json!({ "n_genes": 5000 }),
            preset: "visium",
        }
    }
}

/// `weights`: of consistency, reconstruction and contrast.
fn preset(mask_rate: f64, k: usize, top_k: usize, weights: [f64; 3]) -> Value {
    let [consistency, reconstruction, contrast] = weights;
    json!({
        "mask_rate": mask_rate, "momentum": 0.0, "k": k, "top_k": top_k, "top_k_inter": 20,
        "w_consistency": consistency, "w_recon": reconstruction, "w_contrast": contrast,
    })
}
