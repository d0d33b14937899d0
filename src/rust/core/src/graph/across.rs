//! Cells of the slices before and after in a stack.

use ndarray::{s, ArrayView2};
use rayon::prelude::*;

use super::sites::{self, Sites};
use crate::slices::Slices;
use crate::{progress, Error, Result};

/// For each cell the nearest in the slice before its own and in the slice after, as the slices lie over each other in the plane of the
/// first two columns of `coords`; None where there is no such slice.
///
/// # Errors
/// Coordinates that are no numbers; slices of other cells.
pub fn nearest_across(coords: ArrayView2<f64>, slices: &Slices) -> Result<Vec<[Option<u32>; 2]>> {
    if coords.nrows() != slices.n_cells() {
        return Err(Error::Internal("slices of other cells".into()));
    }
    sites::check(coords)?;
    let points = sites::points::<2>(coords.slice(s![.., ..2]))?;
    let cells = slices.cells();
    let mut near = vec![[None; 2]; points.len()];
    let place = |cells: &[u32]| -> Vec<[f64; 2]> {
        cells.iter().map(|&cell| points[cell as usize]).collect()
    };
    let ticket = progress::current();
    for (slice, others) in cells.iter().enumerate() {
        let tree = Sites::new(&place(others))?;
        let adjacent = [(slice + 1, 0), (slice.wrapping_sub(1), 1)];
        for (own, side) in adjacent.into_iter().filter(|&(own, _)| own < cells.len()) {
            let closest = |&cell: &u32| {
                ticket.part(|| others[tree.closest(&points[cell as usize]).1 as usize])
            };
            let found: Vec<u32> = cells[own]
                .par_iter()
                .with_min_len(256)
                .map(closest)
                .collect();
            ticket.check()?;
            for (&cell, other) in cells[own].iter().zip(found) {
                near[cell as usize][side] = Some(other);
            }
        }
    }
    Ok(near)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ndarray::Array2;

    use super::*;

    #[test]
    fn the_nearest_of_each_adjacent_slice() {
        // Three slices of four cells on a line, the second moved by .2, the third by .6.
        let shift = [0.0, 0.2, 0.6];
        let coords = Array2::from_shape_fn((12, 3), |(i, j)| match j {
            0 => (i / 3) as f64 + shift[i % 3],
            1 => 0.0,
            _ => 100.0 * (i % 3) as f64,
        });
        let slices = Slices::new((0..12).map(|i| i % 3).collect()).unwrap();
        let near = nearest_across(coords.view(), &slices).unwrap();
        // Cells 3 at 1, 4 at 1.2 and 5 at 1.6.
        assert_eq!(near[3], [None, Some(4)]);
        assert_eq!(near[4], [Some(3), Some(5)]);
        assert_eq!(near[5], [Some(4), None]);
    }
}
