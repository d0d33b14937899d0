//! Cells that stand in the data twice. A twin is not a neighbour: it would predict its double.

use ndarray::ArrayView2;

use crate::graph::Neighbours;
use crate::{progress, Result};

/// Whether place `i` among the neighbours of `cell` holds the cell itself once more: at no distance, with the same values.
fn is_twin(x: &ArrayView2<f32>, near: &Neighbours, cell: usize, i: usize) -> bool {
    let other = near.row(cell)[i] as usize;
    near.distance[cell * near.k + i] == 0.0 && x.row(other) == x.row(cell)
}

/// For each cell, how many of its neighbours are twins of it. `x` has a row a cell.
pub fn count_twins(x: ArrayView2<f32>, near: &Neighbours) -> Vec<usize> {
    let twins = |cell| (0..near.k).filter(|&i| is_twin(&x, near, cell, i)).count();
    (0..near.n_rows()).map(twins).collect()
}

/// The first `k` neighbours of each cell that are no twins of it. Each must have so many.
///
/// # Errors
/// No memory for them; [`crate::Error::Interrupted`].
pub fn without_twins(x: ArrayView2<f32>, near: &Neighbours, k: usize) -> Result<Neighbours> {
    let mut out = Neighbours::with_rows(near.n_rows(), k)?;
    for cell in progress::until_cancelled(0..near.n_rows()) {
        let others = (0..near.k).filter(|&i| !is_twin(&x, near, cell, i));
        let row = others.map(|i| (near.distance[cell * near.k + i], near.row(cell)[i]));
        out.write(cell as u32, row);
    }
    progress::check()?;
    Ok(out)
}
