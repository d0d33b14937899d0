//! SpaCross as a system of the engine: what its run does in each stage.

use candle_core::Device;
use ndarray::Array2;
use serde_json::{json, Value};

use super::memory::{estimate, estimate_on_device, estimate_on_host, Size};
use super::{Encoder, EpochLosses, Params, Trainer};
use crate::design::Input;
use crate::engine::columns::first_columns;
use crate::engine::system::sole;
use crate::engine::tensors::Tensors;
use crate::engine::{
    trainer, Found, Join, Loss, Needs, NewPart, Part, Seen, System, Tissue, Values,
};
use crate::graph::{smooth, Graph};
use crate::preprocess::{self, prepare_slices, Features, Projection, Scaling};
use crate::sparse::CountsView;
use crate::{Error, Result};

/// Averages over neighbours, beside the embedding.
#[derive(Clone, Copy, Debug)]
pub struct Averages {
    /// How many components are averaged.
    pub components: usize,
    /// Over how many cells, the cell itself one of them.
    pub k: usize,
    /// How many times.
    pub passes: usize,
}

/// What a run of SpaCross is told.
#[derive(Clone, Debug)]
pub struct Settings {
    pub network: Params,
    pub features: preprocess::Settings,
    pub join: Join,
    /// Of several slices the published graph has its edges one way only.
    pub directed: bool,
    /// None: domains from the embedding alone.
    pub averages: Option<Averages>,
    /// K of the hybrid graph's cluster test.
    pub n_domains: usize,
}

/// See [`System`].
pub struct SpaCross {
    settings: Settings,
    features: Option<Features>,
    /// What is averaged, and how it was made of the counts.
    components: Option<(Array2<f32>, Option<Projection>)>,
    graph: Option<Graph>,
}

impl SpaCross {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            features: None,
            components: None,
            graph: None,
        }
    }

    fn features(&self) -> Result<&Features> {
        self.features.as_ref().ok_or_else(too_early)
    }

    /// Components of the log-normalised counts.
    fn components_of(
        &self,
        counts: &CountsView,
        tissue: &Tissue,
        n_components: usize,
    ) -> Result<(Array2<f32>, Option<Projection>)> {
        let settings = preprocess::Settings {
            log1p: true,
            n_components,
            scaled_genes: false,
            ..self.settings.features.clone()
        };
        let features = prepare_slices(counts, tissue.slices(), &settings)?;
        Ok((features.to_dense(), features.projection))
    }

    fn size(&self) -> Size {
        let features = self.features.as_ref();
        let (n_cells, n_columns) = features.map_or((0, 0), Features::dim);
        Size {
            n_cells,
            n_columns,
            n_edges: self.graph.as_ref().map_or(0, Graph::n_edges),
            n_nonzero: features.map_or(0, Features::n_nonzero),
        }
    }

    fn network(&self) -> Params {
        Params {
            imputation: self.size().n_nonzero > 0,
            ..self.settings.network.clone()
        }
    }
}

fn too_early() -> Error {
    Error::Internal("a stage came before the one that it needs".into())
}

/// How many neighbours there are in an average over `k` cells.
fn around(k: usize, tissue: &Tissue) -> usize {
    k.min(tissue.most_neighbours() + 1).saturating_sub(1)
}

impl System for SpaCross {
    fn prepare(&mut self, parts: &[Part], tissue: &Tissue) -> Result<()> {
        let averages = self.settings.averages;
        match &sole(parts)?.values {
            Values::Columns(x) => {
                self.components = averages.map(|a| (first_columns(x.view(), a.components), None));
                self.features = Some(Features::from_matrix(x.clone()));
            }
            Values::Counts(counts) => {
                let settings = &self.settings.features;
                self.features = Some(prepare_slices(counts, tissue.slices(), settings)?);
                let components = averages.map(|a| self.components_of(counts, tissue, a.components));
                self.components = components.transpose()?;
            }
        }
        Ok(())
    }

    fn join(&mut self, tissue: &Tissue) -> Result<()> {
        let settings = &self.settings;
        let averaged = settings.averages.map_or(0, |a| around(a.k, tissue));
        // The widest first: the others are parts of it.
        if let (Join::Nearest(k), 1..) = (settings.join, averaged) {
            tissue.neighbours(averaged.max(k))?;
        }
        self.graph = Some(tissue.graph(settings.join, settings.directed)?);
        Ok(())
    }

    fn needs(&self) -> Needs {
        let (size, network) = (self.size(), self.network());
        Needs {
            on_cpu: estimate(&size, &network),
            beside_gpu: estimate_on_host(&size, &network),
            on_gpu: estimate_on_device(&size, &network),
        }
    }

    fn smooth(&mut self, tissue: &Tissue) -> Result<Option<Array2<f32>>> {
        let (Some(averages), Some((x, _))) = (self.settings.averages, &self.components) else {
            return Ok(None);
        };
        let near = tissue.neighbours(around(averages.k, tissue))?;
        Ok(Some(smooth(x.view(), &near, averages.passes)?))
    }

    fn epochs(&self) -> usize {
        self.settings.network.epochs
    }

    fn trainer(
        &self,
        tissue: &Tissue,
        seed: u64,
        device: &Device,
    ) -> Result<Option<Box<dyn trainer::Trainer>>> {
        let features = self.features()?;
        let params = self.network();
        let params = params.check(tissue.n_cells(), self.settings.n_domains)?;
        let trainer = Trainer::new(
            Input::new(features),
            self.graph.as_ref().ok_or_else(too_early)?,
            tissue.order()?.to_vec(),
            params,
            seed,
            tissue.threads(),
            device,
        )?;
        Ok(Some(Box::new(trainer.with_slices(tissue.slices())?)))
    }

    fn tensors(&self) -> Tensors {
        let mut all = Tensors::default();
        let features = self.features.as_ref().and_then(|f| f.projection.as_ref());
        let averaged = self.components.as_ref().and_then(|c| c.1.as_ref());
        for (prefix, projection) in [("features", features), ("smooth", averaged)] {
            if let Some(projection) = projection {
                all.insert_projection(prefix, projection);
            }
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
        let how = &self.settings.features;
        let features = match &new.part.values {
            Values::Columns(x) => Features::from_matrix(x.clone()),
            Values::Counts(counts) => new.projection(model, "features")?.features(
                counts,
                &new.present,
                scaling,
                (how.target_sum, how.log1p),
            )?,
        };
        let graph = tissue.graph(self.settings.join, false)?;
        let encoder = Encoder::from_tensors(model)?;
        let embedding = encoder.embed_cells(&features, &graph, &tissue.order()?)?;
        let smoothed = self.settings.averages.map(|averages| {
            let columns = match &new.part.values {
                Values::Columns(x) => first_columns(x.view(), averages.components),
                Values::Counts(counts) => {
                    let learnt = new.projection(model, "smooth")?;
                    let how = (how.target_sum, true);
                    let found = learnt.features(counts, &new.present, scaling, how)?;
                    first_columns(found.to_dense().view(), averages.components)
                }
            };
            let near = tissue.neighbours(around(averages.k, tissue))?;
            smooth(columns.view(), &near, averages.passes)
        });
        Ok(Seen {
            found: Found::of(embedding),
            smoothed: smoothed.transpose()?,
        })
    }

    fn describe(&self) -> Value {
        let Some(features) = &self.features else {
            return Value::Null;
        };
        let projection = features.projection.as_ref();
        json!({
            "n_columns": features.dim().1,
            "genes": features.genes,
            "n_shared": features.n_shared,
            "n_kept": features.n_kept,
            "kept": projection.map(|p| &p.kept),
            "kept_genes": projection.map(|p| &p.genes),
        })
    }
}

impl trainer::Trainer for Trainer {
    fn losses(&self) -> Vec<Loss> {
        vec![
            Loss::shown("total", "loss"),
            Loss::shown("reconstruction", "rec"),
            Loss::shown("consistency", "cons"),
            Loss::shown("contrast", "contr"),
        ]
    }

    fn steps(&mut self, n: usize) -> Result<Vec<Vec<f64>>> {
        let row = |losses: &EpochLosses| {
            let contrast = losses.contrast.map_or(f64::NAN, f64::from);
            let terms = [losses.total, losses.reconstruction, losses.consistency];
            terms.map(f64::from).into_iter().chain([contrast]).collect()
        };
        Ok(Trainer::steps(self, n)?.iter().map(row).collect())
    }

    fn found(&mut self, more: bool) -> Result<Found> {
        let more = match more && self.reconstructs() {
            true => vec![("reconstruction", vec![self.reconstruct()?])],
            false => Vec::new(),
        };
        Ok(Found {
            embedding: self.embedding()?,
            more,
        })
    }

    fn tensors(&self) -> Result<Tensors> {
        self.weights()
    }
}
