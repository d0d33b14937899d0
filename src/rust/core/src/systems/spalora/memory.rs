//! How much memory a run needs, before it starts.

use super::params::{Params, Sees};
use crate::engine::memory::DEVICE_RESERVE;
use crate::preprocess::Modality;

/// One modality.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Columns of the input.
    pub n_columns: usize,
    /// Entries of the input where it is sparse; 0 where it is dense.
    pub n_nonzero: usize,
}

impl Part {
    /// What the network sees of a modality.
    pub fn of(modality: &Modality, params: &Params) -> Self {
        let n_columns = modality.features.dim().1;
        match (modality.features.n_nonzero(), params.sees) {
            (1.., Sees::Components) => Self {
                n_columns: modality.components.ncols(),
                n_nonzero: 0,
            },
            (n_nonzero, _) => Self {
                n_columns,
                n_nonzero,
            },
        }
    }
}

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct Size {
    /// Number of cells.
    pub n_cells: usize,
    /// Directed edges of all graphs together.
    pub n_edges: usize,
    /// The modalities.
    pub parts: Vec<Part>,
}

const FLOAT: u64 = 4;

/// An upper estimate, in bytes, of what training on the CPU adds to the modalities: what [`estimate_on_host`] counts,
/// the activations and gradients that one step keeps, the parameters.
pub fn estimate(size: &Size, params: &Params) -> u64 {
    let (n, d) = (size.n_cells as u64, params.latent as u64);
    // Each N x d: of a modality, views of two graphs, attention over them and over the modalities, consistency;
    // gradients take their places.
    let activations = FLOAT * n * d * (4 + 8 * size.parts.len() as u64);
    estimate_on_host(size) + activations + parameters(size, d)
}

/// The same wherever training runs: the permuted inputs, the graphs.
pub fn estimate_on_host(size: &Size) -> u64 {
    let n = size.n_cells as u64;
    let input = |part: &Part| match part.n_nonzero {
        0 => 2 * FLOAT * n * part.n_columns as u64,
        // Values and columns, by rows and by columns, before and after the permutation.
        entries => 3 * 8 * entries as u64 + 2 * 16 * n,
    };
    let inputs: u64 = size.parts.iter().map(input).sum();
    inputs + 2 * 8 * (size.n_edges as u64 + n * (1 + size.parts.len() as u64))
}

/// An upper estimate, in bytes, of the memory that training takes on a GPU.
pub fn estimate_on_device(size: &Size, params: &Params) -> u64 {
    DEVICE_RESERVE + arrays_on_device(size, params)
}

/// The part of [`estimate_on_device`] that is ours: the arrays that a device holds at once.
pub fn arrays_on_device(size: &Size, params: &Params) -> u64 {
    let (n, m) = (size.n_cells as u64, size.parts.len() as u64);
    let input = |part: &Part| match part.n_nonzero {
        0 => FLOAT * n * part.n_columns as u64,
        // Values and columns, by rows and by columns; slices and their members.
        entries => 2 * 8 * (entries as u64 + n) + 8 * n,
    };
    let inputs: u64 = size.parts.iter().map(input).sum();
    // Values and columns, each cell itself among them, and where the rows start.
    let graphs = 8 * (size.n_edges as u64 + 2 * (1 + m) * n);
    inputs + graphs + epoch_on_device(size, params)
}

/// The part of [`arrays_on_device`] that comes and goes with every epoch, at its peak, and the parameters.
pub fn epoch_on_device(size: &Size, params: &Params) -> u64 {
    let (n, d, m) = (
        size.n_cells as u64,
        params.latent as u64,
        size.parts.len() as u64,
    );
    // Each N x d. A modality: the product and its halves, both views and the attention over them, its part of the
    // losses (10), the way through each other modality (5), and the gradients that one step back holds (3).
    let activations = FLOAT * n * d * (m * (13 + 5 * m.saturating_sub(1)) + 6);
    activations + parameters(size, d)
}

/// Values, gradients, two moments and copies on the way, of encoder and decoder.
fn parameters(size: &Size, d: u64) -> u64 {
    let columns = size.parts.iter().map(|p| p.n_columns as u64);
    columns.map(|p| 8 * FLOAT * 2 * d * p).sum()
}
