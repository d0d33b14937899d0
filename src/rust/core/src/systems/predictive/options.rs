//! All options of predictive components.

use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use crate::options::{
    domain_rows as rows, ClusterMethod, DomainOptions, DomainSource, EmbeddingSource, OptionSet,
    Published, Range, Row, Section,
};
use crate::preprocess::{Centre, Settings, ALL_GENES};

/// Every option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Genes kept, those that vary most. None: all that pass the filter, as what neighbours do not share is not predicted.
    pub n_genes: Option<usize>,
    /// Cells in which a gene must be seen.
    pub min_cells: usize,
    /// Counts that a gene must have in all.
    pub min_counts: usize,
    /// What groups the cells.
    pub cluster: ClusterMethod,
    /// Starts of each mixture.
    pub starts: usize,
    /// Whether the embedding of several slices is freed of what tells the slices apart.
    pub mix_slices: bool,
    /// Whether cells along borders are looked at once more.
    pub boundaries: bool,
    /// Cells among which a cell takes the commonest label in the end; 0: it keeps its own.
    pub refine_k: usize,
}

/// Chosen over five tissues and checked on others: the folder `bench` holds the measurements.
impl Default for Options {
    fn default() -> Self {
        Self {
            n_genes: None,
            min_cells: 50,
            min_counts: 10,
            cluster: ClusterMethod::Consensus,
            starts: 20,
            mix_slices: true,
            boundaries: false,
            refine_k: 0,
        }
    }
}

impl Options {
    /// How domains are found: from what the neighbours predict, whatever the method.
    pub fn domains(&self) -> DomainOptions {
        DomainOptions {
            cluster: self.cluster,
            domains_from: DomainSource::Predicted,
            embedding_from: EmbeddingSource::Joint,
            mix_slices: self.mix_slices,
            smooth_components: 0,
            smooth_k: None,
            smooth_passes: 0,
            starts: self.starts,
            consensus: 1,
            boundaries: self.boundaries,
            refine_k: self.refine_k,
        }
    }

    /// How counts become components.
    pub fn features(&self) -> Settings {
        Settings {
            n_genes: self.n_genes.unwrap_or(ALL_GENES),
            min_cells: self.min_cells,
            min_counts: self.min_counts as f64,
            centre: Centre::MeansAndSpread,
            ..Settings::default()
        }
    }
}

impl OptionSet for Options {
    const SYSTEM: &'static str = "predictive components";
    const TABLE: &'static [Row] = &[
        Row::count(
            "n_genes",
            Range::at_least(1.0),
            "genes kept, those with the highest standardised variance (\"vst\"); NULL: all that `min_cells` and `min_counts` \
             let pass.",
        )
        .or_open()
        .under(Section::Data),
        Row::count(
            "min_cells",
            Range::at_least(0.0),
            "cells in which a gene must be seen; of fewer than 500 cells, a tenth of them.",
        )
        .under(Section::Data),
        Row::count(
            "min_counts",
            Range::at_least(0.0),
            "counts that a gene must have in all.",
        )
        .under(Section::Data),
        rows::CLUSTER,
        rows::MIX_SLICES,
        rows::STARTS,
        rows::BOUNDARIES,
        rows::REFINE_K,
    ];

    fn presets() -> Vec<(&'static str, Value)> {
        vec![("default", json!({}))]
    }

    fn published() -> Published {
        Published {
            fixed: json!({}),
            free: json!({}),
            several: json!({}),
            preset: "default",
        }
    }
}
