//! Embedding and domains of cells that a model has not seen, without training.

use ndarray::Array2;

use super::columns::{chosen, Moments, View};
use super::domains::refined;
use super::predicted::joint_by;
use super::system::{Part, System};
use super::tensors::Tensors;
use super::tissue::Tissue;
use super::trainer::Found;
use crate::cluster::Classifier;
use crate::options::DomainSource;
use crate::preprocess::{Projection, Scaling};
use crate::{progress, threads, Result};

/// What new cells were measured by. The rows of counts are the features that the model kept, in its order.
pub struct NewPart<'a> {
    /// The measurements.
    pub part: Part<'a>,
    /// Which of those features are used, as rising places among them; empty for plain columns.
    pub genes: Vec<u32>,
    /// Which of them the new cells have: one that they lack counts as its mean.
    pub present: Vec<bool>,
}

impl NewPart<'_> {
    /// The projection that the model holds under `prefix`, for these features, or for those that it names itself.
    ///
    /// # Errors
    /// A model that lacks it.
    pub fn projection(&self, model: &Tensors, prefix: &str) -> Result<Projection> {
        let optional = |part: &str| match model.has(&format!("{prefix}.{part}")) {
            true => model.matrix(&format!("{prefix}.{part}")).map(Some),
            false => Ok(None),
        };
        let own = format!("{prefix}.genes");
        let genes = match model.has(&own) {
            true => model.vector(&own)?.iter().map(|&g| g as u32).collect(),
            false => self.genes.clone(),
        };
        Ok(Projection {
            kept: (0..self.present.len() as u32).collect(),
            genes,
            mean: model.vector(&format!("{prefix}.mean"))?.to_vec(),
            scale: model.vector(&format!("{prefix}.scale"))?.to_vec(),
            rotation: optional("rotation")?,
            turn: optional("turn")?,
        })
    }
}

/// What a system makes of new cells.
pub struct Seen {
    /// As of the cells trained on.
    pub found: Found,
    /// The columns that were averaged over neighbours, if the model looks at such.
    pub smoothed: Option<Array2<f32>>,
    /// Those that the neighbours predict, if it looks at such.
    pub predicted: Option<Array2<f32>>,
}

/// What a model says of new cells.
pub struct Prediction {
    /// Embedding and more.
    pub found: Found,
    /// A domain of the model for every cell, from 0; empty for a model without domains.
    pub domains: Vec<u32>,
}

/// How new cells are looked at.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// What their features are scaled by.
    pub scaling: Scaling,
    /// What the model's domains are found from.
    pub source: DomainSource,
    /// Neighbours whose commonest label a cell gets in the end; 0: none.
    pub refine: usize,
}

/// Takes new cells through a trained `model` of `system`, in the pool of their tissue.
///
/// # Errors
/// A damaged model, or one that does not fit the cells.
pub fn predict(
    system: &dyn System,
    model: &Tensors,
    parts: &[NewPart],
    tissue: &Tissue,
    how: How,
) -> Result<Prediction> {
    let _shown = progress::stage("predict", 0);
    threads::install(tissue.threads(), || {
        let mut seen = system.embed(model, parts, how.scaling, tissue)?;
        let embedding = match model.has("embedding.rotation") {
            true => view(model)?.of(seen.found.embedding.view())?,
            false => seen.found.embedding.mapv(f64::from),
        };
        let columns = chosen(
            how.source,
            embedding,
            seen.smoothed.as_ref(),
            seen.predicted.as_ref(),
        )?;
        if let (true, Some(predicted)) = (model.has("joint.weights"), &seen.predicted) {
            let network = seen.found.embedding.view();
            seen.found.embedding = joint_by(model, predicted.view(), network)?;
        }
        if !model.has("rule.weight") {
            return Ok(Prediction {
                found: seen.found,
                domains: Vec::new(),
            });
        }
        let moments = Moments {
            centre: model.vector("rule.centre")?,
            spread: model.vector("rule.spread")?,
        };
        let rule = Classifier {
            weight: model.matrix("rule.weight")?,
            bias: model.vector("rule.bias")?,
        };
        let labels = rule.labels(moments.scale(columns.view())?.view())?;
        let domains = match how.refine {
            0 => labels,
            k => refined(labels, tissue, k)?,
        };
        Ok(Prediction {
            found: seen.found,
            domains,
        })
    })
}

fn view(model: &Tensors) -> Result<View> {
    let centre = model.vector("embedding.centre")?;
    let rotation = model.matrix("embedding.rotation")?;
    Ok(View { centre, rotation })
}
