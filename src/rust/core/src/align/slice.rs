//! One slice of a stack, as it is aligned.

use ndarray::{Array2, ArrayView2, Axis};

use super::grid::{grid_of, Grid};
use super::outline::{outline, Outline};
use super::pair::Side;
use crate::Result;

/// The cells of one slice.
pub(super) struct Slice {
    pub spots: Vec<[f64; 2]>,
    /// Those to align by.
    chosen: Vec<u32>,
    pub features: Option<Array2<f64>>,
    pub grid: Grid,
}

impl Slice {
    /// The slice of these rows.
    ///
    /// # Errors
    /// Fewer than 3 cells, or all in one place.
    pub fn new(
        coords: ArrayView2<f64>,
        rows: &[usize],
        features: Option<ArrayView2<f64>>,
        which: Outline,
    ) -> Result<Self> {
        let here = coords.select(Axis(0), rows);
        let grid = grid_of(here.view())?;
        let mut chosen = outline(here.view(), &grid, which)?;
        if chosen.len() < 3 {
            chosen = outline(here.view(), &grid, Outline::All)?;
        }
        Ok(Self {
            spots: here.rows().into_iter().map(|r| [r[0], r[1]]).collect(),
            chosen,
            features: features.map(|f| f.select(Axis(0), rows)),
            grid,
        })
    }

    /// As a side of a pair, its spots where `spots` says.
    pub fn side<'a>(&'a self, spots: &'a [[f64; 2]]) -> Side<'a> {
        Side {
            spots,
            chosen: &self.chosen,
            features: self.features.as_ref().map(Array2::view),
        }
    }
}
