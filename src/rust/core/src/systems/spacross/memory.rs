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

const FLOAT: u64 = 4;
const GIB: u64 = 1 << 30;

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
    let n = size.n_cells as u64;
    let input = match size.n_nonzero {
        0 => FLOAT * n * size.n_columns as u64,
        entries => 2 * 8 * (entries as u64 + n),
    };
    let graph = 8 * (size.n_edges as u64 + 2 * n);
    let widths = (params.hidden1 + params.hidden2 + params.gcn_hidden + 4 * params.latent) as u64;
    // Of each layer of both views: what goes in, its product, what comes out; and three gradients of the widest.
    let widest = params.hidden1.max(params.hidden2).max(params.gcn_hidden) as u64;
    let activations = FLOAT * n * (6 * widths + 3 * widest);
    let hybrid = match params.contrast {
        Contrast::Off => 0,
        Contrast::Node => 4 * 8 * n * params.top_k as u64,
        // A thousand rows of logits beside it.
        Contrast::AllPairs => (4 * 8 * params.top_k as u64 + 2 * 1024 * FLOAT) * n,
    };
    let decoder = match params.imputation {
        true => 6 * FLOAT * n * (params.latent as u64 + 4),
        false => 0,
    };
    // Slabs of decoded rows, draws, cuBLAS, the driver's own.
    GIB / 2 + input + graph + activations + hybrid + decoder + 48 * n
}
