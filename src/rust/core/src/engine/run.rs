//! A run from what was measured to domains: the stages of every system, in order.
//!
//! Whoever holds a [`Run`] advances it, a stage at a time: it can look at what was found, save the training, or stop between
//! two stages; within a stage, [`crate::progress`] shows how far it is, and cancels it.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array1, Array2};

use super::columns::{side_by_side, Moments, View};
use super::domains::{agreed, finished, groups, run_seed, Method};
use super::memory::available_memory;
use super::system::{Part, System};
use super::tensors::Tensors;
use super::tissue::Tissue;
use super::trainer::{Found, Loss, Trainer};
use crate::cluster::Classifier;
use crate::device::{choose, Choice};
use crate::{progress, threads, Error, Result};

/// What domains are found from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The embedding.
    Embedding,
    /// Columns averaged over neighbours.
    Smoothed,
    /// Both side by side, every column scaled.
    Both,
}

/// What every run is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many domains to find.
    pub n_domains: usize,
    /// Of everything that is drawn.
    pub seed: u64,
    /// As [`choose`] takes it.
    pub device: String,
    /// What domains are found from.
    pub source: Source,
    /// How they are found; None: by whoever holds the run ([`Run::columns`], [`Run::give_labels`]).
    pub method: Option<Method>,
    /// Starts of the method.
    pub starts: usize,
    /// Trainings whose labels are put together.
    pub consensus: usize,
    /// Neighbours whose commonest label a cell gets in the end; 0: none.
    pub refine: usize,
    /// Epochs of one call of [`Run::advance`]; None: all.
    pub block: Option<usize>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Wants the parts.
    Preprocess,
    Graph,
    /// Chooses the device, and refuses what does not fit.
    Place,
    Smooth,
    Train,
    Domains,
    /// The method of the settings is not one of the core: wants labels.
    Labels,
    Model,
    Done,
}

impl Stage {
    /// Its name in the timings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preprocess => "preprocess",
            Self::Graph => "graph",
            Self::Place => "place",
            Self::Smooth => "smooth",
            Self::Train => "train",
            Self::Domains | Self::Labels => "domains",
            Self::Model => "model",
            Self::Done => "done",
        }
    }
}

/// What a training left: that of the first is kept.
struct Fit {
    losses: Vec<Loss>,
    found: Found,
    weights: Tensors,
    view: Option<View>,
}

/// A training under way.
struct Training {
    trainer: Option<Box<dyn Trainer>>,
    history: Vec<Vec<f64>>,
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
    training: Option<Training>,
    history: Vec<Vec<f64>>,
    fit: Option<Fit>,
    /// What the training that was last clusters, before scaling.
    columns: Array2<f64>,
    labels: Vec<Vec<u32>>,
    domains: Vec<u32>,
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
            training: None,
            history: Vec::new(),
            fit: None,
            columns: Array2::zeros((0, 0)),
            labels: Vec::new(),
            domains: Vec::new(),
            model: Tensors::default(),
        }
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
        self.stage = match stage {
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
        let total = self.system.epochs();
        let mut training = match self.training.take() {
            Some(training) => training,
            None => self.start_training()?,
        };
        if let Some(trainer) = &mut training.trainer {
            let left = total - training.history.len();
            let n = self.settings.block.unwrap_or(left).min(left);
            // An error ends the training: what it left in the middle of an epoch is of no use.
            epochs(trainer.as_mut(), n, total, &mut training.history)?;
            if training.history.len() < total {
                self.training = Some(training);
                return Ok(Stage::Train);
            }
        }
        self.end_training(training)?;
        Ok(match self.settings.method {
            Some(_) => Stage::Domains,
            None => Stage::Labels,
        })
    }

    fn start_training(&self) -> Result<Training> {
        let nowhere = || Error::Internal("a training without a place".into());
        let device = &self.place.as_ref().ok_or_else(nowhere)?.device;
        let seed = run_seed(self.settings.seed, self.labels.len());
        Ok(Training {
            trainer: self.system.trainer(&self.tissue, seed, device)?,
            history: Vec::new(),
        })
    }

    /// What is clustered, and of the first training what is kept.
    fn end_training(&mut self, mut training: Training) -> Result<()> {
        let found = match &mut training.trainer {
            Some(trainer) => trainer.found(self.fit.is_none())?,
            None => Found::of(averages(self.smoothed.as_ref())?.clone()),
        };
        let view = match self.system.view() {
            Some(n) => Some(View::principal(found.embedding.view(), n)?),
            None => None,
        };
        let seen = match &view {
            Some(view) => view.of(found.embedding.view())?,
            None => found.embedding.mapv(f64::from),
        };
        self.columns = chosen(self.settings.source, seen, self.smoothed.as_ref())?;
        if self.fit.is_none() {
            let trainer = training.trainer.as_ref();
            self.fit = Some(Fit {
                losses: trainer.map_or_else(Vec::new, |t| t.losses()),
                weights: trainer.map_or_else(|| Ok(Tensors::default()), |t| t.tensors())?,
                found,
                view,
            });
            self.history = training.history;
        }
        Ok(())
    }

    /// Columns from two sources are made comparable, others stay as they are.
    fn moments(&self) -> Moments {
        match self.settings.source {
            Source::Both => Moments::of(self.columns.view()),
            _ => Moments::none(self.columns.ncols()),
        }
    }

    /// What is clustered: cells x columns, scaled.
    ///
    /// # Errors
    /// A run that has not trained.
    pub fn columns(&self) -> Result<Array2<f32>> {
        self.moments().scale(self.columns.view())
    }

    fn find_groups(&mut self) -> Result<Stage> {
        let s = &self.settings;
        let method = s.method.unwrap_or(Method::Mixture);
        let seed = run_seed(s.seed, self.labels.len());
        let x = self.columns()?;
        let found = groups(x.view(), s.n_domains, method, s.starts, seed)?;
        self.next_training(found)
    }

    /// The groups of the cells that another method found in [`Run::columns`], from 0.
    ///
    /// # Errors
    /// A run that does not wait for them; labels of other cells.
    pub fn give_labels(&mut self, labels: Vec<u32>) -> Result<()> {
        if self.stage != Stage::Labels || labels.len() != self.tissue.n_cells() {
            return Err(Error::Internal("labels that nobody waits for".into()));
        }
        self.stage = self.next_training(labels)?;
        Ok(())
    }

    /// The seed of the labels that the run waits for.
    pub fn label_seed(&self) -> u64 {
        run_seed(self.settings.seed, self.labels.len())
    }

    /// After the labels of one training: the next one, or what all agree on.
    fn next_training(&mut self, labels: Vec<u32>) -> Result<Stage> {
        let mut labels_so_far = std::mem::take(&mut self.labels);
        labels_so_far.push(labels);
        self.labels = labels_so_far;
        if self.labels.len() < self.settings.consensus {
            return Ok(Stage::Train);
        }
        let labels = agreed(&self.labels, self.settings.n_domains)?;
        self.domains = finished(labels, &self.tissue, self.settings.refine)?;
        Ok(Stage::Model)
    }

    /// What further cells are prepared, embedded and labelled by.
    fn make_model(&mut self) -> Result<Tensors> {
        let fit = self.fit()?;
        let mut model = self.system.tensors();
        model.extend(fit.weights.clone());
        if let Some(view) = &fit.view {
            model.insert("embedding.centre", view.centre.clone().into_dyn());
            model.insert("embedding.rotation", view.rotation.clone().into_dyn());
        }
        let moments = self.moments();
        let x = self.columns()?;
        let n = self.domains.iter().map(|&d| d as usize + 1).max();
        let n = n.unwrap_or(0).max(self.settings.n_domains);
        let rule = Classifier::fit(x.view(), &self.domains, n)?;
        let vectors: [(&str, Array1<f64>); 3] = [
            ("rule.centre", moments.centre),
            ("rule.spread", moments.spread),
            ("rule.bias", rule.bias),
        ];
        for (name, values) in vectors {
            model.insert(name, values.into_dyn());
        }
        model.insert("rule.weight", rule.weight.into_dyn());
        // Only the model needed them.
        self.columns = Array2::zeros((0, 0));
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

    /// The losses of the first training, a row an epoch.
    pub fn history(&self) -> &[Vec<f64>] {
        &self.history
    }

    /// The domain of every cell, from 0, numbered along the tissue; empty before they are found.
    pub fn domains(&self) -> &[u32] {
        &self.domains
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

fn averages(smoothed: Option<&Array2<f32>>) -> Result<&Array2<f32>> {
    smoothed.ok_or_else(|| Error::Internal("nothing was averaged over neighbours".into()))
}

/// The columns that domains are found from, given the embedding as it is seen.
///
/// # Errors
/// Averages that are not there.
pub(super) fn chosen(
    source: Source,
    seen: Array2<f64>,
    smoothed: Option<&Array2<f32>>,
) -> Result<Array2<f64>> {
    match source {
        Source::Embedding => Ok(seen),
        Source::Smoothed => Ok(averages(smoothed)?.mapv(f64::from)),
        Source::Both => {
            let averages = averages(smoothed)?.mapv(f64::from);
            side_by_side(&[seen.view(), averages.view()])
        }
    }
}

/// Seconds that a call of [`Trainer::steps`] should take: short enough to stop and to show progress.
const CALL: f64 = 0.1;

/// Trains `n` epochs of a training of `total`, and adds their losses to `history`.
fn epochs(
    trainer: &mut dyn Trainer,
    n: usize,
    total: usize,
    history: &mut Vec<Vec<f64>>,
) -> Result<()> {
    let shown = progress::stage("train", total);
    shown.advance(history.len());
    let losses = trainer.losses();
    let (end, mut step) = (history.len() + n, 1);
    while history.len() < end {
        progress::check()?;
        let start = Instant::now();
        let rows = trainer.steps(step)?;
        shown.advance(rows.len());
        if let Some(last) = rows.last() {
            shown.note(line(&losses, last));
        }
        history.extend(rows);
        let fits = step as f64 * CALL / start.elapsed().as_secs_f64().max(1e-3);
        step = (fits as usize)
            .clamp(1, 2 * step)
            .min((end - history.len()).max(1));
    }
    Ok(())
}

/// As in "loss 1.204 rec 0.310".
fn line(losses: &[Loss], values: &[f64]) -> String {
    let shown = losses.iter().zip(values).filter_map(|(loss, value)| {
        let short = loss.short.as_ref().filter(|_| value.is_finite())?;
        Some(format!("{short} {value:.3}"))
    });
    shown.collect::<Vec<_>>().join(" ")
}
