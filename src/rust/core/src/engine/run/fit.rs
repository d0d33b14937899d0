//! The training of a run: begun, gone on with, kept and taken up again, and what it leaves.

use ndarray::Array2;

use super::Run;
use crate::engine::columns::{absent, chosen, View};
use crate::engine::mixing::mixed;
use crate::engine::predicted::{joint, Predictions};
use crate::engine::stage::Stage;
use crate::engine::tensors::Tensors;
use crate::engine::trainer::{Found, Loss};
use crate::engine::training::Training;
use crate::{progress, Error, Result};

/// What a training left: that of the first is kept.
pub(super) struct Fit {
    pub losses: Vec<Loss>,
    pub found: Found,
    pub weights: Tensors,
    pub view: Option<View>,
    /// What is clustered, before scaling: the model's rule goes by it.
    pub columns: Array2<f64>,
}

impl Run {
    /// Trains on, up to the end or as far as a block goes.
    pub(super) fn train(&mut self) -> Result<Stage> {
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

    /// The training that [`crate::engine::Settings::block`] left under way, to go on with it later in another process.
    ///
    /// # Errors
    /// No training under way; a second one of several (`consensus`).
    pub fn checkpoint(&self) -> Result<Tensors> {
        let none = || Error::Internal("no training is under way".into());
        let training = self.training.as_ref().ok_or_else(none)?;
        self.check_first()?;
        training.checkpoint()
    }

    /// Goes on with the training of a [`Run::checkpoint`] of a run like this one, whose stages before the training have
    /// run.
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
        if let (None, Some(predicted)) = (&self.fit, &mut self.predicted) {
            let trainer = training.trainer.as_ref();
            if let Some(unseen) = trainer.map_or(Ok(None), |t| t.unseen())? {
                predicted.judge(unseen.view())?;
            }
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
            let mut weights = trainer.map_or_else(|| Ok(Tensors::default()), |t| t.tensors())?;
            let joins = trainer.is_some() && self.settings.joins();
            if let (Some(predicted), true) = (&self.predicted, joins) {
                let (together, kept) = joint(predicted, found.embedding.view())?;
                found.embedding = together;
                weights.extend(kept);
            }
            self.fit = Some(Fit {
                losses: trainer.map_or_else(Vec::new, |t| t.losses()),
                weights,
                found,
                view,
                columns,
            });
            self.history = training.history;
        }
        Ok(())
    }

    /// The model, and the embedding of several slices without what tells them apart.
    pub(super) fn end(&mut self) -> Result<()> {
        let mixed = match self.settings.mixes(&self.tissue) {
            true => {
                let embedding = self.fit()?.found.embedding.view();
                Some(mixed(embedding, &self.tissue, &self.labelling.domains)?)
            }
            false => None,
        };
        let model = self.make_model()?;
        // Slices are moved once, also when a cancelled stage is tried again.
        progress::check()?;
        self.model = model;
        if let (Some(fit), Some(mixed)) = (&mut self.fit, mixed) {
            fit.found.embedding = mixed;
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
}
