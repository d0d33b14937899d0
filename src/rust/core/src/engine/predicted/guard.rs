//! What the network has learned of the tissue, beside what a ridge has.

use ndarray::{ArrayView2, Axis};

use super::found::Predictions;
use crate::predictive::{compact_folds, Grams, Ridge};
use crate::Result;

impl Predictions {
    /// Records how much of the components a linear reading of `unseen` predicts in compact regions that are left out: of what the network
    /// makes of cells that it does not see, cells x columns in the cells' own order.
    ///
    /// # Errors
    /// Those of [`Ridge::fit`].
    pub fn judge(&mut self, unseen: ArrayView2<f32>) -> Result<()> {
        let rows: Vec<usize> = self.order.iter().map(|&cell| cell as usize).collect();
        let seen = unseen.select(Axis(0), &rows);
        let grams = Grams::new(seen.view(), self.own(), &compact_folds(seen.nrows()))?;
        let predictors: Vec<usize> = (0..seen.ncols()).collect();
        let ridge = Ridge::fit(&grams, &predictors, 0..self.own.ncols())?;
        self.quality.r2_network = Some(ridge.r2);
        Ok(())
    }
}
