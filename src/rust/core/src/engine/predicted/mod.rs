//! Predictive components of a tissue, and the matrices that its domains are found from (METHODS 8).

mod across;
mod components;
mod even;
mod families;
mod found;
mod further;
mod guard;
mod joint;
mod rings;

use ndarray::{Array2, ArrayView2};

pub use components::Components;
pub use found::{Predictions, Quality};
pub use further::{components_of_new, placed, predicted_by, predicted_by_all};
pub use joint::{joint, joint_by};

/// Components of the cells that are predicted, of each modality. More of them hold more of the cells' own noise, fewer less of the
/// tissue, and no one number is right for every tissue: each has matrices of its own. Users see the first.
const COMPONENTS: [usize; 2] = [SHOWN_COMPONENTS, MOST_COMPONENTS];
const SHOWN_COMPONENTS: usize = 30;
/// The most of [`COMPONENTS`].
const MOST_COMPONENTS: usize = 40;
/// Ranks of neighbours at which rings begin: 6 neighbours, the next 12, 18, 24, 40.
const EDGES: [usize; 6] = [1, 7, 19, 37, 61, 101];
/// How many of these rings predict: a list for each family of matrices. The first gives what users see.
const RINGS: [usize; 2] = [3, 5];
/// Directions of each matrix that domains are found from.
const DIRECTIONS: [usize; 5] = [10, 12, 15, 18, 20];
/// Directions that users see, and that label further cells.
const SHOWN: usize = 15;
/// Cells that one direction takes: fewer cells have fewer directions.
const CELLS_A_DIRECTION: usize = 20;

/// Neighbours say nothing about a modality of which they predict less than this share of the variance, times cells: where cells are
/// shuffled, share times cells is -.5 with a standard deviation of .6 (150 to 5,000 cells, 20 and 200 features).
const HEARD: f64 = 1.5;

fn divided(x: ArrayView2<f32>, by: f64) -> Array2<f32> {
    x.mapv(|v| (f64::from(v) / by) as f32)
}

/// Rows along the tissue's curve, as the cells were given.
pub(super) fn off_curve_rows(x: ArrayView2<f32>, order: &[u32]) -> Array2<f32> {
    let mut out = Array2::zeros(x.dim());
    for (&cell, row) in order.iter().zip(x.rows()) {
        out.row_mut(cell as usize).assign(&row);
    }
    out
}
