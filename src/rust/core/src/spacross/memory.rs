//! How much memory a run needs, before it starts.

use super::params::{Contrast, Params};

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub n_cells: usize,
    /// Columns of the input.
    pub n_columns: usize,
    /// Directed edges of the spatial graph.
    pub n_edges: usize,
    /// Entries of the input where it is sparse; 0 where it is dense.
    pub n_nonzero: usize,
}

/// An upper estimate, in bytes, of what training adds to the input object: the input and its
/// permuted copy, the normalised graph, the activations and gradients that one step keeps, the
/// hybrid graph.
pub fn estimate(size: &Size, params: &Params) -> u64 {
    const FLOAT: u64 = 4;
    let n = size.n_cells as u64;
    let input = match size.n_nonzero {
        0 => 2 * FLOAT * n * size.n_columns as u64,
        // Values and columns, by rows and by columns, before and after the permutation.
        entries => 3 * 8 * entries as u64 + 2 * 16 * n,
    };
    let graph = 2 * 8 * (size.n_edges as u64 + n) + 4 * 8 * n;
    let widths = params.hidden1 + params.hidden2 + params.gcn_hidden + params.latent;
    // Product, gathered product, normed output, gradient, for two views, at the peak of a step.
    let activations = 6 * FLOAT * n * widths as u64;
    let hybrid = match params.contrast {
        Contrast::Off => 0,
        _ => 4 * 8 * n * (params.top_k + params.top_k_inter) as u64,
    };
    let decoder = match params.imputation {
        true => 6 * FLOAT * n * (params.latent as u64 + 1),
        false => 0,
    };
    input + graph + activations + hybrid + decoder
}
