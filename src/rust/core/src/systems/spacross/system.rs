//! SpaCross as a system of the engine: what its run does in each stage.

use candle_core::Device;
use ndarray::{Array2, ArrayView2};
use serde_json::Value;

use super::memory::{estimate, estimate_on_device, estimate_on_host, Size};
use super::options::ImputeFrom;
use super::{Encoder, EpochLosses, Options, Params, Trainer};
use crate::design::Input;
use crate::engine::columns::first_columns;
use crate::engine::predicted::{components_of_new, predicted_by};
use crate::engine::system::sole;
use crate::engine::tensors::Tensors;
use crate::engine::{
    self, trainer, Asked, Found, Join, Loss, Needs, NewPart, Opened, Part, Predictions, Seen,
    System, Tissue, Values,
};
use crate::graph::{smooth, Graph};
use crate::options::{self, DomainSource};
use crate::preprocess::{self, prepare_slices, Features, GeneChoice, Projection, Scaling};
use crate::sparse::CountsView;
use crate::{Error, Result};

/// SpaCross ready for a run on a tissue.
///
/// # Errors
/// Options that are none, or have no such value.
pub fn open(given: &Value, asked: &Asked, tissue: &Tissue) -> Result<Opened> {
    let options: Options = options::parse(given)?;
    let domains = options.domains.clone();
    let system = SpaCross {
        // The published graph of several slices has its edges one way only.
        directed: asked.published && tissue.slices().n_slices() > 1,
        gene_choice: match asked.published {
            true => GeneChoice::Intersection,
            false => GeneChoice::MedianRank,
        },
        impute: asked.impute,
        n_domains: asked.n_domains,
        options,
        features: None,
        components: None,
        predictable: None,
        graph: None,
    };
    Ok(Opened {
        system: Box::new(system),
        domains,
    })
}

/// See [`System`].
struct SpaCross {
    options: Options,
    /// How the genes of several slices are chosen.
    gene_choice: GeneChoice,
    directed: bool,
    impute: bool,
    /// K of the hybrid graph's cluster test.
    n_domains: usize,
    features: Option<Features>,
    /// What is averaged, and how it was made of the counts.
    components: Option<Components>,
    /// What neighbours predict.
    predictable: Option<engine::Components>,
    graph: Option<Graph>,
}

impl SpaCross {
    /// Whether columns averaged over neighbours are looked at.
    fn averages(&self) -> bool {
        let source = self.options.domains.domains_from;
        matches!(source, DomainSource::Smoothed | DomainSource::Both)
    }

    /// Whether anything is made of what neighbours predict.
    fn predicts(&self) -> bool {
        self.options.domains.domains_from == DomainSource::Predicted || self.imputes_by_neighbours()
    }

    fn imputes_by_neighbours(&self) -> bool {
        self.impute && self.options.impute_from == ImputeFrom::Predicted
    }

    fn join_by(&self) -> Join {
        Join::of(&self.options.graph)
    }

    /// How many neighbours there are in an average.
    fn around(&self, tissue: &Tissue) -> usize {
        let k = self.options.domains.smooth_k.unwrap_or(0);
        k.min(tissue.most_neighbours() + 1).saturating_sub(1)
    }

    fn averaged(&self, x: ArrayView2<f32>, tissue: &Tissue) -> Result<Array2<f32>> {
        let near = tissue.neighbours(self.around(tissue))?;
        smooth(x, &near, self.options.domains.smooth_passes)
    }

    fn features(&self) -> Result<&Features> {
        self.features.as_ref().ok_or_else(too_early)
    }

    /// What is averaged: components of the log-normalised counts.
    fn components_of(&self, counts: &CountsView, tissue: &Tissue) -> Result<Components> {
        let settings = preprocess::Settings {
            gene_choice: self.gene_choice,
            ..self.options.smoothed_features()
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
            ..self.options.network.clone()
        }
    }
}

fn too_early() -> Error {
    Error::Internal("a stage came before the one that it needs".into())
}

/// Cells x components, and how they were made of counts.
type Components = (Array2<f32>, Option<Projection>);

impl System for SpaCross {
    fn prepare(&mut self, parts: &[Part], tissue: &Tissue) -> Result<()> {
        let wanted = self.options.domains.smooth_components;
        match &sole(parts)?.values {
            Values::Columns(x) => {
                self.components = self
                    .averages()
                    .then(|| (first_columns(x.view(), wanted), None));
                let predictable = || engine::Components::of_columns(x.view(), tissue);
                self.predictable = self.predicts().then(predictable).transpose()?;
                self.features = Some(Features::from_matrix(x.clone()));
            }
            Values::Counts(counts) => {
                let settings = preprocess::Settings {
                    gene_choice: self.gene_choice,
                    scaled_genes: self.impute && !self.imputes_by_neighbours(),
                    ..self.options.features()
                };
                self.features = Some(prepare_slices(counts, tissue.slices(), &settings)?);
                let components = || self.components_of(counts, tissue);
                self.components = self.averages().then(components).transpose()?;
                let settings = self.options.predicted_features();
                let predictable = || engine::Components::of_counts(counts, tissue, &settings);
                self.predictable = self.predicts().then(predictable).transpose()?;
            }
        }
        Ok(())
    }

    fn join(&mut self, tissue: &Tissue) -> Result<()> {
        // The widest first: the others are parts of it.
        if let (Join::Nearest(k), true) = (self.join_by(), self.averages()) {
            tissue.neighbours(self.around(tissue).max(k))?;
        }
        self.graph = Some(tissue.graph(self.join_by(), self.directed)?);
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
        let components = self.components.as_ref();
        let averaged = components.map(|(x, _)| self.averaged(x.view(), tissue));
        averaged.transpose()
    }

    fn predictions(&mut self, tissue: &Tissue) -> Result<Option<Predictions>> {
        let components = self.predictable.as_ref();
        components.map(|x| x.predict(tissue, 0.0)).transpose()
    }

    fn impute(&self, predicted: &Predictions, tissue: &Tissue) -> Result<Option<Array2<f32>>> {
        match (&self.predictable, self.imputes_by_neighbours()) {
            (Some(components), true) => {
                let genes = &self.features()?.genes;
                components.impute(predicted, tissue, genes).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn epochs(&self) -> usize {
        self.options.network.epochs
    }

    fn trainer(
        &self,
        tissue: &Tissue,
        seed: u64,
        device: &Device,
    ) -> Result<Option<Box<dyn trainer::Trainer>>> {
        let features = self.features()?;
        let params = self.network();
        let params = params.check(tissue.n_cells(), self.n_domains)?;
        let trainer = Trainer::new(
            Input::from(features),
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
        let predicted = self.predictable.as_ref().and_then(|c| c.projection());
        for (prefix, projection) in [("features", features), ("smooth", averaged)] {
            if let Some(projection) = projection {
                all.insert_projection(prefix, projection);
            }
        }
        if let Some(components) = &self.predictable {
            components.store(&mut all, "predict");
        }
        if let Some(projection) = predicted {
            all.insert_genes("predict", projection);
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
        let prepared = |prefix: &str, log1p: bool| match &new.part.values {
            Values::Columns(x) => Ok(Features::from_matrix(x.clone())),
            Values::Counts(counts) => {
                let how = (self.options.target_sum, log1p);
                let learnt = new.projection(model, prefix)?;
                learnt.features(counts, &new.present, scaling, how)
            }
        };
        let features = prepared("features", self.options.log1p)?;
        let graph = tissue.graph(self.join_by(), false)?;
        let encoder = Encoder::from_tensors(model)?;
        let embedding = encoder.embed_cells(&features, &graph, &tissue.order()?)?;
        let smoothed = || {
            let columns = prepared("smooth", true)?.to_dense();
            let columns = first_columns(columns.view(), self.options.domains.smooth_components);
            self.averaged(columns.view(), tissue)
        };
        let predicted = || {
            let x = components_of_new(new, model, "predict", scaling)?;
            predicted_by(model, x.view(), tissue)
        };
        Ok(Seen {
            found: Found::of(embedding),
            smoothed: self.averages().then(smoothed).transpose()?,
            predicted: self.predicts().then(predicted).transpose()?,
        })
    }

    fn describe(&self) -> Value {
        let features = self.features.as_ref();
        features.map_or(Value::Null, Features::describe)
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

    fn unseen(&self) -> Result<Option<Array2<f32>>> {
        Trainer::unseen(self).map(Some)
    }

    fn checkpoint(&self) -> Result<Tensors> {
        Trainer::checkpoint(self)
    }

    fn resume(&mut self, saved: &Tensors) -> Result<()> {
        Trainer::resume(self, saved)
    }

    fn tensors(&self) -> Result<Tensors> {
        self.weights()
    }
}
