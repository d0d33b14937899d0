//! Components of a modality averaged over neighbours.

use ndarray::{Array2, ArrayView2};

use crate::engine::columns::first_columns;
use crate::engine::Tissue;
use crate::graph::smooth;
use crate::options::DomainOptions;
use crate::preprocess::Modality;
use crate::Result;

/// What a modality is averaged by.
pub(super) struct Averaged {
    /// What its components are divided by first.
    pub spread: f64,
    /// Over how many cells.
    pub k: usize,
}

impl Averaged {
    /// The first components of `modality`, averaged as `how` says.
    ///
    /// # Errors
    /// Those of [`smooth`].
    pub fn average(
        &self,
        modality: &Modality,
        how: &DomainOptions,
        tissue: &Tissue,
    ) -> Result<Array2<f32>> {
        let x = first_columns(modality.components.view(), how.smooth_components);
        let x = divided(x.view(), self.spread);
        let k = self.k.min(tissue.most_neighbours() + 1).saturating_sub(1);
        smooth(x.view(), &*tissue.neighbours(k)?, how.smooth_passes)
    }
}

/// Every value divided.
pub(super) fn divided(x: ArrayView2<f32>, by: f64) -> Array2<f32> {
    x.mapv(|v| (f64::from(v) / by) as f32)
}
