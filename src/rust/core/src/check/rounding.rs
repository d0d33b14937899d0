//! What rounding alone does to a training, and how far two trainings may be apart by it.
//!
//! A device adds in another order than the CPU, so that its numbers differ in their last bits. Training makes that grow: how
//! fast depends on the model and on the number of steps, so no fixed bound fits. It is measured instead: the CPU trains
//! again, every parameter moved by its last place, up or down at random, before each epoch. A training that is a few times
//! as far off as the farthest of those is right; one that is farther has an error.

use super::{Gap, Record, TOLERANCE};
use crate::nn::parameters::Parameters;
use crate::nn::view::to_host;
use crate::rng::{Purpose, Rng};
use crate::Result;
use candle_core::Tensor;

/// How many times as far off as by rounding a training may be: every sum of an epoch is rounded, the parameters only once.
const MULTIPLE: f64 = 8.0;

/// Moves the parameters of a training by their last place.
pub struct Rounding(Rng);

impl Rounding {
    /// `trial`: another one rounds otherwise.
    pub fn new(trial: u32) -> Self {
        Self(Rng::new(1, Purpose::Data, trial))
    }

    pub(crate) fn apply(&mut self, parameters: &Parameters) -> Result<()> {
        for parameter in parameters.trained().vars() {
            let mut values = to_host(parameter.as_tensor())?;
            for value in &mut values {
                *value *= match self.0.below(2) {
                    0 => 1.0 - f32::EPSILON,
                    _ => 1.0 + f32::EPSILON,
                };
            }
            let (shape, device) = (parameter.shape(), parameter.device());
            parameter.set(&Tensor::from_vec(values, shape, device)?)?;
        }
        Ok(())
    }
}

/// `n` epochs of a training of `parameters`, which `rounding` moves before each of them.
pub(crate) fn epochs<Losses>(
    n: usize,
    parameters: &Parameters,
    rounding: Option<&mut Rounding>,
    mut train: impl FnMut(usize) -> Result<Vec<Losses>>,
) -> Result<Vec<Losses>> {
    let Some(rounding) = rounding else {
        return train(n);
    };
    let mut all = Vec::new();
    for _ in 0..n {
        rounding.apply(parameters)?;
        all.extend(train(1)?);
    }
    Ok(all)
}

/// How far something is off, and how far it may be.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What was compared.
    pub what: String,
    /// As [`Gap::gap`].
    pub gap: f64,
    /// The largest gap that fits.
    pub allowed: f64,
}

impl Judged {
    /// One that is held to [`TOLERANCE`].
    pub fn fixed(Gap { what, gap }: Gap) -> Self {
        Self {
            what,
            gap,
            allowed: TOLERANCE,
        }
    }

    /// A gap that is no number is none that fits.
    pub fn fits(&self) -> bool {
        self.gap <= self.allowed
    }
}

impl Record {
    /// How far this training is from the one that was `expected`, and how far it may be: as the `rounded` ones of the latter
    /// show, and [`TOLERANCE`] at least.
    pub fn judged(&self, expected: &Record, rounded: &[Record]) -> Vec<Judged> {
        let trials: Vec<Vec<Gap>> = rounded.iter().map(|r| r.gaps(expected)).collect();
        let n_gradients = self.gradients.len();
        let losses = n_gradients..n_gradients + self.losses.len();
        // One number may happen to come out the same: the losses are judged by the farthest of them.
        let worst = |which: std::ops::Range<usize>| {
            let of_trial = |gaps: &Vec<Gap>| {
                gaps[which.clone()]
                    .iter()
                    .map(|g| g.gap)
                    .fold(0.0, f64::max)
            };
            trials.iter().map(of_trial).fold(0.0, f64::max)
        };
        let of_losses = worst(losses.clone());
        let gaps = self.gaps(expected).into_iter().enumerate();
        let judged = gaps.map(|(i, Gap { what, gap })| {
            let by_rounding = match losses.contains(&i) {
                true => of_losses,
                false => worst(i..i + 1),
            };
            let allowed = (MULTIPLE * by_rounding).max(TOLERANCE);
            Judged { what, gap, allowed }
        });
        judged.collect()
    }

    fn gaps(&self, other: &Record) -> Vec<Gap> {
        let (mut gaps, last) = self.against(other);
        gaps.push(last);
        gaps
    }
}
