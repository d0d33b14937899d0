//! Counts of proteins (antibody tags) as the network takes them (METHODS 4.1).

use rayon::prelude::*;

use super::check_counts;
use crate::sparse::{CountsView, Csr};
use crate::Result;

/// Centred log ratio within each cell: log(1 + x / g), where log g is the mean over all proteins of log(1 + x). Cells x
/// proteins; a cell without counts stays a row of zeros.
///
/// # Errors
/// Counts that are negative, missing or infinite.
pub fn centred_log_ratio(counts: &CountsView) -> Result<Csr> {
    centred_log_ratio_of(counts, counts.n_genes())
}

/// The same where only so many of the rows of `counts` were measured; the others are empty.
pub(super) fn centred_log_ratio_of(counts: &CountsView, n_measured: usize) -> Result<Csr> {
    check_counts(counts)?;
    let proteins = n_measured.max(1) as f64;
    let rows: Vec<Vec<(u32, f32)>> = (0..counts.n_cells())
        .into_par_iter()
        .map(|cell| {
            let (names, values) = counts.cell(cell);
            let mean = values.iter().map(|v| v.ln_1p()).sum::<f64>() / proteins;
            let ratio = |v: f64| (v / mean.exp()).ln_1p() as f32;
            let pairs = names.iter().zip(values).filter(|(_, v)| **v > 0.0);
            pairs.map(|(&p, &v)| (p as u32, ratio(v))).collect()
        })
        .collect();
    Csr::from_rows(counts.n_genes(), rows)
}
