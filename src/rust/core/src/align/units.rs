//! In which unit the coordinates of a slice are, seen from another.

use ndarray::{ArrayView2, Axis};

use super::grid::{grid_of, Grid, Lattice};
use super::transform::centroid;
use crate::slices::Slices;
use crate::Result;

/// Which slices are brought to the spacing of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// None: all are in one unit.
    Never,
    /// Those on a grid of the same kind: an array has one spacing, and its pixels are those of its image.
    Grids,
    /// All, by the typical distance of neighbours.
    Always,
}

impl Scale {
    /// What brings the source to the spacing of the target.
    pub fn factor(self, source: &Grid, target: &Grid) -> f64 {
        let one_kind = source.lattice == target.lattice && source.lattice != Lattice::Irregular;
        match self {
            Self::Always => target.spacing / source.spacing,
            Self::Grids if one_kind => target.spacing / source.spacing,
            _ => 1.0,
        }
    }
}

/// Neighbours and the whole slice must both be off by this factor, to the same side. Tissue cut or cells lost change one of them, rarely both alike; half
/// again the distance between neighbours is less than half the density, more than sections of one tissue differ by.
const ANOTHER_UNIT: f64 = 1.5;

/// A slice in the measure of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Units {
    /// How far apart its neighbours are, over those of the other.
    pub spacing: f64,
    /// How far its spots lie from their middle (root mean square), over those of the other.
    pub extent: f64,
}

impl Units {
    /// Of the source, all of whose lengths are first multiplied by `scale`.
    pub(super) fn new(
        source: (&Grid, &[[f64; 2]]),
        target: (&Grid, &[[f64; 2]]),
        scale: f64,
    ) -> Self {
        Self {
            spacing: scale * source.0.spacing / target.0.spacing,
            extent: scale * spread(source.1) / spread(target.1),
        }
    }

    /// Whether both say that the two are not in one unit.
    pub fn differ(&self) -> bool {
        let larger = self.spacing.min(self.extent) > ANOTHER_UNIT;
        larger || self.spacing.max(self.extent) < ANOTHER_UNIT.recip()
    }
}

/// Each slice but the first against the one before it, once scaled. `coords` are n x 2.
///
/// # Errors
/// Those of [`grid_of`].
pub fn units_of(coords: ArrayView2<f64>, slices: &Slices, scale: Scale) -> Result<Vec<Units>> {
    let known = slices
        .cells()
        .iter()
        .map(|cells| {
            let rows: Vec<usize> = cells.iter().map(|&c| c as usize).collect();
            let here = coords.select(Axis(0), &rows);
            let spots: Vec<[f64; 2]> = here.rows().into_iter().map(|r| [r[0], r[1]]).collect();
            Ok((grid_of(here.view())?, spots))
        })
        .collect::<Result<Vec<_>>>()?;
    let pairs = known.windows(2).map(|pair| {
        let ((target, before), (source, here)) = (&pair[0], &pair[1]);
        let factor = scale.factor(source, target);
        Units::new((source, here), (target, before), factor)
    });
    Ok(pairs.collect())
}

fn spread(points: &[[f64; 2]]) -> f64 {
    let [x, y] = centroid(points);
    let squares = points
        .iter()
        .map(|p| (p[0] - x).powi(2) + (p[1] - y).powi(2));
    (squares.sum::<f64>() / points.len().max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid {
        lattice: Lattice::Irregular,
        smallest: 1.0,
        spacing: 1.0,
    };

    fn of(spacing: f64, points: &[[f64; 2]]) -> Units {
        let grid = Grid { spacing, ..GRID };
        Units::new((&grid, points), (&GRID, &[[0.0, 0.0], [4.0, 0.0]]), 1.0)
    }

    #[test]
    fn only_a_factor_of_both_is_another_unit() {
        let (piece, whole, wide) = (
            [[0.0, 0.0], [1.6, 0.0]],
            [[0.0, 0.0], [4.0, 0.0]],
            [[0.0, 0.0], [10.0, 0.0]],
        );
        assert!(of(0.4, &piece).differ() && of(2.5, &wide).differ());
        // Half the tissue, or a sixth of the cells.
        assert!(!of(1.0, &piece).differ() && !of(2.5, &whole).differ());
        assert!(!of(0.4, &wide).differ());
        assert_eq!(of(0.4, &piece).extent, 0.4);
    }

    #[test]
    fn grids_of_one_kind_are_scaled_and_others_only_if_asked() {
        let grid = |lattice, spacing| Grid {
            lattice,
            spacing,
            ..GRID
        };
        let source = grid(Lattice::Hexagonal, 2.0);
        let factor = |scale: Scale, lattice| scale.factor(&source, &grid(lattice, 5.0));
        assert_eq!(factor(Scale::Grids, Lattice::Hexagonal), 2.5);
        assert_eq!(factor(Scale::Grids, Lattice::Square), 1.0);
        assert_eq!(factor(Scale::Always, Lattice::Irregular), 2.5);
        assert_eq!(factor(Scale::Never, Lattice::Hexagonal), 1.0);
        let cells = grid(Lattice::Irregular, 2.0);
        assert_eq!(Scale::Grids.factor(&cells, &cells), 1.0);
    }
}
