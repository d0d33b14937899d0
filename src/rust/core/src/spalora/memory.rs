//! How much memory a run needs, before it starts.

use super::params::Params;

/// One modality.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Columns of the input.
    pub n_columns: usize,
    /// Entries of the input where it is sparse; 0 where it is dense.
    pub n_nonzero: usize,
}

/// An upper estimate, in bytes, of what training adds to the modalities: the permuted inputs, the graphs (`n_edges`
/// directed edges in all), the activations and gradients that one step keeps, the parameters.
pub fn estimate(n_cells: usize, n_edges: usize, parts: &[Part], params: &Params) -> u64 {
    const FLOAT: u64 = 4;
    let (n, d) = (n_cells as u64, params.latent as u64);
    let input = |part: &Part| match part.n_nonzero {
        0 => 2 * FLOAT * n * part.n_columns as u64,
        // Values and columns, by rows and by columns, before and after the permutation.
        entries => 3 * 8 * entries as u64 + 2 * 16 * n,
    };
    let inputs: u64 = parts.iter().map(input).sum();
    let graphs = 2 * 8 * (n_edges as u64 + n * (1 + parts.len() as u64));
    // Each N x d: of a modality, views of two graphs, attention over them and over the modalities, consistency; gradients
    // take their places.
    let activations = FLOAT * n * d * (4 + 8 * parts.len() as u64);
    let parameters: u64 = parts
        .iter()
        .map(|p| 8 * FLOAT * 2 * d * p.n_columns as u64)
        .sum();
    inputs + graphs + activations + parameters
}
