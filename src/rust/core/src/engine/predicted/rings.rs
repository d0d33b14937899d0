//! What lies around the cells.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use super::across::means_across;
use crate::engine::columns::side_by_side;
use crate::engine::tissue::Tissue;
use crate::predictive::{count_twins, ring_means, without_twins, Rings};
use crate::Result;

/// Means over rings of neighbours within the slices, and how many cells are twins of another.
pub(super) struct Around {
    pub means: Array2<f32>,
    pub rings: Rings,
    /// Further means behind those of the rings, of what lies above and below in a stack: how many of all columns.
    pub across: usize,
    pub twins: usize,
}

impl Around {
    pub fn of(x: ArrayView2<f32>, tissue: &Tissue, edges: &[usize]) -> Result<Self> {
        let most = tissue.most_neighbours();
        let rings = Rings::new(edges, most)?;
        let near = tissue.neighbours(rings.reach())?;
        let twins = count_twins(x, &near);
        let doubles = twins.iter().copied().max().unwrap_or(0);
        let (near, rings) = match doubles {
            0 => (near, rings),
            n => {
                let rings = Rings::new(edges, most.saturating_sub(n))?;
                let wider = tissue.neighbours(rings.reach() + n)?;
                (Arc::new(without_twins(x, &wider, rings.reach())?), rings)
            }
        };
        Ok(Self {
            means: ring_means(x, &near, &rings)?,
            twins: twins.iter().filter(|&&n| n > 0).count(),
            rings,
            across: 0,
        })
    }

    /// Puts the means of [`means_across`] behind those of the rings.
    pub fn add_adjacent(&mut self, x: ArrayView2<f32>, tissue: &Tissue) -> Result<()> {
        let first_ring = self.rings.size(0);
        let across = means_across(x, self.means.view(), first_ring, tissue)?;
        self.across = across.ncols() / x.ncols().max(1);
        self.means = side_by_side(&[self.means.view(), across.view()])?;
        Ok(())
    }
}
