//! Holds training to numbers, on any device: the published code's recorded runs, and the CPU's own.

use std::path::Path;

use candle_core::Device;
use ndarray::Array2;

use super::embedding::Embedding;
use super::epoch::EpochLosses;
use super::model::{Losses, ModalityData};
use super::params::{GeneWeights, Init, Params};
use super::trainer::Trainer;
use crate::check::{self, epochs, values, Gap, Gaps, Named, Record, Rounding, Spans};
use crate::design::Input;
use crate::nn::propagate::Operator;
use crate::nn::view::to_host;
use crate::recorded::{Recorded, State};
use crate::sparse::Csr;
use crate::{threads, Result};

/// The recorded runs.
pub const RUNS: [&str; 3] = ["spalora_protein", "spalora_atac", "spalora_slidetags"];

fn adjacency(recorded: &Recorded, name: &str) -> Result<Operator> {
    let part = |part: &str| recorded.floats(&format!("{name}.{part}"));
    let (row, column, value) = (part("row")?, part("col")?, part("value")?);
    let n = recorded.count("/n")?;
    let mut rows = vec![vec![]; n];
    for ((row, column), value) in row.into_iter().zip(column).zip(value) {
        rows[row as usize].push((column as u32, value));
    }
    rows.iter_mut().for_each(|row| row.sort_by_key(|e| e.0));
    Ok(Operator::symmetric(Csr::from_rows(n, rows)?))
}

fn params(recorded: &Recorded) -> Result<Params> {
    let factor = |i: usize| recorded.number(&format!("/weight_factors/{i}"));
    Ok(Params {
        latent: recorded.count("/dim_output")?,
        w_recon: vec![factor(0)?, factor(1)?],
        w_cross: vec![factor(2)?, factor(3)?],
        weights: GeneWeights::Published,
        init: Init::Random,
        learning_rate: recorded.number("/lr")?,
        ..Params::default()
    })
}

fn source(recorded: &Recorded, input: &str, m: usize, weights: Vec<f64>) -> Result<ModalityData> {
    let features = adjacency(recorded, &format!("adj_feature_omics{m}"))?;
    let input = Input::dense(recorded.matrix(input)?);
    Ok(ModalityData::new(input, features, weights))
}

/// A trainer with the recorded initial values.
pub(super) fn trainer(recorded: &Recorded, device: &Device) -> Result<Trainer> {
    let weights = recorded.floats("gene_weight.published")?;
    let weights = weights.into_iter().map(f64::from).collect();
    let (_, second) = recorded.tensor("omics2_feat")?.dims2()?;
    let sources = vec![
        source(recorded, "omics1_scaled", 1, weights)?,
        source(recorded, "omics2_feat", 2, vec![1.0; second])?,
    ];
    let order = (0..recorded.count("/n")? as u32).collect();
    let spatial = adjacency(recorded, "adj_spatial_omics1")?;
    let params = params(recorded)?.check(2)?;
    let trainer = Trainer::with(sources, spatial, order, params, 1, 2, device)?;
    let name = "init";
    trainer.parameters.load(&State {
        run: recorded,
        name,
    })?;
    Ok(trainer)
}

/// The gradients of all parameters, by name.
fn gradients(trainer: &Trainer, losses: &Losses) -> Result<Named> {
    let total = losses.total(trainer.params())?;
    check::gradients(&trainer.parameters, &total.backward()?)
}

/// Embeddings, attention and gradients of the first recorded step.
///
/// # Errors
/// Files that cannot be read.
pub fn first_pass(folder: &Path, name: &str, device: &Device) -> Result<Vec<Gap>> {
    let recorded = Recorded::load(folder, name)?;
    let mut trainer = trainer(&recorded, device)?;
    let mut gaps = Gaps::default();
    threads::install(2, || {
        let (forward, losses) = trainer.pass()?;
        let mut arrays = vec![
            ("emb_latent_combined".to_string(), forward.joint.value()),
            ("alpha".to_string(), &forward.across),
        ];
        for m in 0..2 {
            let own = forward.modality[m].value();
            arrays.push((format!("emb_latent_omics{}", m + 1), own));
            arrays.push((format!("alpha_omics{}", m + 1), &forward.within[m]));
        }
        for (what, ours) in arrays {
            let theirs = recorded.floats(&format!("step0.{what}"))?;
            gaps.add(what, &to_host(ours)?, &theirs, 0.0);
        }
        for (what, ours) in gradients(&trainer, &losses)? {
            let theirs = recorded.floats(&format!("step0.grad.{what}"))?;
            gaps.add(format!("gradient of {what}"), &ours, &theirs, 0.0);
        }
        Ok(())
    })?;
    Ok(gaps.0)
}

/// Losses of three recorded steps, the parameters after them and the results.
///
/// # Errors
/// Files that cannot be read.
pub fn three_steps(folder: &Path, name: &str, device: &Device) -> Result<Vec<Gap>> {
    let recorded = Recorded::load(folder, name)?;
    let mut trainer = trainer(&recorded, device)?;
    let mut gaps = Gaps::default();
    for step in 0..3 {
        for (what, ours) in numbers(&trainer.step()?) {
            let theirs = recorded.number(&format!("/loss/{step}/{what}"))?;
            gaps.number(format!("{what} of step {step}"), ours, theirs);
        }
    }
    for (name, ours) in values(&trainer.parameters)? {
        let theirs = recorded.floats(&format!("after3.{name}"))?;
        gaps.add(format!("{name} after 3 steps"), &ours, &theirs, 0.0);
    }
    for (what, ours) in results(&trainer.embedding()?) {
        let theirs = recorded.floats(&format!("final.{what}"))?;
        gaps.add(format!("final {what}"), &ours, &theirs, 0.0);
    }
    Ok(gaps.0)
}

/// The losses of an epoch, by their names in the files.
fn numbers(losses: &EpochLosses) -> Vec<(String, f64)> {
    let mut all = vec![("total".to_string(), losses.total.into())];
    for (kind, values) in [("recon", &losses.reconstruction), ("corr", &losses.cross)] {
        let named = values.iter().zip(1..);
        all.extend(named.map(|(&v, m)| (format!("{kind}{m}"), v.into())));
    }
    all
}

/// The arrays of an embedding, by their names in the files.
fn results(found: &Embedding) -> Vec<(String, Vec<f32>)> {
    let flat = |x: &Array2<f32>| x.iter().copied().collect::<Vec<_>>();
    let mut all = vec![
        ("emb_latent_combined".to_string(), flat(&found.joint)),
        ("alpha".to_string(), flat(&found.across)),
    ];
    for (m, (own, within)) in found.modality.iter().zip(&found.within).enumerate() {
        all.push((format!("emb_latent_omics{}", m + 1), flat(own)));
        all.push((format!("alpha_omics{}", m + 1), flat(within)));
    }
    all
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
    let mut trainer = make()?;
    let trained = trainer.parameters.trained();
    if let Some(rounding) = &mut rounding {
        rounding.apply(&trained)?;
    }
    let (_, losses) = trainer.pass()?;
    let gradients = gradients(&trainer, &losses)?;
    let mut train = |n| epochs(n, &trained, rounding.as_mut(), |n| trainer.steps(n));
    let losses = train(spans.steps)?;
    let named = |epoch: &EpochLosses| {
        let each = numbers(epoch).into_iter();
        let at = epoch.epoch;
        each.map(move |(what, value)| (format!("{what} of epoch {at}"), value))
    };
    let losses = losses.iter().flat_map(named).collect();
    let parameters = values(&trained)?;
    train(spans.epochs.saturating_sub(spans.steps))?;
    Ok(Record {
        gradients,
        losses,
        parameters,
        embedding: trainer.embedding()?.joint.into_raw_vec_and_offset().0,
        spans,
    })
}
