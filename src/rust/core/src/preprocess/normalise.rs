//! Every cell scaled to the same total.

use rayon::prelude::*;

use super::genes::{places, ABSENT};
use crate::slices::Slices;
use crate::sparse::{CountsView, Csr};
use crate::{progress, Result};

/// Cells that one task writes.
const CHUNK: usize = 512;

/// Cells x `selected` genes. Each cell is divided by its total over the genes `kept` and multiplied
/// by `target_sum`, then log(1 + x) is taken if `log1p`; a cell without counts stays a row of zeros.
/// `selected` must rise.
///
/// # Errors
/// `selected` that does not rise.
pub fn normalise(
    counts: &CountsView,
    kept: &[u32],
    selected: &[u32],
    target_sum: f64,
    log1p: bool,
) -> Result<Csr> {
    let kept = [kept.to_vec()];
    let slices = Slices::one(counts.n_cells());
    normalise_slices(counts, &slices, &kept, selected, &[target_sum], log1p)
}

/// [`normalise`] with the genes `kept` and the target sum of each slice: a cell's total runs over those of its own.
///
/// # Errors
/// `selected` that does not rise.
pub fn normalise_slices(
    counts: &CountsView,
    slices: &Slices,
    kept: &[Vec<u32>],
    selected: &[u32],
    target_sums: &[f64],
    log1p: bool,
) -> Result<Csr> {
    let places_of = |kept: &Vec<u32>| places(counts.n_genes(), kept);
    let scaling = Scaling {
        slices,
        kept: kept.iter().map(places_of).collect(),
        selected: places(counts.n_genes(), selected),
        target_sums,
        log1p,
    };
    let ticket = progress::current();
    let chunks: Vec<Rows> = (0..counts.n_cells().div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let cells = chunk * CHUNK..((chunk + 1) * CHUNK).min(counts.n_cells());
            let mut rows = Rows::default();
            ticket.part(|| {
                cells.for_each(|cell| scaling.append(cell, counts.cell(cell), &mut rows));
            });
            rows
        })
        .collect();
    join(chunks, selected.len())
}

/// Counts of a cell over the genes with a place.
fn total((genes, values): (&[i32], &[f64]), places: &[u32]) -> f64 {
    let pairs = genes.iter().zip(values);
    let kept = pairs.filter(|(&gene, _)| places[gene as usize] != ABSENT);
    kept.map(|(_, value)| value).sum()
}

/// The median, over the cells of each slice that have counts, of their totals over the genes `kept` in it: the target
/// sum that leaves a typical cell as it is. 1 for a slice without counts.
pub fn median_totals(counts: &CountsView, slices: &Slices, kept: &[Vec<u32>]) -> Vec<f64> {
    let medians = slices.cells().into_iter().zip(kept).map(|(cells, kept)| {
        let places = places(counts.n_genes(), kept);
        let totals = cells
            .iter()
            .map(|&c| total(counts.cell(c as usize), &places));
        median(totals.filter(|&t| t > 0.0).collect())
    });
    medians.collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 1.0,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}

/// A run of rows of a sparse matrix.
#[derive(Default)]
struct Rows {
    ends: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

struct Scaling<'a> {
    slices: &'a Slices,
    /// The place of every gene among those kept, a list a slice.
    kept: Vec<Vec<u32>>,
    selected: Vec<u32>,
    /// One a slice.
    target_sums: &'a [f64],
    log1p: bool,
}

impl Scaling<'_> {
    fn append(&self, cell: usize, (genes, values): (&[i32], &[f64]), rows: &mut Rows) {
        let slice = self.slices.of(cell);
        let total = total((genes, values), &self.kept[slice]);
        let factor = if total > 0.0 {
            self.target_sums[slice] / total
        } else {
            0.0
        };
        for (&gene, &value) in genes.iter().zip(values) {
            let place = self.selected[gene as usize];
            if place != ABSENT && value != 0.0 {
                let scaled = value * factor;
                rows.indices.push(place);
                rows.values
                    .push(if self.log1p { scaled.ln_1p() } else { scaled } as f32);
            }
        }
        rows.ends.push(rows.indices.len());
    }
}

fn join(chunks: Vec<Rows>, n_cols: usize) -> Result<Csr> {
    let entries = chunks.iter().map(|rows| rows.indices.len()).sum();
    let mut indptr = vec![0usize];
    let mut indices = Vec::with_capacity(entries);
    let mut values = Vec::with_capacity(entries);
    for rows in chunks {
        progress::check()?;
        let before = indices.len();
        indptr.extend(rows.ends.iter().map(|end| before + end));
        indices.extend(rows.indices);
        values.extend(rows.values);
    }
    Csr::new(n_cols, indptr, indices, values)
}
