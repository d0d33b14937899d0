//! Averages over the tissue.

use ndarray::{Array1, Array2, ArrayView2};
use rayon::prelude::*;

use super::Neighbours;
use crate::{progress, Error, Result};

/// Each row of `x` (cells x columns) averaged over the cell and its neighbours, `passes` times.
///
/// # Errors
/// Rows and neighbours that do not fit.
pub fn smooth(x: ArrayView2<f32>, near: &Neighbours, passes: usize) -> Result<Array2<f32>> {
    if x.nrows() != near.n_rows() {
        return Err(Error::Internal("rows and neighbours do not fit".into()));
    }
    let mut out = x.to_owned();
    for _ in 0..passes {
        out = averaged(&out, near)?;
    }
    Ok(out)
}

fn averaged(x: &Array2<f32>, near: &Neighbours) -> Result<Array2<f32>> {
    let share = 1.0 / (near.k + 1) as f32;
    let width = x.ncols();
    let ticket = progress::current();
    let rows: Vec<f32> = (0..x.nrows())
        .into_par_iter()
        .flat_map_iter(|cell| {
            if ticket.cancelled() {
                return Array1::zeros(width);
            }
            let mut row = x.row(cell).to_owned();
            for &other in near.row(cell) {
                row += &x.row(other as usize);
            }
            row *= share;
            row
        })
        .collect();
    ticket.check()?;
    Array2::from_shape_vec((x.nrows(), width), rows).map_err(|e| Error::Internal(e.to_string()))
}
