//! What cells have round them, by a sample: whether a radius or a unit makes sense is known before any graph is built.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::slices::Slices;
use crate::{progress, Error, Result};

/// Pairs of cells that are compared, at most; a few cells are enough for a median.
const MOST_PAIRS: usize = 200_000_000;
const FEWEST: usize = 100;
const MOST: usize = 2000;

/// Of each cell of the sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Around {
    /// To the nearest cell of its slice that lies elsewhere; infinite if there is none.
    pub nearest: Vec<f64>,
    /// Other cells at most the radius away.
    pub within: Vec<u32>,
}

/// Looks at cells spread evenly over the table. `across`: the radius reaches into other slices.
///
/// # Errors
/// Slices of other cells; [`Error::Interrupted`].
pub fn around(
    coords: ArrayView2<f64>,
    slices: &Slices,
    across: bool,
    radius: f64,
) -> Result<Around> {
    let n = coords.nrows();
    if n != slices.n_cells() {
        return Err(Error::Internal("slices of other cells".into()));
    }
    let size = (MOST_PAIRS / n.max(1)).clamp(FEWEST, MOST).min(n);
    let ticket = progress::current();
    let found: Vec<(f64, u32)> = (0..size)
        .into_par_iter()
        .map(|i| i * n / size)
        .map(|cell| ticket.part(|| look(coords, slices, across, radius, cell)))
        .collect();
    ticket.check()?;
    let (nearest, within) = found.into_iter().unzip();
    Ok(Around { nearest, within })
}

/// Of one cell, by looking at all others.
fn look(
    coords: ArrayView2<f64>,
    slices: &Slices,
    across: bool,
    radius: f64,
    cell: usize,
) -> (f64, u32) {
    let here = coords.row(cell);
    let (mut nearest, mut within) = (f64::INFINITY, 0u32);
    for (other, there) in coords.rows().into_iter().enumerate() {
        let own = slices.of(other) == slices.of(cell);
        if other == cell || !(own || across) {
            continue;
        }
        let squared: f64 = here.iter().zip(there).map(|(a, b)| (a - b) * (a - b)).sum();
        let distance = squared.sqrt();
        if own && distance > 0.0 {
            nearest = nearest.min(distance);
        }
        within += u32::from(distance <= radius);
    }
    (nearest, within)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ndarray::array;

    #[test]
    fn distances_stay_within_a_slice_and_the_radius_need_not() {
        let coords = array![[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [0.0, 1.0]];
        let slices = Slices::new(vec![0, 0, 0, 1]).unwrap();
        let found = around(coords.view(), &slices, false, 2.0).unwrap();
        assert_eq!(found.nearest, [5.0, 5.0, 5.0, f64::INFINITY]);
        assert_eq!(found.within, [1, 1, 0, 0]);
        let found = around(coords.view(), &slices, true, 5.0).unwrap();
        assert_eq!(found.within, [3, 3, 3, 3]);
        assert!(around(coords.view(), &Slices::one(3), true, 5.0).is_err());
    }
}
