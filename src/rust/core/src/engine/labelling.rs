//! From the columns of every training to the domains that all agree on, and how sure they are.

use ndarray::{Array2, Axis};

use super::domains::{agreed, ensemble, finished, groups, off_curve, run_seed, voters, Method};
use super::predicted::Predictions;
use super::stage::Settings;
use super::tissue::Tissue;
use crate::cluster::{agreement, confidence};
use crate::options::DomainSource;
use crate::predictive::correct_boundaries;
use crate::Result;

/// Labels under way, and what came of them.
#[derive(Default)]
pub(super) struct Labelling {
    /// Of every training its groups, or the members that are to agree; these along the tissue's curve.
    labels: Vec<Vec<u32>>,
    n_trained: usize,
    /// The domain of every cell, from 0; empty before they are found.
    pub domains: Vec<u32>,
    /// For every cell the share of the members that agree with its domain; None without members.
    pub confidence: Option<Vec<f64>>,
}

impl Labelling {
    /// Trainings whose labels are there.
    pub fn n_trained(&self) -> usize {
        self.n_trained
    }

    /// The seed of the training under way, and of its labels.
    pub fn seed(&self, settings: &Settings) -> u64 {
        run_seed(settings.seed, self.n_trained)
    }

    /// Groups the cells by the `columns` of the training under way, or by what neighbours predict.
    ///
    /// # Errors
    /// Those of [`groups`] and [`ensemble`].
    pub fn find(
        &mut self,
        columns: &Array2<f32>,
        predicted: Option<&Predictions>,
        settings: &Settings,
        tissue: &Tissue,
    ) -> Result<()> {
        let (k, starts, seed) = (
            settings.n_domains,
            settings.domains.starts,
            self.seed(settings),
        );
        let method = settings.method().unwrap_or(Method::Mixture);
        let from_neighbours = settings.source() == DomainSource::Predicted;
        // Along the curve: the starts do not depend on the order in which the cells were given.
        let order = tissue.order()?;
        let along = || {
            let rows: Vec<usize> = order.iter().map(|&cell| cell as usize).collect();
            columns.select(Axis(0), &rows)
        };
        let found = match (method, predicted) {
            (Method::Consensus, Some(predicted)) if from_neighbours => {
                ensemble(&predicted.matrices(), k, starts, seed)?
            }
            (Method::Consensus, _) => ensemble(&[along().view()], k, starts, seed)?,
            (method, _) if from_neighbours => {
                let labels = groups(along().view(), k, method, starts, seed)?;
                vec![off_curve(&labels, &order)]
            }
            (method, _) => vec![groups(columns.view(), k, method, starts, seed)?],
        };
        self.add(found);
        Ok(())
    }

    /// Labels of the training under way, which then counts as done.
    pub fn add(&mut self, labels: Vec<Vec<u32>>) {
        self.labels.extend(labels);
        self.n_trained += 1;
    }

    /// The domains that all trainings agree on.
    ///
    /// # Errors
    /// Those of [`voters`], [`agreement`] and [`finished`].
    pub fn agree(
        &mut self,
        predicted: Option<&Predictions>,
        settings: &Settings,
        tissue: &Tissue,
    ) -> Result<()> {
        let (k, refine) = (settings.n_domains, settings.domains.refine_k);
        if settings.method() != Some(Method::Consensus) {
            self.domains = finished(agreed(&self.labels, k)?, tissue, refine)?;
            return Ok(());
        }
        let order = tissue.order()?;
        let near = predicted.map(|_| voters(tissue)).transpose()?;
        let mut labels = agreement(&self.labels, k, near.as_deref())?;
        if let (Some(predicted), Some(near), true) = (predicted, &near, settings.domains.boundaries)
        {
            // Those along borders by what the cells are themselves.
            labels = correct_boundaries(predicted.own(), &labels, near, k)?;
        }
        let labels = off_curve(&labels, &order);
        self.domains = finished(labels, tissue, refine)?;
        let along: Vec<u32> = order.iter().map(|&c| self.domains[c as usize]).collect();
        let sure = confidence(&self.labels, &along, self.n_groups(settings));
        self.confidence = Some(off_curve(&sure, &order));
        self.labels = Vec::new();
        Ok(())
    }

    /// Domains that there are, at least those asked for.
    pub fn n_groups(&self, settings: &Settings) -> usize {
        let n = self.domains.iter().map(|&d| d as usize + 1).max();
        n.unwrap_or(0).max(settings.n_domains)
    }
}
