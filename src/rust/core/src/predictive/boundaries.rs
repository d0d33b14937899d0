//! Cells along the borders of domains, looked at once more by what they are themselves.
//!
//! What neighbours predict blurs a border by their reach. A cell's own components say on which side it lies: a linear
//! discriminant of them, trained on the other cells' labels, is weighed against the labels of the nearest. Only labels that the
//! cell or one of these has are possible, so that the inside of a domain stays as it is.

use nalgebra::{Cholesky, DMatrix};
use ndarray::{s, Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::folds::{scattered_folds, FOLDS};
use crate::graph::Neighbours;
use crate::{progress, Error, Result};

/// Nearest cells whose labels a cell may take.
const NEAREST: usize = 6;
/// Added to the covariance within the groups, as a part of its mean variance.
const RIDGE: f64 = 1e-3;
/// Rows of one product.
const CHUNK: usize = 1024;
/// Between which temperatures the best is looked for.
const TEMPERATURES: (f64, f64) = (0.01, 3.0);

/// New `labels` (each one of `0..k`) of cells with components `x` and neighbours `near`, of which the nearest six count.
///
/// # Errors
/// Labels or neighbours of other cells; [`Error::Interrupted`].
pub fn correct_boundaries(
    x: ArrayView2<f32>,
    labels: &[u32],
    near: &Neighbours,
    k: usize,
) -> Result<Vec<u32>> {
    if x.nrows() != labels.len() || near.n_rows() != labels.len() {
        return Err(Error::Internal(
            "labels or neighbours of other cells".into(),
        ));
    }
    let scores = discriminants(x, labels, k)?;
    let temperature = temperature(&scores, labels);
    let label = |cell: usize| {
        let nearest = near.row(cell).iter().take(NEAREST);
        let mut votes = vec![0f64; k];
        votes[labels[cell] as usize] += 1.0;
        nearest.for_each(|&other| votes[labels[other as usize] as usize] += 1.0);
        let score = |g: usize| votes[g].ln() + temperature * scores[[cell, g]];
        let possible = (0..k).filter(|&g| votes[g] > 0.0);
        let best = possible.reduce(|best, g| if score(g) > score(best) { g } else { best });
        best.map_or(labels[cell], |g| g as u32)
    };
    Ok((0..labels.len()).into_par_iter().map(label).collect())
}

/// Linear discriminants of every cell for every group, from the cells of the other folds; very low for a group without any.
fn discriminants(x: ArrayView2<f32>, labels: &[u32], k: usize) -> Result<Array2<f64>> {
    let folds = scattered_folds(labels.len());
    let mut scores = Array2::zeros((labels.len(), k));
    for fold in 0..FOLDS as u8 {
        progress::check()?;
        let (out, others): (Vec<usize>, Vec<usize>) =
            (0..labels.len()).partition(|&cell| folds[cell] == fold);
        let (slopes, offsets) = discriminant(x, labels, &others, k)?;
        for rows in out.chunks(CHUNK) {
            let block = x.select(Axis(0), rows).mapv(f64::from).dot(&slopes) + &offsets;
            for (&row, values) in rows.iter().zip(block.rows()) {
                scores.row_mut(row).assign(&values);
            }
        }
    }
    Ok(scores)
}

/// Slopes (columns x groups) and offsets: the log density of a row in every group but for what all share.
fn discriminant(
    x: ArrayView2<f32>,
    labels: &[u32],
    rows: &[usize],
    k: usize,
) -> Result<(Array2<f64>, Array1<f64>)> {
    let p = x.ncols();
    let mut within = Array2::<f64>::zeros((p, p));
    let (mut means, mut sizes) = (Array2::<f64>::zeros((k, p)), vec![0f64; k]);
    for rows in rows.chunks(CHUNK) {
        let block = x.select(Axis(0), rows).mapv(f64::from);
        ndarray::linalg::general_mat_mul(1.0, &block.t(), &block, 1.0, &mut within);
        for (&row, values) in rows.iter().zip(block.rows()) {
            let group = labels[row] as usize;
            sizes[group] += 1.0;
            let mut sum = means.row_mut(group);
            sum += &values;
        }
    }
    for (mut mean, &size) in means.rows_mut().into_iter().zip(&sizes) {
        mean /= size.max(1.0);
        let column = mean.view().insert_axis(Axis(1));
        within.scaled_add(-size, &column.dot(&column.t()));
    }
    within /= rows.len().max(1) as f64;
    let ridge = RIDGE * within.diag().mean().unwrap_or(0.0);
    within.diag_mut().mapv_inplace(|v| v + ridge);
    let singular = || Error::numeric("the components of the cells do not vary within the domains");
    let factor = Cholesky::new(DMatrix::from_fn(p, p, |i, j| within[[i, j]]));
    let right = DMatrix::from_fn(p, k, |i, j| means[[j, i]]);
    let solved = factor.ok_or_else(singular)?.solve(&right);
    let slopes = Array2::from_shape_fn((p, k), |(i, j)| solved[(i, j)]);
    let offset = |g: usize| match sizes[g] > 0.0 {
        true => -0.5 * slopes.slice(s![.., g]).dot(&means.row(g)),
        false => f64::MIN / 4.0,
    };
    Ok((slopes.clone(), (0..k).map(offset).collect()))
}

/// By what the discriminants are multiplied so that they predict the labels best: the least log loss, by golden section.
fn temperature(scores: &Array2<f64>, labels: &[u32]) -> f64 {
    let loss = |log_t: f64| {
        let t = log_t.exp();
        let one = |(row, &label): (ndarray::ArrayView1<f64>, &u32)| {
            let most = row.iter().fold(f64::NEG_INFINITY, |m, &v| m.max(t * v));
            let sum: f64 = row.iter().map(|&v| (t * v - most).exp()).sum();
            most + sum.ln() - t * row[label as usize]
        };
        scores.rows().into_iter().zip(labels).map(one).sum::<f64>()
    };
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (TEMPERATURES.0.ln(), TEMPERATURES.1.ln());
    let inner = |low: f64, high: f64| (high - ratio * (high - low), low + ratio * (high - low));
    let (mut a, mut b) = inner(low, high);
    let (mut at_a, mut at_b) = (loss(a), loss(b));
    while high - low > 1e-4 {
        if at_a < at_b {
            (high, b, at_b) = (b, a, at_a);
            a = inner(low, high).0;
            at_a = loss(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = inner(low, high).1;
            at_b = loss(b);
        }
    }
    ((low + high) / 2.0).exp()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::graph::spatial_knn;
    use crate::rng::{Purpose, Rng};

    /// Two halves of a square, whose cells differ; labels with the border in the wrong place.
    #[test]
    fn a_blurred_border_goes_where_the_cells_say_and_insides_stay() {
        let mut rng = Rng::new(1, Purpose::Data, 0);
        let coords = Array2::from_shape_fn((2000, 2), |_| rng.uniform() * 10.0);
        let side = |cell: usize| coords[[cell, 0]] > 5.0;
        let x = Array2::from_shape_fn((2000, 4), |(i, j)| {
            let apart = if j == 0 && side(i) { 4.0 } else { 0.0 };
            (apart + rng.normal()) as f32
        });
        let blurred = |cell: usize| coords[[cell, 0]] + 0.5 * (coords[[cell, 1]] * 3.0).sin();
        let labels: Vec<u32> = (0..2000).map(|c| u32::from(blurred(c) > 5.0)).collect();
        let near = spatial_knn(coords.view(), NEAREST).unwrap();
        let found = correct_boundaries(x.view(), &labels, &near, 2).unwrap();
        let wrong = |labels: &[u32]| (0..2000).filter(|&c| (labels[c] == 1) != side(c)).count();
        assert!(wrong(&labels) > 50, "{}", wrong(&labels));
        assert!(2 * wrong(&found) < wrong(&labels), "{}", wrong(&found));
        for cell in 0..2000 {
            let alike = near
                .row(cell)
                .iter()
                .all(|&o| labels[o as usize] == labels[cell]);
            assert!(!alike || found[cell] == labels[cell]);
        }
    }

    #[test]
    fn discriminants_are_log_densities_but_for_a_constant() {
        let mut rng = Rng::new(2, Purpose::Data, 0);
        let labels: Vec<u32> = (0..90).map(|i| i % 3).collect();
        let x = Array2::from_shape_fn((90, 2), |(i, j)| {
            ((i % 3) as f64 * (1.0 + j as f64) + rng.normal()) as f32
        });
        let rows: Vec<usize> = (0..90).collect();
        let (slopes, offsets) = discriminant(x.view(), &labels, &rows, 3).unwrap();
        let means = |g: usize, j: usize| -> f64 {
            (0..90)
                .filter(|i| i % 3 == g)
                .map(|i| f64::from(x[[i, j]]))
                .sum::<f64>()
                / 30.0
        };
        let mut s = [[0.0; 2]; 2];
        for i in 0..90 {
            let d: [f64; 2] = std::array::from_fn(|j| f64::from(x[[i, j]]) - means(i % 3, j));
            for a in 0..2 {
                for b in 0..2 {
                    s[a][b] += d[a] * d[b] / 90.0;
                }
            }
        }
        let ridge = RIDGE * (s[0][0] + s[1][1]) / 2.0;
        let (a, b, c) = (s[0][0] + ridge, s[0][1], s[1][1] + ridge);
        let det = a * c - b * b;
        let density = |i: usize, g: usize| {
            let d: [f64; 2] = std::array::from_fn(|j| f64::from(x[[i, j]]) - means(g, j));
            -0.5 * (c * d[0] * d[0] - 2.0 * b * d[0] * d[1] + a * d[1] * d[1]) / det
        };
        let score = |i: usize, g: usize| {
            let row = x.row(i).mapv(f64::from);
            row.dot(&slopes.column(g)) + offsets[g]
        };
        for i in [0, 17, 44] {
            let gap = score(i, 0) - score(i, 2);
            assert!((gap - (density(i, 0) - density(i, 2))).abs() < 1e-8);
        }
    }
}
