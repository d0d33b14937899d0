//! Can these counts be analysed at all?

use crate::progress::{self, until_cancelled};
use crate::sparse::CountsView;
use crate::{Error, Result};

/// Values between two looks at the progress.
const SOME: usize = 1 << 20;

/// What a caller may want to tell its user about valid counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountSummary {
    /// Every count is a whole number.
    pub whole: bool,
    /// Cells (from 0) without any count.
    pub empty_cells: Vec<usize>,
    /// Number of genes without any count.
    pub empty_genes: usize,
}

/// Values of one kind that are not counts.
#[derive(Default)]
struct Fault {
    times: usize,
    first_cell: usize,
}

impl Fault {
    fn add(&mut self, cell: usize) {
        if self.times == 0 {
            self.first_cell = cell;
        }
        self.times += 1;
    }

    fn check(&self, what: &str, remedy: &str) -> Result<()> {
        if self.times == 0 {
            return Ok(());
        }
        let values = if self.times == 1 { "value" } else { "values" };
        Err(Error::counts(format!(
            "`counts` holds {} {what} {values}, the first in cell {}: {remedy}",
            self.times,
            self.first_cell + 1
        )))
    }
}

/// One pass over the entries.
///
/// # Errors
/// No cells, no genes, genes out of order within a cell, or values that are negative, missing or
/// infinite. Messages count cells from 1, as R does.
pub fn check_counts(counts: &CountsView) -> Result<CountSummary> {
    if counts.n_cells() == 0 || counts.n_genes() == 0 {
        return Err(Error::counts(
            "`counts` has no cells or no genes: give a matrix of genes x cells",
        ));
    }
    check_order(counts)?;
    check_values(counts)?;
    let summary = summarise(counts);
    progress::check()?;
    Ok(summary)
}

fn check_order(counts: &CountsView) -> Result<()> {
    let rising = |cell: &usize| counts.cell(*cell).0.windows(2).all(|g| g[0] < g[1]);
    match until_cancelled(0..counts.n_cells()).find(|cell| !rising(cell)) {
        None => Ok(()),
        Some(cell) => Err(Error::counts(format!(
            "the genes of cell {} of `counts` are not in rising order: build the matrix anew with \
             Matrix::sparseMatrix()",
            cell + 1
        ))),
    }
}

fn all_values(counts: &CountsView, holds: impl Fn(f64) -> bool) -> bool {
    let mut parts = until_cancelled(counts.values().chunks(SOME));
    parts.all(|part| part.iter().all(|&v| holds(v)))
}

fn check_values(counts: &CountsView) -> Result<()> {
    if all_values(counts, |v| v >= 0.0 && v.is_finite()) {
        return Ok(());
    }
    let (mut missing, mut infinite, mut negative) =
        (Fault::default(), Fault::default(), Fault::default());
    for cell in until_cancelled(0..counts.n_cells()) {
        for &value in counts.cell(cell).1 {
            if value.is_nan() {
                missing.add(cell);
            } else if value.is_infinite() {
                infinite.add(cell);
            } else if value < 0.0 {
                negative.add(cell);
            }
        }
    }
    missing.check("missing (NA or NaN)", "set them to 0 or drop these cells")?;
    infinite.check("infinite", "correct them or drop these cells")?;
    negative.check(
        "negative",
        "give raw counts, not normalised or scaled values",
    )
}

fn summarise(counts: &CountsView) -> CountSummary {
    let mut seen = vec![false; counts.n_genes()];
    let mut empty_cells = Vec::new();
    for cell in until_cancelled(0..counts.n_cells()) {
        let (genes, values) = counts.cell(cell);
        let mut empty = true;
        for (&gene, &value) in genes.iter().zip(values) {
            if value > 0.0 {
                seen[gene as usize] = true;
                empty = false;
            }
        }
        if empty {
            empty_cells.push(cell);
        }
    }
    CountSummary {
        whole: all_values(counts, |v| v.trunc() == v),
        empty_cells,
        empty_genes: seen.iter().filter(|&&s| !s).count(),
    }
}
