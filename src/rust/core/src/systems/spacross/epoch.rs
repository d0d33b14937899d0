//! One epoch: draws, the forward pass, its losses, and the step.

use super::consistency::consistency;
use super::contrast::{contrast, Terms};
use super::decoder::Decoder;
use super::draws::Draws;
use super::dropout::EpochDropout;
use super::hybrid::Basis;
use super::imputation::imputation;
#[cfg(any(test, feature = "check"))]
use super::losses::{read, EpochLosses};
use super::losses::{Losses, Recorded};
use super::model::Forward;
use super::params::Contrast;
use super::reconstruction::{reconstruction, ReconstructionTarget};
use super::trainer::Trainer;
use crate::nn::tape::Traced;
use crate::Result;

/// What a forward pass gives.
pub(super) struct Computed {
    #[cfg(any(test, feature = "check"))]
    pub forward: Forward,
    pub losses: Losses,
}

impl Trainer {
    pub(super) fn train_epoch(&mut self) -> Result<Recorded> {
        let p = &self.params.params;
        let due = self.epoch > 0 && self.epoch.is_multiple_of(p.update_every);
        if due && p.contrast != Contrast::Off {
            self.summaries = Some(self.basis().summaries()?);
        }
        let dropout = EpochDropout::new(self.params.params.dropout, self.seed, self.epoch as u32);
        let draws = self.draws.take(self.epoch as u32)?;
        let computed = self.losses_with(&draws, dropout)?;
        self.update(&computed.losses)
    }

    /// What the hybrid graph is built from.
    fn basis(&self) -> Basis<'_> {
        Basis {
            place: &self.place,
            model: &self.model,
            input: &self.input,
            propagation: &self.propagation,
            spatial: &self.spatial,
            slices: &self.slices,
            params: &self.params,
            seed: self.seed,
            round: (self.epoch / self.params.params.update_every) as u32,
        }
    }

    /// One epoch with given draws.
    #[cfg(any(test, feature = "check"))]
    pub(super) fn step_with(
        &mut self,
        draws: Draws,
        dropout: EpochDropout,
    ) -> Result<(Forward, EpochLosses)> {
        let draws = self.draws.place(draws)?;
        let computed = self.losses_with(&draws, dropout)?;
        let recorded = self.update(&computed.losses)?;
        let losses = read(&[recorded], self.epoch)?;
        Ok((computed.forward, losses[0]))
    }

    /// The draws of the first epoch.
    #[cfg(any(test, feature = "check"))]
    pub(super) fn example_draws(&self) -> Draws {
        let p = &self.params.params;
        Draws::new(self.order.len(), p.mask_rate, p.replace_rate, self.seed, 0)
    }

    /// The step of the optimiser, after a look at the losses where they can be read.
    fn update(&mut self, losses: &Losses) -> Result<Recorded> {
        let seen = losses.look(&self.place, self.epoch + 1)?;
        let norm = self.optimiser.step_with_norm(&losses.total.backward()?)?;
        self.model.follow_target()?;
        self.epoch += 1;
        seen.record(&norm)
    }

    /// The forward pass and its losses.
    pub(super) fn losses_with(&mut self, draws: &Draws, dropout: EpochDropout) -> Result<Computed> {
        let forward = self
            .model
            .forward(&self.input, &self.propagation, draws, dropout)?;
        let reconstruction = self.reconstruction(&forward.projected, draws, dropout)?;
        let consistency = self.consistency(&forward, draws)?;
        let contrast = self.contrast(&forward.online, draws)?;
        let p = &self.params.params;
        let weights = [p.w_recon, p.w_consistency, p.w_contrast];
        let both = [reconstruction, consistency];
        Ok(Computed {
            losses: Losses::new(&self.place, both, contrast, weights)?,
            #[cfg(any(test, feature = "check"))]
            forward,
        })
    }

    fn consistency(&self, forward: &Forward, draws: &Draws) -> Result<Traced> {
        let (projected, target) = (&forward.projected, &forward.target);
        let sharpness = self.params.params.sharpness as f32;
        Ok(consistency(
            &self.place,
            projected,
            target,
            draws,
            sharpness,
        )?)
    }

    fn reconstruction(
        &mut self,
        projected: &Traced,
        draws: &Draws,
        dropout: EpochDropout,
    ) -> Result<Traced> {
        let sharpness = self.params.params.sharpness as f32;
        Ok(match &self.model.decoder {
            Decoder::Graph(layer) => {
                let h = self.propagation.apply(projected)?;
                let target = ReconstructionTarget {
                    input: &self.input,
                    draws,
                    sharpness,
                    settings: layer.norm.settings(dropout.decoder()),
                };
                let (weight, affine) = ((&layer.weight).into(), (&layer.norm.affine).into());
                let parts = [&h, &weight, &affine];
                reconstruction(&self.place, parts, &layer.norm.running, &target)?
            }
            Decoder::Linear { weight, bias } => {
                let parts = [projected, &weight.into(), &bias.into()];
                imputation(&self.place, parts, &self.input, draws, sharpness)?
            }
        })
    }

    fn contrast(&self, online: &Traced, draws: &Draws) -> Result<Option<Traced>> {
        let terms = match self.params.params.contrast {
            Contrast::Off => return Ok(None),
            Contrast::Node => Terms::PerNode,
            Contrast::AllPairs => Terms::AllPairs,
        };
        let Some(summaries) = &self.summaries else {
            return Ok(None);
        };
        let mean = summaries.apply(online)?;
        let parts = [online, &mean, &(&self.model.bilinear).into()];
        Ok(Some(contrast(&self.place, terms, parts, draws)?))
    }
}
