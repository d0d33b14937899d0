//! Holds training to numbers, on any device: the published code's recorded runs, and the CPU's own.

use std::path::Path;

use candle_core::Device;

use super::draws::Draws;
use super::dropout::EpochDropout;
use super::losses::EpochLosses;
use super::model::Forward;
use super::reference::Reference;
use super::trainer::Trainer;
use super::Contrast;
use crate::check::{self, epochs, values, Gap, Gaps, Named, Record, Rounding, Spans};
use crate::nn::view::to_host;
use crate::{Error, Result};

/// The recorded runs.
pub const RUNS: [&str; 4] = [
    "spacross_no_contrast",
    "spacross_contrast",
    "spacross_momentum",
    "spacross_imputation",
];

/// Three recorded steps, and the results in evaluation mode.
///
/// A bias in front of a batch norm has a gradient of rounding errors, which Adam turns into steps of the full learning
/// rate: we have none, and the running means, where it ends up, are not compared after a step. The final results start
/// from the published parameters and buffers.
///
/// # Errors
/// Files that cannot be read.
pub fn three_steps(folder: &Path, name: &str, device: &Device) -> Result<Vec<Gap>> {
    let reference = Reference::load(folder, name)?;
    let mut trainer = reference.trainer(reference.contrast(), device)?;
    let mut gaps = Gaps::default();
    let steps = reference.count("/steps")?;
    for step in 0..steps {
        let dropout = EpochDropout::new(0.0, 1, step as u32);
        let (forward, losses) = trainer.step_with(reference.draws(step)?, dropout)?;
        compare_step(&mut gaps, &reference, step, &forward, &losses)?;
        for (parameter, values) in values(&trainer.parameters)? {
            let theirs = reference.floats(&format!("step{step}.after.{parameter}"))?;
            gaps.add(
                format!("{parameter} after step {step}"),
                &values,
                &theirs,
                1e-2,
            );
        }
    }
    let last = format!("step{}.after", steps - 1);
    trainer.parameters.load(&reference.state(&last))?;
    let embedding = trainer.embedding()?.into_raw_vec_and_offset().0;
    let theirs = reference.floats("final.embedding")?;
    gaps.add("final embedding".into(), &embedding, &theirs, 0.0);
    let reconstruction = trainer.reconstruct()?.into_raw_vec_and_offset().0;
    let mut theirs = reference.floats("final.reconstruction")?;
    theirs.iter_mut().for_each(|v| *v = v.max(0.0));
    gaps.add("final reconstruction".into(), &reconstruction, &theirs, 0.0);
    Ok(gaps.0)
}

fn compare_step(
    gaps: &mut Gaps,
    reference: &Reference,
    step: usize,
    forward: &Forward,
    losses: &EpochLosses,
) -> Result<()> {
    let arrays = [
        ("online_embedding", forward.online.value()),
        ("target_embedding", &forward.target),
        ("projected", forward.projected.value()),
    ];
    for (name, tensor) in arrays {
        let theirs = reference.floats(&format!("step{step}.{name}"))?;
        gaps.add(
            format!("{name} of step {step}"),
            &to_host(tensor)?,
            &theirs,
            0.0,
        );
    }
    let mut numbers = vec![
        ("loss_recon", losses.reconstruction.into()),
        ("loss_match", losses.consistency.into()),
        ("grad_norm_before_clip", losses.gradient_norm),
        ("loss_total", losses.total.into()),
    ];
    numbers.extend(
        losses
            .contrast
            .map(|c| ("loss_contrast_all_pairs", c.into())),
    );
    for (name, ours) in numbers {
        let theirs = reference.number(&format!("/step/{step}/{name}"))?;
        gaps.number(format!("{name} of step {step}"), ours, theirs);
    }
    Ok(())
}

/// The loss of the described contrast, which the published code does not train on. None where the run has no contrast.
///
/// # Errors
/// Files that cannot be read.
pub fn described_contrast(folder: &Path, name: &str, device: &Device) -> Result<Option<Gap>> {
    let reference = Reference::load(folder, name)?;
    if reference.pairs()?.is_none() {
        return Ok(None);
    }
    let mut trainer = reference.trainer(Contrast::Node, device)?;
    let dropout = EpochDropout::new(0.0, 1, 0);
    let (_, losses) = trainer.step_with(reference.draws(0)?, dropout)?;
    let missing = || Error::Internal("no contrast".into());
    let ours = losses.contrast.ok_or_else(missing)?;
    let theirs = reference.number("/step/0/loss_contrast_per_node")?;
    let mut gaps = Gaps::default();
    gaps.number("described contrast".into(), ours.into(), theirs);
    Ok(gaps.0.pop())
}

/// The clipped gradients of the first recorded step.
///
/// # Errors
/// Files that cannot be read.
pub fn first_gradients(folder: &Path, name: &str, device: &Device) -> Result<Vec<Gap>> {
    let reference = Reference::load(folder, name)?;
    let mut trainer = reference.trainer(reference.contrast(), device)?;
    let norm = reference.number("/step/0/grad_norm_before_clip")?;
    let factor = (reference.number("/clip_norm")? / norm).min(1.0) as f32;
    let mut gaps = Gaps::default();
    for (parameter, mut ours) in gradients(&mut trainer, reference.draws(0)?, 0.0)? {
        let key = format!("step0.grad_clipped.{parameter}");
        if reference.tensors.contains_key(&key) {
            ours.iter_mut().for_each(|g| *g *= factor);
            gaps.add(
                format!("gradient of {parameter}"),
                &ours,
                &reference.floats(&key)?,
                1e-3,
            );
        }
    }
    Ok(gaps.0)
}

/// The gradients of all parameters at one step, by name; zeros where the loss does not depend on one.
fn gradients(trainer: &mut Trainer, draws: Draws, dropout: f64) -> Result<Named> {
    let draws = trainer.draws.place(draws)?;
    let computed = trainer.losses_with(&draws, EpochDropout::new(dropout, 1, 0))?;
    check::gradients(&trainer.parameters, &computed.losses.total.backward()?)
}

/// Follows a training; `make` starts it, and `rounding` may disturb it.
///
/// # Errors
/// Those of training.
pub fn record(
    make: impl Fn() -> Result<Trainer>,
    spans: Spans,
    mut rounding: Option<Rounding>,
) -> Result<Record> {
    let mut first = make()?;
    if let Some(rounding) = &mut rounding {
        rounding.apply(&first.parameters)?;
    }
    let draws = first.example_draws();
    let gradients = gradients(&mut first, draws, 0.2)?;
    drop(first);
    let mut trainer = make()?;
    let trained = trainer.parameters.trained();
    let mut train = |n| epochs(n, &trained, rounding.as_mut(), |n| trainer.steps(n));
    let losses = train(spans.steps)?;
    let parameters = values(&trained)?;
    train(spans.epochs.saturating_sub(spans.steps))?;
    Ok(Record {
        gradients,
        losses: losses.iter().flat_map(numbers).collect(),
        parameters,
        embedding: trainer.embedding()?.into_raw_vec_and_offset().0,
        spans,
    })
}

/// The losses of an epoch and the norm of its gradients, each with its name.
fn numbers(losses: &EpochLosses) -> Vec<(String, f64)> {
    let mut all = vec![
        ("loss", losses.total.into()),
        ("reconstruction", losses.reconstruction.into()),
        ("consistency", losses.consistency.into()),
        ("gradient norm", losses.gradient_norm),
    ];
    all.extend(losses.contrast.map(|c| ("contrast", c.into())));
    let named = |(name, value)| (format!("{name} of epoch {}", losses.epoch), value);
    all.into_iter().map(named).collect()
}
