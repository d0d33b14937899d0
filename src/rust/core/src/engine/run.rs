//! A run from what was measured to domains: the stages of every system, in order.
//!
//! Whoever holds a [`Run`] advances it, a stage at a time: it can look at what was found, save the training, or stop between
//! two stages; within a stage, [`crate::progress`] shows how far it is, and cancels it.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array1, Array2};

use super::columns::{absent, chosen, Moments, View};
use super::labelling::Labelling;
use super::memory::available_memory;
use super::predicted::Predictions;
use super::stage::{Settings, Stage};
use super::system::{Part, System};
use super::tensors::Tensors;
use super::tissue::Tissue;
use super::trainer::{Found, Loss};
use super::training::{line, Training};
use crate::cluster::Classifier;
use crate::device::{choose, Choice};
use crate::options::DomainSource;
use crate::{progress, threads, Error, Result};

/// What a training left: that of the first is kept.
struct Fit {
    losses: Vec<Loss>,
    found: Found,
    weights: Tensors,
    view: Option<View>,
    /// What is clustered, before scaling: the model's rule goes by it.
    columns: Array2<f64>,
}

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
                self.model = self.make_model()?;
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

    /// Trains on, up to the end or as far as a block goes.
    fn train(&mut self) -> Result<Stage> {
        let mut training = match self.training.take() {
            Some(training) => training,
            None => self.start_training()?,
        };
        if !training.go_on(self.settings.block, self.system.epochs())? {
            self.training = Some(training);
            return Ok(Stage::Train);
        }
        self.end_training(training)?;
        Ok(match (self.settings.n_domains, self.settings.method()) {
            (0, _) => Stage::Model,
            (_, Some(_)) => Stage::Domains,
            (_, None) => Stage::Labels,
        })
    }

    /// The training that [`Settings::block`] left under way, to go on with it later in another process.
    ///
    /// # Errors
    /// No training under way; a second one of several (`consensus`).
    pub fn checkpoint(&self) -> Result<Tensors> {
        let none = || Error::Internal("no training is under way".into());
        let training = self.training.as_ref().ok_or_else(none)?;
        self.check_first()?;
        training.checkpoint()
    }

    /// Goes on with the training of a [`Run::checkpoint`] of a run like this one, whose stages before the training have run.
    ///
    /// # Errors
    /// A run at another stage; a checkpoint of another training.
    pub fn resume(&mut self, saved: &Tensors) -> Result<()> {
        if self.stage != Stage::Train {
            return Err(Error::Internal("the run is not about to train".into()));
        }
        self.check_first()?;
        let mut training = self.start_training()?;
        training.resume(saved)?;
        self.training = Some(training);
        Ok(())
    }

    fn check_first(&self) -> Result<()> {
        match self.labelling.n_trained() == 0 {
            true => Ok(()),
            false => Err(Error::model(
                "A checkpoint holds one training: use `consensus = 1`, or run the seeds one by one",
            )),
        }
    }

    fn start_training(&self) -> Result<Training> {
        let nowhere = || Error::Internal("a training without a place".into());
        let device = &self.place.as_ref().ok_or_else(nowhere)?.device;
        let seed = self.labelling.seed(&self.settings);
        Ok(Training::new(self.system.trainer(
            &self.tissue,
            seed,
            device,
        )?))
    }

    /// What is clustered, and of the first training what is kept.
    fn end_training(&mut self, mut training: Training) -> Result<()> {
        let mut found = match &mut training.trainer {
            Some(trainer) => trainer.found(self.fit.is_none())?,
            None => Found::of(self.untrained()?),
        };
        if let (None, Some(predicted)) = (&self.fit, &self.predicted) {
            let imputed = self.system.impute(predicted, &self.tissue)?;
            let imputed = imputed.map(|x| ("reconstruction", vec![x]));
            found.more.extend(imputed);
        }
        let view = match self.system.view() {
            Some(n) => Some(View::principal(found.embedding.view(), n)?),
            None => None,
        };
        let seen = match &view {
            Some(view) => view.of(found.embedding.view())?,
            None => found.embedding.mapv(f64::from),
        };
        let predicted = self.predicted.as_ref().map(Predictions::columns);
        let smoothed = self.smoothed.as_ref();
        let columns = chosen(self.settings.source(), seen, smoothed, predicted.as_ref())?;
        if self.fit.is_some() {
            self.columns = Some(columns);
        } else {
            let trainer = training.trainer.as_ref();
            self.fit = Some(Fit {
                losses: trainer.map_or_else(Vec::new, |t| t.losses()),
                weights: trainer.map_or_else(|| Ok(Tensors::default()), |t| t.tensors())?,
                found,
                view,
                columns,
            });
            self.history = training.history;
        }
        Ok(())
    }

    /// What a system without a training finds.
    fn untrained(&self) -> Result<Array2<f32>> {
        match (&self.smoothed, &self.predicted) {
            (Some(averages), _) => Ok(averages.clone()),
            (None, Some(predicted)) => Ok(predicted.columns()),
            (None, None) => Err(absent()),
        }
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

    /// What further cells are prepared, embedded and labelled by.
    fn make_model(&self) -> Result<Tensors> {
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

    fn fit(&self) -> Result<&Fit> {
        let none = || Error::Internal("the run has not trained".into());
        self.fit.as_ref().ok_or_else(none)
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

    /// What [`Stage::Model`] made.
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
