//! The spots along the rim of a tissue (METHODS 2.1).

use std::f64::consts::{PI, TAU};

use ndarray::ArrayView2;

use super::grid::{Grid, Lattice};
use crate::graph::spatial_knn;
use crate::Result;

/// Which spots to align by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outline {
    /// Those at the rim.
    Rim,
    /// Every spot.
    All,
}

/// Neighbours among which an irregular cell looks for a side that is empty.
const NEIGHBOURS: usize = 12;
/// So wide must it be.
const OPEN_SIDE: f64 = 0.6 * PI;

/// The spots to align by, rising. On a hexagonal grid those with 2 to 4 of 6 neighbours, on a square one those with 2 to 6 of 8 (within sqrt(3) times
/// the spacing); among cells that lie anywhere, where counts within a distance say little, those with an open side: their nearest neighbours leave an angle
/// of over 108 degrees empty.
///
/// # Errors
/// As [`spatial_knn`].
pub fn outline(coords: ArrayView2<f64>, grid: &Grid, which: Outline) -> Result<Vec<u32>> {
    let all = 0..coords.nrows() as u32;
    if which == Outline::All {
        return Ok(all.collect());
    }
    let k = NEIGHBOURS.min(coords.nrows().saturating_sub(1));
    let near = spatial_knn(coords, k)?;
    let within = |cell: usize, reach: f64| {
        let row = &near.distance[cell * k..(cell + 1) * k];
        row.iter().filter(|&&d| d <= reach * grid.spacing).count()
    };
    let at_rim = |&cell: &u32| match grid.lattice {
        Lattice::Hexagonal => (2..=4).contains(&within(cell as usize, 1.37)),
        Lattice::Square => (2..=6).contains(&within(cell as usize, 3f64.sqrt())),
        Lattice::Irregular => {
            widest_gap(coords, cell as usize, near.row(cell as usize)) > OPEN_SIDE
        }
    };
    Ok(all.filter(at_rim).collect())
}

/// The widest angle, seen from a cell, without one of its neighbours.
fn widest_gap(coords: ArrayView2<f64>, cell: usize, neighbours: &[u32]) -> f64 {
    let towards = |&other: &u32| {
        let [x, y] = [0, 1].map(|axis| coords[[other as usize, axis]] - coords[[cell, axis]]);
        (x != 0.0 || y != 0.0).then(|| y.atan2(x))
    };
    let mut angles: Vec<f64> = neighbours.iter().filter_map(towards).collect();
    angles.sort_unstable_by(f64::total_cmp);
    let (Some(first), Some(last)) = (angles.first(), angles.last()) else {
        return TAU;
    };
    let around = first + TAU - last;
    angles
        .windows(2)
        .fold(around, |widest, w| widest.max(w[1] - w[0]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::grid_of;
    use super::*;
    use ndarray::Array2;

    #[test]
    fn rim_of_a_square_grid() {
        let coords = Array2::from_shape_fn((100, 2), |(i, axis)| [i / 10, i % 10][axis] as f64);
        let grid = grid_of(coords.view()).unwrap();
        let rim = outline(coords.view(), &grid, Outline::Rim).unwrap();
        let expected: Vec<u32> = (0..100)
            .filter(|i| [0, 9].contains(&(i / 10)) || [0, 9].contains(&(i % 10)))
            .collect();
        assert_eq!(rim, expected);
        assert_eq!(
            outline(coords.view(), &grid, Outline::All).unwrap().len(),
            100
        );
    }

    #[test]
    fn rim_of_a_hexagonal_grid_is_at_its_sides() {
        let coords = Array2::from_shape_fn((120, 2), |(i, axis)| {
            let (row, column) = ((i / 10) as f64, (i % 10) as f64);
            [column + 0.5 * (row % 2.0), row * 0.75f64.sqrt()][axis]
        });
        let grid = grid_of(coords.view()).unwrap();
        let rim = outline(coords.view(), &grid, Outline::Rim).unwrap();
        let inside = |i: u32| (1..11).contains(&(i / 10)) && (1..9).contains(&(i % 10));
        assert!(rim.len() > 20 && rim.iter().all(|&i| !inside(i)));
    }

    #[test]
    fn rim_of_scattered_cells() {
        // Points that fill the unit square evenly, on no grid.
        let coords = Array2::from_shape_fn((2000, 2), |(i, axis)| {
            (i as f64 * [0.754_877_666_2, 0.569_840_291][axis]).fract() + 1e-3 * (i as f64).sin()
        });
        let grid = Grid {
            lattice: Lattice::Irregular,
            ..grid_of(coords.view()).unwrap()
        };
        let rim = outline(coords.view(), &grid, Outline::Rim).unwrap();
        let depth = |&i: &u32| {
            let row = coords.row(i as usize);
            row.iter().fold(1f64, |d, &x| d.min(x).min(1.0 - x))
        };
        assert!(
            rim.len() > 80 && rim.iter().all(|i| depth(i) < 0.05),
            "{}",
            rim.len()
        );
    }
}
