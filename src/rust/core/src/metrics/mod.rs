//! How good domains are: agreement with an annotation, and coherence in the tissue (METHODS 5).
//!
//! Labels are codes `0..k`; cells without an annotation are left out by the caller.

mod agreement;
mod lisi;
mod order;
mod refine;
mod separation;
mod silhouette;
mod spatial;

pub use agreement::{Agreement, Contingency};
pub use lisi::lisi;
pub use order::order_domains;
pub use refine::refine_labels;
pub use separation::{calinski_harabasz, predicted_by_groups};
pub use silhouette::silhouette;
pub use spatial::{chaos, pas};

use crate::{Error, Result};

/// As many labels as cells.
fn check_length(labels: &[u32], n_cells: usize) -> Result<()> {
    match labels.len() == n_cells {
        true => Ok(()),
        false => Err(Error::argument(
            "labels",
            format!("{} labels for {n_cells} cells", labels.len()),
        )),
    }
}

/// Labels as codes `0..k` without gaps, in the order of the labels, and k.
fn dense_codes(labels: &[u32]) -> (Vec<u32>, usize) {
    let mut known = labels.to_vec();
    known.sort_unstable();
    known.dedup();
    let code = |l: &u32| known.binary_search(l).unwrap_or_default() as u32;
    (labels.iter().map(code).collect(), known.len())
}
