//! What a run gives: what it found on the way, and the model.

use ndarray::Array1;

use super::Run;
use crate::cluster::Classifier;
use crate::device::Choice;
use crate::engine::predicted::Predictions;
use crate::engine::system::System;
use crate::engine::tensors::Tensors;
use crate::engine::tissue::Tissue;
use crate::engine::trainer::Found;
use crate::engine::training::line;
use crate::Result;

impl Run {
    /// What further cells are prepared, embedded and labelled by.
    pub(super) fn make_model(&self) -> Result<Tensors> {
        let fit = self.fit()?;
        let mut model = self.system.tensors();
        model.extend(fit.weights.clone());
        if let Some(view) = &fit.view {
            model.insert("embedding.centre", view.centre.clone().into_dyn());
            model.insert("embedding.rotation", view.rotation.clone().into_dyn());
        }
        if let Some(predicted) = &self.predicted {
            model.extend(predicted.model.clone());
        }
        if self.labelling.domains.is_empty() {
            return Ok(model);
        }
        let moments = self.moments(&fit.columns);
        let x = moments.scale(fit.columns.view())?;
        let rule = {
            let n = self.labelling.n_groups(&self.settings);
            Classifier::fit(x.view(), &self.labelling.domains, n)?
        };
        let vectors: [(&str, Array1<f64>); 3] = [
            ("rule.centre", moments.centre),
            ("rule.spread", moments.spread),
            ("rule.bias", rule.bias),
        ];
        for (name, values) in vectors {
            model.insert(name, values.into_dyn());
        }
        model.insert("rule.weight", rule.weight.into_dyn());
        Ok(model)
    }

    /// Embedding and more of the first training.
    ///
    /// # Errors
    /// A run that has not trained.
    pub fn found(&self) -> Result<&Found> {
        Ok(&self.fit()?.found)
    }

    /// Names of the losses of [`Run::history`].
    ///
    /// # Errors
    /// A run that has not trained.
    pub fn losses(&self) -> Result<Vec<&str>> {
        Ok(self.fit()?.losses.iter().map(|l| l.name.as_str()).collect())
    }

    /// The last losses of the first training, as they are shown.
    pub fn last_losses(&self) -> String {
        match (&self.fit, self.history.last()) {
            (Some(fit), Some(last)) => line(&fit.losses, last),
            _ => String::new(),
        }
    }

    /// The losses of the first training, a row an epoch.
    pub fn history(&self) -> &[Vec<f64>] {
        &self.history
    }

    /// The domain of every cell, from 0, numbered along the tissue; empty before they are found.
    pub fn domains(&self) -> &[u32] {
        &self.labelling.domains
    }

    /// For every cell the share of the labellings that agree with its domain; None where there was one only.
    pub fn confidence(&self) -> Option<&[f64]> {
        self.labelling.confidence.as_deref()
    }

    /// What the cells' neighbours say about them, where domains are found from that.
    pub fn predicted(&self) -> Option<&Predictions> {
        self.predicted.as_ref()
    }

    /// The cells in space.
    pub fn tissue(&self) -> &Tissue {
        &self.tissue
    }

    /// What [`crate::engine::Stage::Model`] made.
    pub fn model(&self) -> &Tensors {
        &self.model
    }

    /// Where training runs, once that is chosen.
    pub fn place(&self) -> Option<&Choice> {
        self.place.as_ref()
    }

    /// The system, and what it says of its stages.
    pub fn system(&self) -> &dyn System {
        self.system.as_ref()
    }

    /// Wall seconds of every stage that ran, in order.
    pub fn seconds(&self) -> &[(&'static str, f64)] {
        &self.seconds
    }
}
