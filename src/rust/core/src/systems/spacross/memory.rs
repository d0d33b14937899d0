//! How much memory a run needs, before it starts.

use super::contrast::LOGIT_ROWS;
use super::params::{Contrast, Params};
use super::reconstruction::{HELD, ROWS};
use crate::engine::memory::DEVICE_RESERVE;

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Number of cells.
    pub n_cells: usize,
    /// Columns of the input.
    pub n_columns: usize,
    /// Directed edges of the spatial graph.
    pub n_edges: usize,
    /// Entries of the input where it is sparse; 0 where it is dense.
    pub n_nonzero: usize,
}

const FLOAT: u64 = 4;

/// An upper estimate, in bytes, of what training on the CPU adds to the input object: what [`estimate_on_host`] counts,
/// and the activations and gradients that one step keeps.
pub fn estimate(size: &Size, params: &Params) -> u64 {
    let n = size.n_cells as u64;
    let widths = params.hidden1 + params.hidden2 + params.gcn_hidden + params.latent;
    // Product, gathered product, normed output, gradient, for two views, at the peak of a step.
    let activations = 6 * FLOAT * n * widths as u64;
    let decoder = match params.imputation {
        true => 6 * FLOAT * n * (params.latent as u64 + 1),
        false => 0,
    };
    estimate_on_host(size, params) + activations + decoder
}

/// The same wherever training runs: the input and its permuted copy, the normalised graph, the hybrid graph.
pub fn estimate_on_host(size: &Size, params: &Params) -> u64 {
    let n = size.n_cells as u64;
    let input = match size.n_nonzero {
        0 => 2 * FLOAT * n * size.n_columns as u64,
        // Values and columns, by rows and by columns, before and after the permutation.
        entries => 3 * 8 * entries as u64 + 2 * 16 * n,
    };
    let graph = 2 * 8 * (size.n_edges as u64 + n) + 4 * 8 * n;
    let hybrid = match params.contrast {
        Contrast::Off => 0,
        _ => 4 * 8 * n * (params.top_k + params.top_k_inter) as u64,
    };
    input + graph + hybrid
}

/// An upper estimate, in bytes, of the memory that training takes on a GPU.
pub fn estimate_on_device(size: &Size, params: &Params) -> u64 {
    DEVICE_RESERVE + arrays_on_device(size, params)
}

/// The part of [`estimate_on_device`] that is ours: the arrays that a device holds at once.
pub fn arrays_on_device(size: &Size, params: &Params) -> u64 {
    let (n, p) = (size.n_cells as u64, size.n_columns as u64);
    let input = match size.n_nonzero {
        0 => FLOAT * n * p,
        // By rows and by columns; slices and their members.
        entries => 2 * sparse(entries as u64, n) + 8 * n,
    };
    let graph = sparse(size.n_edges as u64 + n, n);
    // Both ways. Candidates of other slices count whether there are slices or not.
    let hybrid = match params.contrast {
        Contrast::Off => 0,
        _ => 2 * sparse(n * (1 + params.top_k + params.top_k_inter) as u64, n),
    };
    // Values, gradients, two moments and copies on the way, of the two layers that see the columns.
    let parameters = 8 * FLOAT * p * (params.hidden1 + params.latent) as u64;
    input + graph + hybrid + parameters + epoch_on_device(size, params)
}

/// Values and columns, starts of `n` rows.
fn sparse(entries: u64, n: u64) -> u64 {
    8 * (entries + n)
}

/// The part of [`arrays_on_device`] that comes and goes with every epoch, at its peak.
pub fn epoch_on_device(size: &Size, params: &Params) -> u64 {
    let n = size.n_cells as u64;
    let masked = (size.n_cells as f64 * params.mask_rate).ceil() as u64;
    let [h1, h2, gcn, latent] = [
        params.hidden1,
        params.hidden2,
        params.gcn_hidden,
        params.latent,
    ]
    .map(|width| width as u64);
    // On the tape, of each layer of the online view what goes in and what comes out; the first and the second have one
    // more step, the last too. The target view keeps no tape.
    let view = 3 * h1 + 3 * h2 + 2 * gcn + 3 * latent;
    // Projector (4), the target's embedding, what is decoded and compared with, gradients of the losses for all rows
    // and for masked ones.
    let losses = 16 * latent;
    // Gradients before and behind the widest layer, and one that waits for others to be added.
    let back = 3 * h1.max(h2).max(gcn);
    let decoder = match params.imputation {
        true => FLOAT * n * 3 * (latent + 4),
        false => decoded_rows(masked, size.n_columns as u64),
    };
    let logits = match params.contrast {
        Contrast::AllPairs => FLOAT * masked * (masked.min(LOGIT_ROWS as u64) + 8 * latent),
        _ => 0,
    };
    let draws = 48 * n;
    FLOAT * n * (view + losses + back) + decoder + logits + draws
}

/// The rows that are decoded at once, and their gradients.
fn decoded_rows(masked: u64, columns: u64) -> u64 {
    let rows = HELD as u64 / columns.max(1) + 2 * ROWS as u64;
    2 * FLOAT * masked.min(rows) * columns
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peaks of `spax-train --bench` on an H200: 200 columns, 12 neighbours, one hybrid graph.
    const MEASURED: [(usize, f64); 4] = [
        (3_600, 0.017e9),
        (20_000, 0.09e9),
        (100_000, 0.46e9),
        (1_000_000, 4.6e9),
    ];

    #[test]
    fn the_estimate_lies_above_what_a_gpu_took_and_not_far() {
        for (n_cells, peak) in MEASURED {
            let size = Size {
                n_cells,
                n_columns: 200,
                n_edges: 14 * n_cells,
                n_nonzero: 0,
            };
            let estimate = arrays_on_device(&size, &Params::default()) as f64;
            let ratio = estimate / peak;
            assert!((1.0..2.0).contains(&ratio), "{n_cells}: {ratio}");
        }
    }
}
