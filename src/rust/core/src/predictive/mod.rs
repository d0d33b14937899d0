//! Predictive components: what a cell's neighbours say about it, without the cell itself (METHODS, "Predictive components").
//!
//! Means of the cells' components over rings of neighbours predict the cells' own components by ridge regression; the first
//! singular directions of the predictions are the columns that domains are found from. Linear in cells: all that is solved,
//! validated and decomposed are cross-products of columns.

mod boundaries;
mod directions;
mod folds;
mod grams;
mod ridge;
mod rings;
mod twins;

pub use boundaries::correct_boundaries;
pub use directions::Directions;
pub use folds::{compact_folds, scattered_folds, FOLDS};
pub use grams::Grams;
pub use ridge::{Ridge, LAMBDAS};
pub use rings::{ring_means, Rings};
pub use twins::{count_twins, without_twins};
