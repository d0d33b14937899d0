//! Neighbours and order slice by slice: nothing joins the cells of two slices, wherever they lie.

use ndarray::{Array2, ArrayView2, Axis};

use super::{curve_order, spatial, Graph, Neighbours};
use crate::slices::Slices;
use crate::{Error, Result};

/// Some rows of the coordinates.
fn place(coords: ArrayView2<f64>, cells: &[u32]) -> Array2<f64> {
    let rows: Vec<usize> = cells.iter().map(|&c| c as usize).collect();
    coords.select(Axis(0), &rows)
}

fn check(coords: ArrayView2<f64>, slices: &Slices) -> Result<()> {
    match coords.nrows() == slices.n_cells() {
        true => Ok(()),
        false => Err(Error::Internal("slices of other cells".into())),
    }
}

/// The `k` nearest of each cell in its own slice, as [`super::spatial_knn`] finds them.
///
/// # Errors
/// Those of [`super::spatial_knn`], for any slice.
pub fn knn_within(coords: ArrayView2<f64>, slices: &Slices, k: usize) -> Result<Neighbours> {
    check(coords, slices)?;
    let mut out = Neighbours::with_rows(coords.nrows(), k)?;
    for cells in slices.cells() {
        let near = spatial::spatial_knn(place(coords, &cells).view(), k)?;
        for (row, &cell) in cells.iter().enumerate() {
            let others = near.row(row).iter().map(|&i| cells[i as usize]);
            let distances = near.distance[row * k..].iter().copied();
            out.write(cell, distances.zip(others));
        }
    }
    Ok(out)
}

/// All pairs of cells of one slice at most `radius` apart.
///
/// # Errors
/// Those of [`Graph::radius`], for any slice.
pub fn radius_within(coords: ArrayView2<f64>, slices: &Slices, radius: f64) -> Result<Graph> {
    check(coords, slices)?;
    let mut rows = vec![Vec::new(); coords.nrows()];
    for cells in slices.cells() {
        let graph = Graph::radius(place(coords, &cells).view(), radius)?;
        for (row, &cell) in cells.iter().enumerate() {
            let others = graph.neighbours(row).iter().map(|&i| cells[i as usize]);
            rows[cell as usize] = others.collect();
        }
    }
    Ok(Graph::from_rows(rows))
}

/// One slice after the other, each in the order of [`curve_order`].
///
/// # Errors
/// Those of [`curve_order`].
pub fn curve_order_within(coords: ArrayView2<f64>, slices: &Slices) -> Result<Vec<u32>> {
    check(coords, slices)?;
    let mut order = Vec::with_capacity(coords.nrows());
    for cells in slices.cells() {
        let own = curve_order(place(coords, &cells).view())?;
        order.extend(own.iter().map(|&i| cells[i as usize]));
    }
    Ok(order)
}
