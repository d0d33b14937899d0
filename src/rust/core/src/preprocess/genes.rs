//! Which genes are seen often enough to be kept.

use crate::progress::until_cancelled;
use crate::sparse::CountsView;

/// Below this number of cells, a tenth of them is asked for.
const FEW_CELLS: usize = 500;

/// The number of cells that a gene must be seen in: `asked`, or a tenth of the cells where those
/// are fewer than 500 and a tenth is less (METHODS 1.1).
pub fn min_cells_for(n_cells: usize, asked: usize) -> usize {
    if n_cells < FEW_CELLS {
        asked.min(n_cells.div_ceil(10))
    } else {
        asked
    }
}

/// Genes (rising indices) with a count in at least `min_cells` cells and at least `min_counts`
/// counts in all.
pub fn kept_genes(counts: &CountsView, min_cells: usize, min_counts: f64) -> Vec<u32> {
    let mut cells = vec![0usize; counts.n_genes()];
    let mut totals = vec![0f64; counts.n_genes()];
    for cell in until_cancelled(0..counts.n_cells()) {
        let (genes, values) = counts.cell(cell);
        for (&gene, &value) in genes.iter().zip(values) {
            cells[gene as usize] += usize::from(value > 0.0);
            totals[gene as usize] += value;
        }
    }
    (0..counts.n_genes())
        .filter(|&g| cells[g] >= min_cells && totals[g] >= min_counts)
        .map(|g| g as u32)
        .collect()
}

/// The place of every gene within `genes`; `ABSENT` for the others.
pub(super) fn places(n_genes: usize, genes: &[u32]) -> Vec<u32> {
    let mut places = vec![ABSENT; n_genes];
    for (place, &gene) in genes.iter().enumerate() {
        places[gene as usize] = place as u32;
    }
    places
}

pub(super) const ABSENT: u32 = u32::MAX;
