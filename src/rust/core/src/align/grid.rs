//! Whether the spots of a slice lie on a regular grid, and how far apart neighbours are.

use ndarray::ArrayView2;

use crate::graph::spatial_knn;
use crate::Result;

/// How spots lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lattice {
    /// Six neighbours at one distance, as on Visium.
    Hexagonal,
    /// Four neighbours at one distance, four at sqrt(2) times it.
    Square,
    /// Cells where they happen to be.
    Irregular,
}

/// The layout of a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// What its spots form.
    pub lattice: Lattice,
    /// The smallest distance between two places.
    pub smallest: f64,
    /// The median distance to the nearest other place: between neighbouring spots on a grid.
    pub spacing: f64,
}

/// A nearest neighbour this much farther or nearer than the median is off the grid.
const OFF_GRID: f64 = 0.1;
/// The fraction of spots that may be off it, and that must be inside it.
const STRAY: f64 = 0.02;

/// What lies where of n x 2 coordinates.
///
/// # Errors
/// As [`spatial_knn`]: coordinates that are not finite, or all equal.
pub fn grid_of(coords: ArrayView2<f64>) -> Result<Grid> {
    let k = 8.min(coords.nrows().saturating_sub(1));
    let near = spatial_knn(coords, k)?;
    let rows: Vec<&[f64]> = near.distance.chunks(k).collect();
    let apart = |row: &&[f64]| row.iter().copied().find(|&d| d > 0.0);
    let mut first: Vec<f64> = rows.iter().filter_map(apart).collect();
    first.sort_unstable_by(f64::total_cmp);
    let spacing = median_of_sorted(&first);
    Ok(Grid {
        lattice: lattice(&rows, &first, spacing),
        smallest: first.first().copied().unwrap_or(0.0),
        spacing,
    })
}

fn lattice(rows: &[&[f64]], first: &[f64], spacing: f64) -> Lattice {
    let off = first
        .iter()
        .filter(|&&d| (d / spacing - 1.0).abs() > OFF_GRID)
        .count();
    if off as f64 > STRAY * first.len() as f64 {
        return Lattice::Irregular;
    }
    let inside = |count: usize, reach: f64| {
        let full = |row: &&&[f64]| row.iter().filter(|&&d| d <= reach * spacing).count() == count;
        rows.iter().filter(full).count() as f64 / rows.len() as f64
    };
    // Midway between one shell of the grid and the next.
    let (hexagonal, square) = (inside(6, 1.37), inside(4, 1.21));
    match hexagonal.max(square) {
        most if most < 0.2 => Lattice::Irregular,
        most if most == hexagonal => Lattice::Hexagonal,
        _ => Lattice::Square,
    }
}

/// 0 for none.
pub(crate) fn median_of_sorted(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use ndarray::Array2;

    fn grid(width: usize, height: usize, hexagonal: bool) -> Array2<f64> {
        Array2::from_shape_fn((width * height, 2), |(i, axis)| {
            let (row, column) = ((i / width) as f64, (i % width) as f64);
            match (axis, hexagonal) {
                (0, true) => column + 0.5 * (row % 2.0),
                (0, false) => column,
                (_, true) => row * 0.75f64.sqrt(),
                (_, false) => row,
            }
        })
    }

    #[test]
    fn grids_are_told_apart() {
        let hexagonal = grid_of((grid(12, 9, true) * 137.0).view()).unwrap();
        assert_eq!(hexagonal.lattice, Lattice::Hexagonal);
        assert!((hexagonal.spacing - 137.0).abs() < 1e-6);
        assert_eq!(
            grid_of(grid(12, 9, false).view()).unwrap().lattice,
            Lattice::Square
        );
        let scattered = Array2::from_shape_fn((150, 2), |(i, axis)| {
            (i as f64 * [0.618_034, 0.414_214][axis]).fract()
        });
        assert_eq!(
            grid_of(scattered.view()).unwrap().lattice,
            Lattice::Irregular
        );
    }

    #[test]
    fn few_and_equal_points_are_no_grid_and_no_fault() {
        let line = Array2::from_shape_fn((3, 2), |(i, _)| i as f64);
        assert_eq!(grid_of(line.view()).unwrap().lattice, Lattice::Irregular);
        assert!(grid_of(Array2::zeros((4, 2)).view()).is_err());
        assert!(grid_of(Array2::zeros((1, 2)).view()).is_err());
    }
}
