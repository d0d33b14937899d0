//! Averages over the tissue.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::{spatial_knn, Neighbours};
use crate::{Error, Result};

/// Each row of `x` (cells x columns) averaged over the cell and its `k - 1` nearest others in
/// `coords` (cells x 2 or 3), `passes` times.
///
/// # Errors
/// Rows and coordinates that do not fit, `k` of 0 or more than the cells.
pub fn smooth(
    x: ArrayView2<f32>,
    coords: ArrayView2<f64>,
    k: usize,
    passes: usize,
) -> Result<Array2<f32>> {
    if x.nrows() != coords.nrows() {
        return Err(Error::Internal("rows and coordinates do not fit".into()));
    }
    let mut out = x.to_owned();
    if k == 1 {
        return Ok(out);
    }
    let near = spatial_knn(coords, k.saturating_sub(1))?;
    for _ in 0..passes {
        out = averaged(&out, &near)?;
    }
    Ok(out)
}

fn averaged(x: &Array2<f32>, near: &Neighbours) -> Result<Array2<f32>> {
    let share = 1.0 / (near.k + 1) as f32;
    let width = x.ncols();
    let rows: Vec<f32> = (0..x.nrows())
        .into_par_iter()
        .flat_map_iter(|cell| {
            let mut row = x.row(cell).to_owned();
            for &other in near.row(cell) {
                row += &x.row(other as usize);
            }
            row *= share;
            row
        })
        .collect();
    Array2::from_shape_vec((x.nrows(), width), rows).map_err(|e| Error::Internal(e.to_string()))
}
