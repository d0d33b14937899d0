//! Domains of several numbers from one run, and what speaks for each.

use super::domains::{ensemble, finished, off_curve, voters};
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
    /// That mean over the cells of the domain where it is least.
    pub weakest: f64,
}

/// Domains of each of `numbers` from the same predictions, those of a run with this number and seed.
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
            let members = ensemble(&predicted.matrices(), k, starts, seed)?;
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
    let order = tissue.order()?;
    let domains = finished(off_curve(&labels, &order), tissue, 0)?;
    // By their numbers, as in a run: members that share as much with two domains count for the first.
    let labels: Vec<u32> = order.iter().map(|&c| domains[c as usize]).collect();
    let sure = confidence(members, &labels, k);
    let sum: f64 = sure.iter().sum();
    let folds = scattered_folds(labels.len());
    Ok(Choice {
        k,
        separation: calinski_harabasz(predicted.shown(), &labels)?,
        r2: predicted_by_groups(predicted.own(), &labels, &folds)?,
        agreement: sum / sure.len() as f64,
        weakest: means(&labels, &sure, k).fold(1.0, f64::min),
        domains,
    })
}

/// The mean of the `values` of each of `k` groups; 0 of one without rows.
fn means(labels: &[u32], values: &[f64], k: usize) -> impl Iterator<Item = f64> {
    let mut sums = vec![(0.0, 0usize); k];
    for (&label, value) in labels.iter().zip(values) {
        let (sum, n) = &mut sums[label as usize];
        *sum += value;
        *n += 1;
    }
    sums.into_iter().map(|(sum, n)| sum / n.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::means;

    #[test]
    fn a_group_without_rows_has_no_agreement() {
        let found: Vec<f64> = means(&[2, 0, 2], &[1.0, 0.5, 0.5], 3).collect();
        assert_eq!(found, [0.5, 0.0, 0.75]);
    }
}
