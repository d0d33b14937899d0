//! The network and the cells' neighbours put together: the embedding that users see.

use ndarray::{Array2, ArrayView2, Axis};

use super::found::Predictions;
use super::off_curve_rows;
use crate::engine::tensors::Tensors;
use crate::predictive::{scattered_folds, Directions, Grams, Ridge};
use crate::Result;

/// What counts of the network, beside 1 of the neighbours' own prediction: chosen in the folder `bench`.
const SHARE: f32 = 0.5;

/// The predicted columns, and half of what the `network`'s embedding (cells x columns, in the cells' own order) says of them:
/// cells x directions in that order, and what repeats it for further cells.
///
/// Side by side the two would be twice as many columns, half of them with the network's seed in them, and mixtures do not look at
/// the scale of columns.
///
/// # Errors
/// Those of [`Ridge::fit`].
pub fn joint(predicted: &Predictions, network: ArrayView2<f32>) -> Result<(Array2<f32>, Tensors)> {
    let rows: Vec<usize> = predicted.order.iter().map(|&cell| cell as usize).collect();
    let (seen, wanted) = (network.select(Axis(0), &rows), predicted.shown());
    let grams = Grams::new(seen.view(), wanted, &scattered_folds(seen.nrows()))?;
    let predictors: Vec<usize> = (0..seen.ncols()).collect();
    let ridge = Ridge::fit(&grams, &predictors, 0..wanted.ncols())?;
    let said = Directions::unrotated(&[ridge], &grams, predictors)?;
    let together = add(&said, wanted, seen.view())?;
    let mut model = Tensors::default();
    model.insert("joint.centre", said.centre.into_dyn());
    model.insert("joint.weights", said.weights.into_dyn());
    Ok((off_curve_rows(together.view(), &predicted.order), model))
}

/// [`joint`] for further cells by what a model keeps: from the columns that their neighbours predict and the network's embedding.
///
/// # Errors
/// A damaged model.
pub fn joint_by(
    model: &Tensors,
    predicted: ArrayView2<f32>,
    network: ArrayView2<f32>,
) -> Result<Array2<f32>> {
    let said = Directions {
        predictors: (0..network.ncols()).collect(),
        centre: model.vector("joint.centre")?,
        weights: model.matrix("joint.weights")?,
    };
    add(&said, predicted, network)
}

fn add(
    said: &Directions,
    predicted: ArrayView2<f32>,
    network: ArrayView2<f32>,
) -> Result<Array2<f32>> {
    let of_network = said.columns(network, predicted)?;
    Ok(&predicted + &(of_network * SHARE))
}
