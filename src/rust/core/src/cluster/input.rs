//! What an embedding and a number of groups must be before anything is computed.

use ndarray::ArrayView2;

use crate::{Error, Result};

/// Checks that `x` is finite, has at least one row and one column, and at least `k >= 1` rows.
pub(super) fn check(x: &ArrayView2<f32>, k: usize) -> Result<()> {
    if x.nrows() == 0 || x.ncols() == 0 {
        let message = format!("the embedding is empty: {} x {}", x.nrows(), x.ncols());
        return Err(Error::argument("embedding", message));
    }
    check_groups(x.nrows(), k)?;
    if x.iter().any(|v| !v.is_finite()) {
        let message = "the embedding holds values that are not finite numbers";
        return Err(Error::argument("embedding", message));
    }
    Ok(())
}

/// Checks that `rows` cells can be divided into `k` groups.
pub(super) fn check_groups(rows: usize, k: usize) -> Result<()> {
    if k == 0 {
        return Err(Error::argument("n.domains", "n.domains must be at least 1"));
    }
    if k > rows {
        let message = format!("n.domains is {k}, but there are only {rows} cells");
        return Err(Error::argument("n.domains", message));
    }
    Ok(())
}
