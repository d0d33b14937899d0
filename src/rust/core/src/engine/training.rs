//! A training under way: its epochs, and how it is kept to go on later.

use std::time::Instant;

use ndarray::Array2;

use super::tensors::Tensors;
use super::trainer::{Loss, Trainer};
use crate::{progress, Error, Result};

/// Seconds that a call of [`Trainer::steps`] should take: short enough to stop and to show progress.
const CALL: f64 = 0.1;

/// The trainer of a system that has one, and the losses of its epochs so far.
pub(super) struct Training {
    pub trainer: Option<Box<dyn Trainer>>,
    pub history: Vec<Vec<f64>>,
}

impl Training {
    /// Before its first epoch.
    pub fn new(trainer: Option<Box<dyn Trainer>>) -> Self {
        Self {
            trainer,
            history: Vec::new(),
        }
    }

    /// Trains up to `n` further epochs, of `total` in all. Whether it has come to its end.
    ///
    /// # Errors
    /// Those of [`Trainer::steps`]; what is left in the middle of an epoch is of no use.
    pub fn go_on(&mut self, n: Option<usize>, total: usize) -> Result<bool> {
        let Some(trainer) = &mut self.trainer else {
            return Ok(true);
        };
        let shown = progress::stage("train", total);
        shown.advance(self.history.len());
        let losses = trainer.losses();
        let left = total.saturating_sub(self.history.len());
        let (end, mut step) = (self.history.len() + n.unwrap_or(left).min(left), 1);
        while self.history.len() < end {
            progress::check()?;
            let start = Instant::now();
            let rows = trainer.steps(step)?;
            shown.advance(rows.len());
            if let Some(last) = rows.last() {
                shown.note(line(&losses, last));
            }
            self.history.extend(rows);
            let fits = step as f64 * CALL / start.elapsed().as_secs_f64().max(1e-3);
            let wanted = (fits as usize).clamp(1, 2 * step);
            step = wanted.min((end - self.history.len()).max(1));
        }
        Ok(self.history.len() >= total)
    }

    /// Its state and its losses.
    ///
    /// # Errors
    /// A system without a training; those of [`Trainer::checkpoint`].
    pub fn checkpoint(&self) -> Result<Tensors> {
        let none = || Error::Internal("this system does not train".into());
        let trainer = self.trainer.as_ref().ok_or_else(none)?;
        let mut saved = trainer.checkpoint()?;
        let shape = (self.history.len(), trainer.losses().len());
        // Files hold finite numbers only: which losses there were stands beside them.
        let losses = Array2::from_shape_fn(shape, |(e, l)| self.history[e][l]);
        let known = losses.mapv(|l| f64::from(u8::from(!l.is_nan())));
        let losses = losses.mapv(|l| if l.is_nan() { 0.0 } else { l });
        saved.insert("run.history", losses.into_dyn());
        saved.insert("run.known", known.into_dyn());
        Ok(saved)
    }

    /// From there on.
    ///
    /// # Errors
    /// A checkpoint of another training.
    pub fn resume(&mut self, saved: &Tensors) -> Result<()> {
        if let Some(trainer) = &mut self.trainer {
            trainer.resume(saved)?;
        }
        let known = saved.matrix("run.known")?;
        let mut history = saved.matrix("run.history")?;
        if history.dim() != known.dim() {
            return Err(Error::model("The checkpoint is damaged"));
        }
        history.zip_mut_with(&known, |loss, &known| {
            if known == 0.0 {
                *loss = f64::NAN;
            }
        });
        self.history = history.rows().into_iter().map(|row| row.to_vec()).collect();
        Ok(())
    }
}

/// As in "loss 1.204 rec 0.310".
pub(super) fn line(losses: &[Loss], values: &[f64]) -> String {
    let shown = losses.iter().zip(values).filter_map(|(loss, value)| {
        let short = loss.short.as_ref().filter(|_| value.is_finite())?;
        Some(format!("{short} {value:.3}"))
    });
    shown.collect::<Vec<_>>().join(" ")
}
