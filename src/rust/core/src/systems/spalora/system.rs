//! SpaLORA as a system of the engine: what its run does in each stage.

use candle_core::Device;
use ndarray::{Array1, Array2};
use serde_json::{json, Value};

use super::averages::{divided, Averaged};
use super::memory::{estimate, estimate_on_device, estimate_on_host, Part as Modal, Size};
use super::prepare::{around, modalities};
use super::training::{all_of, Training};
use super::{Cells, Encoder, Options, Trainer};
use crate::engine::columns::{first_columns, side_by_side, total_spread};
use crate::engine::predicted::{components_of_new, placed, predicted_by_all};
use crate::engine::tensors::Tensors;
use crate::engine::{
    trainer, Asked, Components, Join, Needs, NewPart, Opened, Part, Predictions, Seen, System,
    Tissue, Values,
};
use crate::graph::{correlation_knn, reach, Graph, WIDEST};
use crate::options::{self, DomainSource};
use crate::preprocess::{Centre, Modality, ModalityKind, Scaling};
use crate::{Error, Result};

/// SpaLORA ready for a run.
///
/// # Errors
/// Options that are none, or have no such value.
pub fn open(given: &Value, asked: &Asked, _: &Tissue) -> Result<Opened> {
    let options: Options = options::parse(given)?;
    let domains = options.domains.clone();
    let system = SpaLora {
        options,
        seed: asked.seed,
        names: Vec::new(),
        modalities: Vec::new(),
        spatial: None,
        similar: Vec::new(),
        averaged: Vec::new(),
        predictable: Vec::new(),
    };
    Ok(Opened {
        system: Box::new(system),
        domains,
    })
}

/// The share of its own residual that a cell keeps in what its neighbours predict: across modalities, its own noise is
/// less of what it holds.
const OWN: f64 = 0.1;

/// See [`System`].
struct SpaLora {
    options: Options,
    /// Of the search for components and similar cells.
    seed: u64,
    names: Vec<String>,
    modalities: Vec<Modality>,
    spatial: Option<Graph>,
    similar: Vec<Graph>,
    averaged: Vec<Averaged>,
    /// What neighbours predict, of each modality.
    predictable: Vec<Components>,
}

impl SpaLora {
    /// The neighbours that any stage asks for, the most of them first.
    fn widest(&self, tissue: &Tissue) -> usize {
        let joined = match self.join_by() {
            Join::Nearest(k) => k,
            Join::Radius(_) => 0,
        };
        let averaged = match (self.averages(), self.options.domains.smooth_k) {
            (true, Some(k)) => k.saturating_sub(1),
            (true, None) => WIDEST,
            (false, _) => 0,
        };
        let around = around(&self.options).unwrap_or(0);
        averaged
            .max(around)
            .min(tissue.most_neighbours())
            .max(joined)
    }

    /// Whether columns averaged over neighbours are looked at.
    fn averages(&self) -> bool {
        let source = self.options.domains.domains_from;
        matches!(source, DomainSource::Smoothed | DomainSource::Both)
    }

    /// Whether domains are found from what neighbours predict.
    fn predicts(&self) -> bool {
        self.options.domains.domains_from == DomainSource::Predicted
    }

    /// What neighbours predict of a modality: of RNA, principal components as [`Components::of_counts`] makes them; of
    /// others those that the network sees.
    fn components(&self, part: &Part, modality: &Modality, tissue: &Tissue) -> Result<Components> {
        match (&part.values, part.kind) {
            (Values::Counts(counts), ModalityKind::Rna) => {
                let settings = self.options.predicted_features(tissue.slices());
                let found = Components::of_counts(counts, tissue, &settings);
                found.map_err(|e| e.in_modality(&part.name))
            }
            (Values::Counts(_), _) if self.options.slice_center != Centre::All => {
                let found = Components::of_columns(modality.components.view(), tissue)?;
                found.evened(tissue)
            }
            _ => Components::of_columns(modality.components.view(), tissue),
        }
    }

    /// The same of new cells, in their own order.
    fn components_of(
        &self,
        model: &Tensors,
        new: &NewPart,
        modality: &Modality,
        (m, scaling): (usize, Scaling),
    ) -> Result<Array2<f32>> {
        match (&new.part.values, new.part.kind) {
            (Values::Counts(_), ModalityKind::Rna) => {
                let found = components_of_new(new, model, &format!("predict{m}"), scaling);
                found.map_err(|e| e.in_modality(&new.part.name))
            }
            _ => placed(
                modality.components.view(),
                model,
                &format!("predict{m}"),
                scaling,
            ),
        }
    }

    fn join_by(&self) -> Join {
        Join::of(&self.options.graph)
    }

    fn size(&self) -> Size {
        let edges = self.spatial.iter().chain(&self.similar).map(Graph::n_edges);
        let part = |m: &Modality| Modal::of(m, &self.options.network);
        Size {
            n_cells: self.modalities.first().map_or(0, |m| m.features.dim().0),
            n_edges: edges.sum(),
            parts: self.modalities.iter().map(part).collect(),
        }
    }

    /// The graph of similar cells of each modality.
    fn similar(&self, modalities: &[Modality]) -> Result<Vec<Graph>> {
        let (k, seed) = (self.options.feature_k, self.seed);
        let similar = |m: &Modality| correlation_knn(m.components.view(), k, seed);
        modalities.iter().map(similar).collect()
    }

    /// The modalities of new cells.
    fn projected(
        &self,
        model: &Tensors,
        parts: &[NewPart],
        scaling: Scaling,
    ) -> Result<Vec<Modality>> {
        let target_sum = self.options.target_sum;
        let modality = |(new, m): (&NewPart, usize)| match &new.part.values {
            Values::Columns(x) => Modality::from_matrix(x.clone()),
            Values::Counts(counts) => {
                let learnt = new.projection(model, &format!("omics{m}"))?;
                let (kind, present) = (new.part.kind, &new.present);
                Modality::projected(kind, &learnt, counts, present, scaling, target_sum)
            }
        };
        let named = |(new, m)| modality((new, m)).map_err(|e| e.in_modality(&new.part.name));
        parts.iter().zip(1..).map(named).collect()
    }

    /// The components of new cells, averaged as those of the cells trained on.
    fn averaged_as(
        &self,
        model: &Tensors,
        modalities: &[Modality],
        tissue: &Tissue,
    ) -> Result<Option<Array2<f32>>> {
        if !self.averages() {
            return Ok(None);
        }
        let (spread, k) = (model.vector("smooth.spread")?, model.vector("smooth.k")?);
        if spread.len() != modalities.len() || k.len() != modalities.len() {
            return Err(Error::model(
                "The averages of the model do not fit its modalities",
            ));
        }
        let each = modalities
            .iter()
            .zip(spread.iter().zip(&k))
            .map(|(m, (&spread, &k))| {
                let by = Averaged {
                    spread,
                    k: k as usize,
                };
                by.average(m, &self.options.domains, tissue)
            });
        let columns = each.collect::<Result<Vec<_>>>()?;
        let columns: Vec<_> = columns.iter().map(|x| x.view()).collect();
        side_by_side(&columns).map(Some)
    }

    /// The components of a modality with a variance of 1 in all, averaged, and what they are averaged by. Those of a
    /// modality with more columns would otherwise outvote the others.
    fn average(&self, modality: &Modality, tissue: &Tissue) -> Result<(Averaged, Array2<f32>)> {
        let how = &self.options.domains;
        let x = first_columns(modality.components.view(), how.smooth_components);
        let spread = total_spread(x.view());
        let k = match how.smooth_k {
            Some(k) => k,
            None => {
                let x = divided(x.view(), spread);
                let near = tissue.neighbours(tissue.most_neighbours().min(WIDEST))?;
                reach(x.view(), &near, &tissue.order()?)? + 1
            }
        };
        let by = Averaged { spread, k };
        let smoothed = by.average(modality, how, tissue)?;
        Ok((by, smoothed))
    }
}

impl System for SpaLora {
    fn prepare(&mut self, parts: &[Part], tissue: &Tissue) -> Result<()> {
        self.names = parts.iter().map(|part| part.name.clone()).collect();
        let widest = self.widest(tissue);
        if widest > 0 {
            tissue.neighbours(widest)?;
        }
        self.modalities = modalities(parts, tissue, &self.options, self.seed)?;
        if self.predicts() {
            let pairs = parts.iter().zip(&self.modalities);
            let each = pairs.map(|(part, modality)| self.components(part, modality, tissue));
            self.predictable = each.collect::<Result<Vec<_>>>()?;
        }
        Ok(())
    }

    fn join(&mut self, tissue: &Tissue) -> Result<()> {
        self.spatial = Some(tissue.graph(self.join_by(), false)?);
        self.similar = self.similar(&self.modalities)?;
        Ok(())
    }

    fn needs(&self) -> Needs {
        let size = self.size();
        let network = &self.options.network;
        Needs {
            on_cpu: estimate(&size, network),
            beside_gpu: estimate_on_host(&size),
            on_gpu: estimate_on_device(&size, network),
        }
    }

    fn smooth(&mut self, tissue: &Tissue) -> Result<Option<Array2<f32>>> {
        if !self.averages() {
            return Ok(None);
        }
        let each = self.modalities.iter().map(|m| self.average(m, tissue));
        let (averaged, columns): (Vec<_>, Vec<_>) =
            each.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        self.averaged = averaged;
        let columns: Vec<_> = columns.iter().map(|x| x.view()).collect();
        side_by_side(&columns).map(Some)
    }

    fn predictions(&mut self, tissue: &Tissue) -> Result<Option<Predictions>> {
        if !self.predicts() {
            return Ok(None);
        }
        let components = Components::join(&self.predictable)?;
        components.predict(tissue, OWN).map(Some)
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
        let too_early = || Error::Internal("a training before the graphs".into());
        let cells = Cells {
            modalities: &self.modalities,
            spatial: self.spatial.as_ref().ok_or_else(too_early)?,
            similar: &self.similar,
            order: &tissue.order()?,
        };
        let params = self.options.network.clone().check(self.modalities.len())?;
        let trainer = Trainer::new(cells, params, seed, tissue.threads(), device)?;
        let names = self.names.clone();
        Ok(Some(Box::new(Training { trainer, names })))
    }

    fn view(&self) -> Option<usize> {
        Some(self.options.embedding_components)
    }

    fn tensors(&self) -> Tensors {
        let mut all = Tensors::default();
        for (modality, m) in self.modalities.iter().zip(1..) {
            if let Some(projection) = &modality.projection {
                all.insert_projection(&format!("omics{m}"), projection);
            }
        }
        for (components, m) in self.predictable.iter().zip(1..) {
            components.store(&mut all, &format!("predict{m}"));
            if let Some(projection) = components.projection() {
                all.insert_genes(&format!("predict{m}"), projection);
            }
        }
        if !self.averaged.is_empty() {
            let spread = self.averaged.iter().map(|a| a.spread);
            all.insert("smooth.spread", spread.collect::<Array1<f64>>().into_dyn());
            let k = self.averaged.iter().map(|a| a.k as f64);
            all.insert("smooth.k", k.collect::<Array1<f64>>().into_dyn());
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
        tissue.neighbours(self.widest(tissue).max(1))?;
        let modalities = self.projected(model, parts, scaling)?;
        let similar: Vec<Graph> = self.similar(&modalities)?;
        let graph = tissue.graph(self.join_by(), false)?;
        let encoder = Encoder::from_tensors(model, modalities.len())?;
        let found = encoder.embed_cells(Cells {
            modalities: &modalities,
            spatial: &graph,
            similar: &similar,
            order: &tissue.order()?,
        })?;
        let predicted = || {
            let pairs = parts.iter().zip(&modalities).zip(1..);
            let each = pairs.map(|((new, m), i)| self.components_of(model, new, m, (i, scaling)));
            let each = each.collect::<Result<Vec<_>>>()?;
            let views: Vec<_> = each.iter().map(|x| x.view()).collect();
            predicted_by_all(model, &views, tissue)
        };
        Ok(Seen {
            smoothed: self.averaged_as(model, &modalities, tissue)?,
            predicted: self.predicts().then(predicted).transpose()?,
            found: all_of(found),
        })
    }

    fn describe(&self) -> Value {
        let modality = |m: &Modality| {
            json!({
                "n_columns": m.features.dim().1,
                "n_components": m.components.ncols(),
                "features": m.features.genes,
                "kept": m.projection.as_ref().map(|p| &p.kept),
                "kept_genes": m.projection.as_ref().map(|p| &p.genes),
            })
        };
        json!({
            "modalities": self.modalities.iter().map(modality).collect::<Vec<_>>(),
            "smooth_k": self.averaged.iter().map(|a| a.k).collect::<Vec<_>>(),
        })
    }
}
