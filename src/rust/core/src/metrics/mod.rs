//! How good domains are: against known labels, and by themselves in space (METHODS 5).
//!
//! Conventions are those of scikit-learn and of the published evaluation code (SDMBench, SpaCross). Cells without a label
//! are the caller's to leave out. All arithmetic is f64.

mod agreement;
mod domains;
mod silhouette;
mod space;

pub use agreement::{acc, adjusted_rand, completeness, homogeneity, normalised_mutual_information};
pub use domains::{order_domains, refine_labels};
pub use silhouette::silhouette;
pub use space::{chaos, dis, pas};

use crate::{Error, Result};

/// Refuses labels that are not one for each of `n` cells.
fn check_labels(labels: &[u32], n: usize) -> Result<()> {
    if labels.is_empty() {
        return Err(Error::argument("labels", "there are no labelled cells"));
    }
    if labels.len() != n {
        let message = format!("{} labels for {n} cells", labels.len());
        return Err(Error::argument("labels", message));
    }
    Ok(())
}

/// Labels renamed to 0, 1, ... in their order, and their number.
fn compact(labels: &[u32]) -> (Vec<usize>, usize) {
    let mut names = labels.to_vec();
    names.sort_unstable();
    names.dedup();
    let place = |label: &u32| names.partition_point(|name| name < label);
    (labels.iter().map(place).collect(), names.len())
}
