//! Domains of several numbers from one run, and what speaks for each.

use super::domains::{ensemble, finished, off_curve, run_seed, voters};
use super::predicted::Predictions;
use super::tissue::Tissue;
use crate::cluster::{agreement, confidence};
use crate::graph::Neighbours;
use crate::metrics::{calinski_harabasz, predicted_by_groups};
use crate::predictive::scattered_folds;
use crate::{threads, Result};

/// Domains of one number.
pub struct Choice {
    /// How many were asked for.
    pub k: usize,
    /// The domain of every cell, from 0, numbered along the tissue.
    pub domains: Vec<u32>,
    /// See [`calinski_harabasz`], on the predicted columns.
    pub separation: f64,
    /// See [`predicted_by_groups`], of the cells' own components.
    pub r2: f64,
    /// The mean over the cells of the share of the mixtures that agree with their domains.
    pub agreement: f64,
}

/// Domains of each of `numbers` from the same predictions.
///
/// # Errors
/// Those of [`ensemble`] and [`voters`]; more domains than cells.
pub fn choose(
    predicted: &Predictions,
    tissue: &Tissue,
    numbers: &[usize],
    starts: usize,
    seed: u64,
) -> Result<Vec<Choice>> {
    threads::install(tissue.threads(), || {
        let near = voters(tissue)?;
        let one = |&k: &usize| {
            let members = ensemble(&predicted.matrices(), k, starts, run_seed(seed, k))?;
            choice(predicted, tissue, &members, k, &near)
        };
        numbers.iter().map(one).collect()
    })
}

fn choice(
    predicted: &Predictions,
    tissue: &Tissue,
    members: &[Vec<u32>],
    k: usize,
    near: &Neighbours,
) -> Result<Choice> {
    let labels = agreement(members, k, Some(near))?;
    let sure = confidence(members, &labels, k);
    let sum: f64 = sure.iter().sum();
    let folds = scattered_folds(labels.len());
    let order = tissue.order()?;
    Ok(Choice {
        k,
        separation: calinski_harabasz(predicted.shown(), &labels)?,
        r2: predicted_by_groups(predicted.own(), &labels, &folds)?,
        agreement: sum / sure.len() as f64,
        domains: finished(off_curve(&labels, &order), tissue, 0)?,
    })
}
