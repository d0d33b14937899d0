//! The plain baseline: principal components of the log-normalised counts, averaged over neighbours, no network. What
//! the others are measured against, and the smallest system there can be.

use candle_core::Device;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use crate::engine::columns::first_columns;
use crate::engine::system::sole;
use crate::engine::tensors::Tensors;
use crate::engine::{
    Asked, Found, Needs, NewPart, Opened, Part, Seen, System, Tissue, Trainer, Values,
};
use crate::graph::smooth;
use crate::options::{
    self, domain_rows as rows, ClusterMethod, DomainOptions, DomainSource, EmbeddingSource,
    OptionSet, Published, Range, Row, Section,
};
use crate::preprocess::{prepare_slices, Centre, Features, Scaling, Settings};
use crate::Result;

/// Every option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Genes kept, those that vary most.
    pub n_genes: usize,
    /// How domains are found.
    #[serde(flatten)]
    pub domains: DomainOptions,
}

/// 20 components over 18 cells, as in the folder `bench`.
impl Default for Options {
    fn default() -> Self {
        Self {
            n_genes: 2000,
            domains: DomainOptions {
                cluster: ClusterMethod::Gmm,
                domains_from: DomainSource::Smoothed,
                embedding_from: EmbeddingSource::Network,
                mix_slices: false,
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

impl OptionSet for Options {
    const SYSTEM: &'static str = "the baseline";
    const TABLE: &'static [Row] = &[
        Row::count("n_genes", Range::at_least(1.0), "genes kept.").under(Section::Data),
        rows::CLUSTER,
        rows::domains_from("`\"smoothed\"`: there is no network."),
        rows::EMBEDDING_FROM,
        rows::MIX_SLICES,
        rows::smooth_components("principal components of the log-normalised counts."),
        rows::smooth_k("over how many cells they are averaged."),
        rows::SMOOTH_PASSES,
        rows::STARTS,
        rows::CONSENSUS,
        rows::BOUNDARIES,
        rows::REFINE_K,
    ];

    fn presets() -> Vec<(&'static str, Value)> {
        vec![("plain", json!({}))]
    }

    fn published() -> Published {
        Published {
            fixed: json!({}),
            free: json!({}),
            several: json!({}),
            preset: "plain",
        }
    }
}

struct Baseline {
    options: Options,
    features: Option<Features>,
}

/// Ready for a run.
///
/// # Errors
/// Options that are none, or have no such value.
pub fn open(given: &Value, _: &Asked, _: &Tissue) -> Result<Opened> {
    let options: Options = options::parse(given)?;
    let domains = options.domains.clone();
    let features = None;
    Ok(Opened {
        system: Box::new(Baseline { options, features }),
        domains,
    })
}

impl Baseline {
    fn averaged(&self, features: &Features, tissue: &Tissue) -> Result<Array2<f32>> {
        let how = &self.options.domains;
        let x = first_columns(features.to_dense().view(), how.smooth_components);
        let around = how.smooth_k.unwrap_or(1).min(tissue.most_neighbours() + 1) - 1;
        smooth(x.view(), &*tissue.neighbours(around)?, how.smooth_passes)
    }
}

impl System for Baseline {
    fn prepare(&mut self, parts: &[Part], tissue: &Tissue) -> Result<()> {
        let settings = Settings {
            n_genes: self.options.n_genes,
            n_components: self.options.domains.smooth_components,
            log1p: true,
            centre: Centre::Means,
            ..Settings::default()
        };
        self.features = Some(match &sole(parts)?.values {
            Values::Columns(x) => Features::from_matrix(x.clone()),
            Values::Counts(counts) => prepare_slices(counts, tissue.slices(), &settings)?,
        });
        Ok(())
    }

    fn join(&mut self, _: &Tissue) -> Result<()> {
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn smooth(&mut self, tissue: &Tissue) -> Result<Option<Array2<f32>>> {
        let features = self.features.as_ref();
        features.map(|f| self.averaged(f, tissue)).transpose()
    }

    fn epochs(&self) -> usize {
        0
    }

    fn trainer(&self, _: &Tissue, _: u64, _: &Device) -> Result<Option<Box<dyn Trainer>>> {
        Ok(None)
    }

    fn tensors(&self) -> Tensors {
        let mut all = Tensors::default();
        if let Some(learnt) = self.features.as_ref().and_then(|f| f.projection.as_ref()) {
            all.insert_projection("smooth", learnt);
        }
        all
    }

    fn embed(
        &self,
        model: &Tensors,
        parts: &[NewPart],
        scaling: Scaling,
        tissue: &Tissue,
    ) -> Result<Seen> {
        let new = sole(parts)?;
        let features = match &new.part.values {
            Values::Columns(x) => Features::from_matrix(x.clone()),
            Values::Counts(counts) => {
                let how = (Settings::default().target_sum, true);
                let learnt = new.projection(model, "smooth")?;
                learnt.features(counts, &new.present, scaling, how)?
            }
        };
        let averaged = self.averaged(&features, tissue)?;
        Ok(Seen {
            found: Found::of(averaged.clone()),
            smoothed: Some(averaged),
            predicted: None,
        })
    }

    fn describe(&self) -> Value {
        let features = self.features.as_ref();
        features.map_or(Value::Null, Features::describe)
    }
}
