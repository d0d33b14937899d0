//! Cells that a model has not seen.

use ndarray::{Array2, ArrayView2, Axis};

use super::even::place;
use super::rings::Around;
use super::{divided, off_curve_rows, MOST_COMPONENTS, SHOWN_COMPONENTS};
use crate::engine::columns::{first_columns, side_by_side};
use crate::engine::predict::NewPart;
use crate::engine::system::Values;
use crate::engine::tensors::Tensors;
use crate::engine::tissue::Tissue;
use crate::predictive::Directions;
use crate::preprocess::{median_totals, Scaling};
use crate::slices::Slices;
use crate::{Error, Result};

/// The components of further cells by the projection that a model holds under `prefix`.
///
/// # Errors
/// A damaged model; counts that are not valid.
pub fn components_of_new(
    new: &NewPart,
    model: &Tensors,
    prefix: &str,
    scaling: Scaling,
) -> Result<Array2<f32>> {
    match &new.part.values {
        Values::Columns(x) => Ok(first_columns(x.view(), SHOWN_COMPONENTS)),
        Values::Counts(counts) => {
            let all: Vec<u32> = (0..counts.n_genes() as u32).collect();
            let median = median_totals(counts, &Slices::one(counts.n_cells()), &[all])[0];
            let learnt = new.projection(model, prefix)?;
            let features = learnt.features(counts, &new.present, scaling, (median, true))?;
            placed(features.to_dense().view(), model, prefix, scaling)
        }
    }
}

/// The components of the cells of one slice that are predicted, moved as a whole to where the groups of a model under `prefix` lie, if it has any and
/// the slice was scaled by itself.
///
/// # Errors
/// A damaged model.
pub fn placed(
    x: ArrayView2<f32>,
    model: &Tensors,
    prefix: &str,
    scaling: Scaling,
) -> Result<Array2<f32>> {
    let mut x = first_columns(x, MOST_COMPONENTS);
    let groups = format!("{prefix}.groups");
    if scaling == Scaling::Own && model.has(&groups) {
        place(&mut x, model.matrix(&groups)?.view())?;
    }
    Ok(first_columns(x.view(), SHOWN_COMPONENTS))
}

/// [`predicted_by`] of the components of several modalities, in the order of the model.
///
/// # Errors
/// Those of [`predicted_by`]; another number of modalities.
pub fn predicted_by_all(
    model: &Tensors,
    parts: &[ArrayView2<f32>],
    tissue: &Tissue,
) -> Result<Array2<f32>> {
    let spreads = model.vector("ridge.spread")?;
    if spreads.len() != parts.len() {
        let message = "The predictive components of the model do not fit its modalities";
        return Err(Error::model(message));
    }
    let first = parts.iter().map(|x| first_columns(*x, SHOWN_COMPONENTS));
    let scaled = first.zip(&spreads).map(|(x, &by)| divided(x.view(), by));
    let scaled: Vec<Array2<f32>> = scaled.collect();
    let views: Vec<_> = scaled.iter().map(|x| x.view()).collect();
    predicted_by(model, side_by_side(&views)?.view(), tissue)
}

/// The columns of further cells with components `x` (in the cells' own order) by what a model keeps.
///
/// # Errors
/// A damaged model; fewer cells in a slice than its rings take.
pub fn predicted_by(model: &Tensors, x: ArrayView2<f32>, tissue: &Tissue) -> Result<Array2<f32>> {
    let edges = model.vector("ridge.edges")?;
    let edges: Vec<usize> = edges.iter().map(|&e| e as usize).collect();
    // Along the curve as in training: of neighbours as far away, the same come first.
    let order = tissue.order()?;
    let rows: Vec<usize> = order.iter().map(|&cell| cell as usize).collect();
    let x = x.select(Axis(0), &rows);
    let around = Around::of(x.view(), &tissue.along_curve()?, &edges)?;
    if around.rings.len() + 1 != edges.len() {
        let most = edges.last().copied().unwrap_or(0);
        let message = format!(
            "The model looks at up to {} cells around each, and a slice of `newdata` has no more: predict more of its cells at once",
            most.saturating_sub(1)
        );
        return Err(Error::argument("newdata", message));
    }
    let weights = model.matrix("ridge.weights")?;
    let predictors = around.means.ncols();
    let directions = Directions {
        predictors: (0..predictors).collect(),
        centre: model.vector("ridge.centre")?,
        weights,
    };
    let found = directions.columns(around.means.view(), x.view())?;
    Ok(off_curve_rows(found.view(), &order))
}
