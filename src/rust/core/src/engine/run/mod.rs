//! A run from what was measured to domains: the stages of every system, in order.
//!
//! Whoever holds a [`Run`] advances it, a stage at a time: it can look at what was found, save the training, or stop between
//! two stages; within a stage, [`crate::progress`] shows how far it is, and cancels it.

mod fit;
mod results;

use std::sync::Arc;
use std::time::Instant;

use ndarray::Array2;

use self::fit::Fit;
use super::columns::Moments;
use super::labelling::Labelling;
use super::memory::available_memory;
use super::predicted::Predictions;
use super::stage::{Settings, Stage};
use super::system::{Part, System};
use super::tensors::Tensors;
use super::tissue::Tissue;
use super::training::Training;
use crate::device::{choose, Choice};
use crate::options::DomainSource;
use crate::{progress, threads, Error, Result};

/// See the module.
pub struct Run {
    tissue: Arc<Tissue>,
    system: Box<dyn System>,
    settings: Settings,
    stage: Stage,
    seconds: Vec<(&'static str, f64)>,
    place: Option<Choice>,
    smoothed: Option<Array2<f32>>,
    predicted: Option<Predictions>,
    training: Option<Training>,
    history: Vec<Vec<f64>>,
    fit: Option<Fit>,
    /// The same of a later training, until its groups are found.
    columns: Option<Array2<f64>>,
    labelling: Labelling,
    model: Tensors,
}

impl Run {
    /// A run that has not started.
    pub fn new(tissue: Arc<Tissue>, system: Box<dyn System>, settings: Settings) -> Self {
        Self {
            tissue,
            system,
            settings,
            stage: Stage::Preprocess,
            seconds: Vec::new(),
            place: None,
            smoothed: None,
            predicted: None,
            training: None,
            history: Vec::new(),
            fit: None,
            columns: None,
            labelling: Labelling::default(),
            model: Tensors::default(),
        }
    }

    /// How many epochs one call of [`Run::advance`] does; None: all.
    pub fn set_block(&mut self, epochs: Option<usize>) {
        self.settings.block = epochs;
    }

    /// What [`Run::advance`] does next.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Does the next stage. `parts` are looked at by [`Stage::Preprocess`] alone.
    ///
    /// # Errors
    /// Those of the stage, which may then be tried again; [`Error::Interrupted`] when it was cancelled.
    pub fn advance(&mut self, parts: &[Part]) -> Result<()> {
        let (stage, start) = (self.stage, Instant::now());
        let shown = progress::stage(stage.name(), 0);
        let n_threads = self.tissue.threads();
        threads::install(n_threads, || self.run(stage, parts))?;
        drop(shown);
        self.seconds
            .push((stage.name(), start.elapsed().as_secs_f64()));
        Ok(())
    }

    fn run(&mut self, stage: Stage, parts: &[Part]) -> Result<()> {
        let next = match stage {
            Stage::Preprocess => {
                self.system.prepare(parts, &self.tissue)?;
                Stage::Graph
            }
            Stage::Graph => {
                self.system.join(&self.tissue)?;
                Stage::Place
            }
            Stage::Place => {
                self.choose_place()?;
                Stage::Smooth
            }
            Stage::Smooth => {
                self.smoothed = self.system.smooth(&self.tissue)?;
                self.predicted = self.system.predictions(&self.tissue)?;
                self.tissue.forget_neighbours();
                Stage::Train
            }
            Stage::Train => self.train()?,
            Stage::Domains => self.find_groups()?,
            Stage::Labels => return Err(Error::Internal("the run waits for labels".into())),
            Stage::Model => {
                self.end()?;
                Stage::Done
            }
            Stage::Done => Stage::Done,
        };
        // What a cancelled stage gave is not to be built on.
        progress::check()?;
        self.stage = next;
        Ok(())
    }

    /// The device, unless the machine lacks the memory.
    fn choose_place(&mut self) -> Result<()> {
        let needs = self.system.needs();
        let choice = choose(&self.settings.device, needs.on_gpu)?;
        let needed = match choice.name == "cpu" {
            true => needs.on_cpu,
            false => needs.beside_gpu,
        };
        let available = available_memory().unwrap_or(u64::MAX);
        if needed > available {
            return Err(Error::Memory { needed, available });
        }
        self.place = Some(choice);
        Ok(())
    }

    /// Columns from two sources are made comparable, others stay as they are.
    fn moments(&self, columns: &Array2<f64>) -> Moments {
        match self.settings.source() {
            DomainSource::Both => Moments::of(columns.view()),
            _ => Moments::none(columns.ncols()),
        }
    }

    /// What is clustered of the training that was last: cells x columns, scaled.
    ///
    /// # Errors
    /// A run that has not trained.
    pub fn columns(&self) -> Result<Array2<f32>> {
        let columns = match &self.columns {
            Some(columns) => columns,
            None => &self.fit()?.columns,
        };
        self.moments(columns).scale(columns.view())
    }

    fn find_groups(&mut self) -> Result<Stage> {
        let x = self.columns()?;
        let predicted = self.predicted.as_ref();
        self.labelling
            .find(&x, predicted, &self.settings, &self.tissue)?;
        self.next_training()
    }

    /// The groups of the cells that another method found in [`Run::columns`], from 0.
    ///
    /// # Errors
    /// A run that does not wait for them; labels of other cells.
    pub fn give_labels(&mut self, labels: Vec<u32>) -> Result<()> {
        if self.stage != Stage::Labels || labels.len() != self.tissue.n_cells() {
            return Err(Error::Internal("labels that nobody waits for".into()));
        }
        self.labelling.add(vec![labels]);
        self.stage = self.next_training()?;
        Ok(())
    }

    /// The seed of the labels that the run waits for.
    pub fn label_seed(&self) -> u64 {
        self.labelling.seed(&self.settings)
    }

    /// After the labels of one training: the next one, or what all agree on.
    fn next_training(&mut self) -> Result<Stage> {
        self.columns = None;
        if self.labelling.n_trained() < self.settings.domains.consensus {
            return Ok(Stage::Train);
        }
        let predicted = self.predicted.as_ref();
        self.labelling
            .agree(predicted, &self.settings, &self.tissue)?;
        Ok(Stage::Model)
    }

    fn fit(&self) -> Result<&Fit> {
        let none = || Error::Internal("the run has not trained".into());
        self.fit.as_ref().ok_or_else(none)
    }
}
