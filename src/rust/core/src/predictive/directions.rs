//! The directions in which predictions vary most.

use std::ops::Range;

use ndarray::{concatenate, s, Array1, Array2, ArrayView2, ArrayViewMut1, Axis};
use rayon::prelude::*;

use super::grams::Grams;
use super::ridge::Ridge;
use crate::preprocess::symmetric_eigen;
use crate::{progress, Error, Result};

/// Rows of one product.
const CHUNK: usize = 1024;

/// From ring means Z and the cells' own components X to the first singular directions, U S, of the predictions: of
/// P = (1 - w) Z B + w X, with w the share of the cells' own residuals that is put back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directions {
    /// Which ring means are used.
    pub predictors: Vec<usize>,
    /// Means of those, then of the components where these are used.
    pub centre: Array1<f64>,
    /// Ring means (and components) x directions, the largest variance first; the largest loading of each on the targets is
    /// positive.
    pub weights: Array2<f64>,
}

impl Directions {
    /// The first `most` directions of what `ridges` predict, or as many as there are targets. Each has the `predictors`, and its own of
    /// the `targets`. `own`: the share of the residuals that is put back.
    ///
    /// # Errors
    /// A decomposition that does not converge.
    pub fn of(
        ridges: &[Ridge],
        grams: &Grams,
        predictors: Vec<usize>,
        targets: &[Range<usize>],
        own: f64,
        most: usize,
    ) -> Result<Self> {
        let blocks: Vec<_> = ridges.iter().map(|r| r.weights.view()).collect();
        let predicted = side_by_side(&blocks, Axis(1))? * (1.0 - own);
        let kept = Array2::eye(predicted.ncols()) * own;
        let weights = side_by_side(&[predicted.view(), kept.view()], Axis(0))?;
        let squares = weights
            .t()
            .dot(&grams.joint(&predictors, targets))
            .dot(&weights);
        let (_, mut vectors) = symmetric_eigen((&squares + &squares.t()) / 2.0)?;
        vectors.columns_mut().into_iter().for_each(fix_sign);
        let most = most.min(vectors.ncols());
        let mut weights = weights.dot(&vectors.slice(s![.., ..most]));
        let spread = grams.spread.select(Axis(0), &predictors);
        let mut of_rings = weights.slice_mut(s![..predictors.len(), ..]);
        of_rings /= &spread.insert_axis(Axis(1));
        let mut centre = grams.centre.select(Axis(0), &predictors).to_vec();
        match own > 0.0 {
            true => centre.extend(targets.iter().cloned().flatten().map(|t| grams.targets[t])),
            false => weights = weights.slice(s![..predictors.len(), ..]).to_owned(),
        }
        Ok(Self {
            predictors,
            centre: centre.into(),
            weights,
        })
    }

    /// The predictions themselves, a column a target: (z - centre) weights is Z B.
    ///
    /// # Errors
    /// Ridges of other predictors.
    pub fn unrotated(ridges: &[Ridge], grams: &Grams, predictors: Vec<usize>) -> Result<Self> {
        let blocks: Vec<_> = ridges.iter().map(|r| r.weights.view()).collect();
        let mut weights = side_by_side(&blocks, Axis(1))?;
        weights /= &grams
            .spread
            .select(Axis(0), &predictors)
            .insert_axis(Axis(1));
        Ok(Self {
            centre: grams.centre.select(Axis(0), &predictors),
            predictors,
            weights,
        })
    }

    /// The columns of cells with ring means `z` and components `x`: cells x directions.
    ///
    /// # Errors
    /// Ring means or components of another number; [`Error::Interrupted`].
    pub fn columns(&self, z: ArrayView2<f32>, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        let used = self.centre.len().checked_sub(self.predictors.len());
        let own = used == Some(x.ncols());
        let inside = self.predictors.iter().all(|&p| p < z.ncols());
        if !inside || !(own || used == Some(0)) || self.weights.nrows() != self.centre.len() {
            let message = "The predictive components of the model do not fit the cells";
            return Err(Error::model(message));
        }
        let width = self.weights.ncols();
        let mut out = vec![0f32; z.nrows() * width];
        let ticket = progress::current();
        let chunks = out.par_chunks_mut((CHUNK * width).max(1)).enumerate();
        chunks.for_each(|(chunk, out)| {
            let rows = chunk * CHUNK..((chunk + 1) * CHUNK).min(z.nrows());
            let columns = ticket.part(|| {
                let mut seen = Array2::zeros((rows.len(), self.centre.len()));
                for (mut seen, row) in seen.rows_mut().into_iter().zip(rows) {
                    let rings = self.predictors.iter().map(|&p| z[[row, p]]);
                    let components = x.row(row).into_iter().copied();
                    let values = rings.chain(components).zip(&self.centre);
                    let seen = seen.iter_mut().zip(values);
                    seen.for_each(|(s, (v, centre))| *s = f64::from(v) - centre);
                }
                seen.dot(&self.weights)
            });
            out.iter_mut()
                .zip(&columns)
                .for_each(|(o, &v)| *o = v as f32);
        });
        ticket.check()?;
        Array2::from_shape_vec((z.nrows(), width), out).map_err(|e| Error::Internal(e.to_string()))
    }
}

fn side_by_side(parts: &[ArrayView2<f64>], axis: Axis) -> Result<Array2<f64>> {
    concatenate(axis, parts).map_err(|e| Error::Internal(e.to_string()))
}

fn fix_sign(mut vector: ArrayViewMut1<f64>) {
    let larger = |most: f64, &value: &f64| {
        if value.abs() > most.abs() {
            value
        } else {
            most
        }
    };
    if vector.iter().fold(0.0, larger) < 0.0 {
        vector.mapv_inplace(|value| -value);
    }
}
