//! Neighbours by the correlation of their features.

use ndarray::{Array2, ArrayView2, Axis};

use super::{inner_product_neighbours, Graph};
use crate::Result;

/// Joins each cell to the `k` others whose features correlate best with its own (Pearson over the columns of `x`, cells
/// x features), made symmetric by union (METHODS 4.2). A cell whose features are all equal correlates with none: its
/// neighbours are those of lowest index.
///
/// Exact up to 30,000 cells, above as [`inner_product_neighbours`], for which `seed` is.
///
/// # Errors
/// As [`inner_product_neighbours`].
pub fn correlation_knn(x: ArrayView2<f32>, k: usize, seed: u64) -> Result<Graph> {
    let rows = standardised(x);
    let near = inner_product_neighbours(rows.view(), rows.view(), k, true, seed)?;
    Ok(Graph::undirected(&near))
}

/// Rows of mean 0 and length 1, whose inner products are correlations.
fn standardised(x: ArrayView2<f32>) -> Array2<f32> {
    let mut rows = x.to_owned();
    for mut row in rows.axis_iter_mut(Axis(0)) {
        let n = row.len().max(1) as f64;
        let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let centred = |v: f32| f64::from(v) - mean;
        let length = row.iter().map(|&v| centred(v).powi(2)).sum::<f64>().sqrt();
        let scale = if length > 0.0 { length.recip() } else { 0.0 };
        row.mapv_inplace(|v| (centred(v) * scale) as f32);
    }
    rows
}
