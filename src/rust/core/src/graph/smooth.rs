//! Values averaged over the tissue.

use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::spatial::{self, slabs, Neighbours};
use crate::{Error, Result};

/// Each row of `x` (cells x anything) averaged over the `k` cells nearest to it in space, itself among them, `passes` times.
/// `coords` is cells x 2 or cells x 3.
///
/// # Errors
/// Those of [`super::spatial_knn`]; [`Error::Internal`] when `x` and `coords` have different numbers of rows.
pub fn smooth(
    x: ArrayView2<f32>,
    coords: ArrayView2<f64>,
    k: usize,
    passes: usize,
) -> Result<Array2<f32>> {
    if x.nrows() != coords.nrows() {
        return Err(Error::Internal(
            "as many rows as coordinates are needed".into(),
        ));
    }
    if k == 1 || passes == 0 {
        return Ok(x.to_owned());
    }
    let others = k
        .checked_sub(1)
        .ok_or_else(|| Error::argument("k", "`k` must be at least 1"))?;
    let near = spatial::spatial_knn(coords, others)?;
    let mut smoothed = x.to_owned();
    for _ in 0..passes {
        smoothed = average(&smoothed, &near);
    }
    Ok(smoothed)
}

fn average(x: &Array2<f32>, near: &Neighbours) -> Array2<f32> {
    let mean = |cell: usize| -> Vec<f32> {
        let mut sums = vec![0f64; x.ncols()];
        let others = near.row(cell).iter().map(|&other| other as usize);
        for other in others.chain([cell]) {
            let row = x.row(other);
            sums.iter_mut()
                .zip(row)
                .for_each(|(s, &v)| *s += f64::from(v));
        }
        let scale = 1.0 / (near.k + 1) as f64;
        sums.iter().map(|s| (s * scale) as f32).collect()
    };
    let mut out = Array2::zeros(x.raw_dim());
    for slab in slabs(x.nrows(), 16 * 1024) {
        let rows: Vec<Vec<f32>> = slab.clone().into_par_iter().map(mean).collect();
        for (cell, row) in slab.zip(rows) {
            out.row_mut(cell).assign(&ArrayView1::from(&row));
        }
    }
    out
}
