//! Local inverse Simpson's index: how many labels live round a cell (METHODS 5).

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::check_length;
use crate::graph::euclidean_neighbours;
use crate::{progress, Error, Result};

/// Cells handled by one task.
const CHUNK: usize = 512;

/// Halvings of the interval that holds the kernel's rate: to the last bit of a double.
const HALVINGS: usize = 60;

/// LISI of each cell of the embedding `x` (cells x columns), as harmony defines it (Korsunsky et al. 2019): the inverse
/// of the chance that two neighbours carry the same label, from 1 to the number of labels. Neighbours are the `3
/// perplexity - 1` nearest others, weighted by `exp(-rate distance)` with the rate that makes the weights' entropy
/// `ln(perplexity)`. `seed` draws the sample of an approximate search above 30,000 cells.
///
/// # Errors
/// [`Error::Argument`] for a perplexity below 2, or too few cells for it, or as many labels as there are not cells;
/// [`Error::Numeric`] for numbers that are not finite.
pub fn lisi(x: ArrayView2<f32>, labels: &[u32], perplexity: usize, seed: u64) -> Result<Vec<f64>> {
    check_length(labels, x.nrows())?;
    check_perplexity(perplexity, x.nrows())?;
    let found = euclidean_neighbours(x, 3 * perplexity - 1, seed)?;
    let entropy = (perplexity as f64).ln();
    let ticket = progress::current();
    let one = |index: &[u32], distance: &[f64]| {
        ticket.part(|| inverse_simpson(index, &weights(distance, entropy), labels))
    };
    let rows = found.index.par_chunks(found.k * CHUNK);
    let chunks = rows.zip(found.distance.par_chunks(found.k * CHUNK));
    let scores = chunks.flat_map_iter(|(index, distance)| {
        let cells = index
            .chunks_exact(found.k)
            .zip(distance.chunks_exact(found.k));
        cells.map(|(index, distance)| one(index, distance))
    });
    let scores = scores.collect();
    ticket.check()?;
    Ok(scores)
}

fn check_perplexity(perplexity: usize, n_cells: usize) -> Result<()> {
    if perplexity >= 2 && 3 * perplexity <= n_cells {
        return Ok(());
    }
    Err(Error::argument(
        "perplexity",
        format!("`perplexity` must be from 2 to a third of the {n_cells} cells"),
    ))
}

/// Weights that sum to 1 and whose entropy is `entropy` (equal ones where all distances are). Distances must rise.
fn weights(distance: &[f64], entropy: f64) -> Vec<f64> {
    let nearest = distance.first().copied().unwrap_or(0.0);
    let gaps: Vec<f64> = distance.iter().map(|d| d - nearest).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    if mean == 0.0 {
        return vec![1.0 / gaps.len() as f64; gaps.len()];
    }
    let (mut low, mut high) = (0.0, mean.recip());
    // Many cells at the very nearest distance keep the entropy above any bound.
    while kernel(&gaps, high).1 > entropy && high * mean < 1e12 {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        match kernel(&gaps, middle).1 > entropy {
            true => low = middle,
            false => high = middle,
        }
    }
    kernel(&gaps, 0.5 * (low + high)).0
}

/// `exp(-rate gap)`, normalised, and the entropy, which falls as the rate rises.
fn kernel(gaps: &[f64], rate: f64) -> (Vec<f64>, f64) {
    let mut weights: Vec<f64> = gaps.iter().map(|gap| (-rate * gap).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let moment: f64 = weights.iter().zip(gaps).map(|(w, gap)| w * gap).sum();
    weights.iter_mut().for_each(|w| *w /= sum);
    (weights, sum.ln() + rate * moment / sum)
}

/// 1 / sum over labels of (weight of the label)^2.
fn inverse_simpson(index: &[u32], weights: &[f64], labels: &[u32]) -> f64 {
    let mut shares: Vec<(u32, f64)> = Vec::new();
    for (&cell, &weight) in index.iter().zip(weights) {
        let label = labels[cell as usize];
        match shares.iter_mut().find(|(known, _)| *known == label) {
            Some((_, share)) => *share += weight,
            None => shares.push((label, weight)),
        }
    }
    shares
        .iter()
        .map(|(_, share)| share * share)
        .sum::<f64>()
        .recip()
}
