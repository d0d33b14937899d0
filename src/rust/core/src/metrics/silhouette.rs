//! Average silhouette width.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{check_length, dense_codes};
use crate::rng::{Purpose, Rng};
use crate::{progress, Result};

/// Up to so many cells every silhouette is taken; above, those of a sample of as many (each still
/// against all cells), drawn with a fixed seed.
const ALL_CELLS: usize = 20_000;

/// Mean silhouette of the cells on their coordinates (cells x any): (b - a) / max(a, b) with a the
/// mean distance to the own domain and b the least mean distance to another. NaN for one domain; a
/// cell alone in its domain counts 0. Linear memory.
///
/// # Errors
/// As many labels as there are not cells.
pub fn silhouette(labels: &[u32], coords: ArrayView2<f64>) -> Result<f64> {
    check_length(labels, coords.nrows())?;
    let (codes, k) = dense_codes(labels);
    if k < 2 {
        return Ok(f64::NAN);
    }
    let mut sizes = vec![0usize; k];
    codes.iter().for_each(|&c| sizes[c as usize] += 1);
    let ticket = progress::current();
    let widths: Vec<f64> = sample(codes.len())
        .into_par_iter()
        .map(|cell| ticket.part(|| width(cell as usize, &codes, &sizes, coords)))
        .collect();
    ticket.check()?;
    Ok(widths.iter().sum::<f64>() / widths.len() as f64)
}

fn sample(n: usize) -> Vec<u32> {
    let mut cells = Rng::new(0, Purpose::Index, 0).permutation(n);
    cells.truncate(ALL_CELLS);
    cells
}

fn width(cell: usize, codes: &[u32], sizes: &[usize], coords: ArrayView2<f64>) -> f64 {
    let own = codes[cell] as usize;
    if sizes[own] < 2 {
        return 0.0;
    }
    let here = coords.row(cell);
    let mut sums = vec![0f64; sizes.len()];
    for (row, &code) in coords.rows().into_iter().zip(codes) {
        let square: f64 = row.iter().zip(here).map(|(a, b)| (a - b) * (a - b)).sum();
        sums[code as usize] += square.sqrt();
    }
    let a = sums[own] / (sizes[own] - 1) as f64;
    let others = (0..sizes.len()).filter(|&k| k != own);
    let b = others
        .map(|k| sums[k] / sizes[k] as f64)
        .fold(f64::INFINITY, f64::min);
    match a.max(b) {
        0.0 => 0.0,
        larger => (b - a) / larger,
    }
}
