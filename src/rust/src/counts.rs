//! Counts and features.

use extendr_api::prelude::*;
use spax_core::preprocess::check_counts;
use spax_core::sparse::CountsView;
use spax_core::Result;

use crate::convert::{count, doubles, integers};
use crate::error::guard;
use crate::wait;

/// The slots of a dgCMatrix, as they lie in R's memory.
pub fn view<'a>(p: &'a Robj, i: &'a Robj, x: &'a Robj, n_genes: &Robj) -> Result<CountsView<'a>> {
    CountsView::new(
        integers(p, "p")?,
        integers(i, "i")?,
        doubles(x, "x")?,
        count(n_genes, "n_genes")?,
    )
}

/// @noRd
#[extendr]
fn core_check_counts(p: Robj, i: Robj, x: Robj, n_genes: Robj) -> Robj {
    guard(|| {
        let counts = view(&p, &i, &x, &n_genes)?;
        let summary = wait::alone(|| check_counts(&counts))?;
        let empty: Vec<i32> = summary.empty_cells.iter().map(|&c| c as i32 + 1).collect();
        Ok(list!(
            whole = summary.whole,
            empty_cells = empty,
            empty_genes = summary.empty_genes as i32
        )
        .into())
    })
}

extendr_module! {
    mod counts;
    fn core_check_counts;
}
