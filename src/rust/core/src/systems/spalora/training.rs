//! The trainer as the engine steps it.

use super::{Embedding, EpochLosses, Trainer};
use crate::engine::tensors::Tensors;
use crate::engine::{trainer, Found, Loss};
use crate::Result;

/// The joint embedding; those of the modalities, and the weights across and within them.
pub(super) fn all_of(found: Embedding) -> Found {
    Found {
        embedding: found.joint,
        more: vec![
            ("modality", found.modality),
            ("across", vec![found.across]),
            ("within", found.within),
        ],
    }
}

/// A training, and the names of its modalities.
pub(super) struct Training {
    pub trainer: Trainer,
    pub names: Vec<String>,
}

impl trainer::Trainer for Training {
    fn losses(&self) -> Vec<Loss> {
        let recon = |name: &String| Loss::shown(format!("recon_{name}"), name.clone());
        let cross = |name: &String| Loss::recorded(format!("cross_{name}"));
        let total = Loss::shown("total", "loss");
        let terms = self.names.iter().map(recon);
        let terms = terms.chain(self.names.iter().map(cross));
        std::iter::once(total).chain(terms).collect()
    }

    fn steps(&mut self, n: usize) -> Result<Vec<Vec<f64>>> {
        let row = |losses: &EpochLosses| {
            let terms = losses.reconstruction.iter().chain(&losses.cross);
            let all = std::iter::once(&losses.total).chain(terms);
            all.map(|&l| f64::from(l)).collect()
        };
        Ok(self.trainer.steps(n)?.iter().map(row).collect())
    }

    fn found(&mut self, more: bool) -> Result<Found> {
        let found = self.trainer.embedding()?;
        Ok(match more {
            true => all_of(found),
            false => Found::of(found.joint),
        })
    }

    fn checkpoint(&self) -> Result<Tensors> {
        self.trainer.checkpoint()
    }

    fn resume(&mut self, saved: &Tensors) -> Result<()> {
        self.trainer.resume(saved)
    }

    fn tensors(&self) -> Result<Tensors> {
        self.trainer.encoder()?.tensors()
    }
}
