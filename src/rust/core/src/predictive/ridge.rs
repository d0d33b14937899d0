//! Ridge regression with one penalty, chosen by cross-validation.

use std::ops::Range;

use ndarray::{Array1, Array2, Axis};

use super::grams::{Grams, Products};
use crate::preprocess::symmetric_eigen;
use crate::{progress, Result};

/// The penalties that are tried, a cell.
pub const LAMBDAS: [f64; 7] = [1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0];

/// X predicted by Z B, with B = (Z'Z + lambda n I)^-1 Z'X.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    /// Predictors x targets.
    pub weights: Array2<f64>,
    /// One of [`LAMBDAS`].
    pub lambda: f64,
    /// The share of the targets' sum of squares that is predicted where the cells are left out.
    pub r2: f64,
}

impl Ridge {
    /// From some predictors to some targets.
    ///
    /// # Errors
    /// A decomposition that does not converge.
    pub fn fit(grams: &Grams, predictors: &[usize], targets: Range<usize>) -> Result<Self> {
        let all = grams.part(&grams.total, predictors, targets.clone());
        let mut errors = [0.0; LAMBDAS.len()];
        for (n_out, gram) in &grams.folds {
            progress::check()?;
            let out = grams.part(gram, predictors, targets.clone());
            let fold = left_out(&all, &out, (grams.n_cells - n_out) as f64)?;
            errors.iter_mut().zip(fold).for_each(|(e, f)| *e += f);
        }
        let best =
            (1..LAMBDAS.len()).fold(0, |best, i| if errors[i] < errors[best] { i } else { best });
        let (values, vectors) = symmetric_eigen(all.own)?;
        let rotated = vectors.t().dot(&all.cross);
        let penalty = LAMBDAS[best] * grams.n_cells as f64;
        Ok(Self {
            weights: vectors.dot(&shrunk(&values, &rotated, penalty)),
            lambda: LAMBDAS[best],
            r2: match all.squares > 0.0 {
                true => 1.0 - errors[best] / all.squares,
                false => 0.0,
            },
        })
    }
}

/// The squared error over the cells left `out`, of ridge on the `n` others, for each penalty.
fn left_out(all: &Products, out: &Products, n: f64) -> Result<[f64; LAMBDAS.len()]> {
    let (values, vectors) = symmetric_eigen(&all.own - &out.own)?;
    let rotated = vectors.t().dot(&(&all.cross - &out.cross));
    let own = vectors.t().dot(&out.own).dot(&vectors);
    let cross = vectors.t().dot(&out.cross);
    Ok(LAMBDAS.map(|lambda| {
        let weights = shrunk(&values, &rotated, lambda * n);
        let predicted = (&weights * &own.dot(&weights)).sum();
        out.squares - 2.0 * (&weights * &cross).sum() + predicted
    }))
}

/// (Lambda + penalty)^-1 times the rotated cross-products.
fn shrunk(values: &[f64], rotated: &Array2<f64>, penalty: f64) -> Array2<f64> {
    let factors: Array1<f64> = values
        .iter()
        .map(|v| 1.0 / (v.max(0.0) + penalty))
        .collect();
    rotated * &factors.insert_axis(Axis(1))
}
