//! How far apart groups lie in the columns that they were found from, and what a group says about its cells.

use ndarray::{Array1, Array2, ArrayView2};

use crate::{Error, Result};

/// Cells and means of every group, and the mean of all.
struct Groups {
    sizes: Vec<f64>,
    means: Array2<f64>,
    all: Array1<f64>,
}

impl Groups {
    /// Of the cells that `used` says.
    fn of(x: ArrayView2<f32>, labels: &[u32], k: usize, used: impl Fn(usize) -> bool) -> Self {
        let mut sizes = vec![0.0; k];
        let mut means = Array2::<f64>::zeros((k, x.ncols()));
        for (cell, &label) in labels.iter().enumerate().filter(|(cell, _)| used(*cell)) {
            sizes[label as usize] += 1.0;
            let mut sum = means.row_mut(label as usize);
            sum.zip_mut_with(&x.row(cell), |sum, &v| *sum += f64::from(v));
        }
        let n: f64 = sizes.iter().sum();
        let all = means.sum_axis(ndarray::Axis(0)) / n.max(1.0);
        for (mut mean, &size) in means.rows_mut().into_iter().zip(&sizes) {
            mean /= size.max(1.0);
        }
        Self { sizes, means, all }
    }
}

fn check(x: ArrayView2<f32>, labels: &[u32]) -> Result<usize> {
    if x.nrows() != labels.len() || labels.is_empty() {
        return Err(Error::Internal("labels of other cells".into()));
    }
    Ok(labels.iter().max().map_or(0, |&most| most as usize + 1))
}

fn squares(row: impl Iterator<Item = (f64, f64)>) -> f64 {
    row.map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The criterion of Calinski and Harabasz (1974): variance between the groups over variance within them, each by its
/// degrees of freedom. `x`: cells x columns. NaN for a single group.
///
/// # Errors
/// Labels of another number of cells.
pub fn calinski_harabasz(x: ArrayView2<f32>, labels: &[u32]) -> Result<f64> {
    let k = check(x, labels)?;
    let groups = Groups::of(x, labels, k, |_| true);
    let between: f64 = (groups.means.rows().into_iter().zip(&groups.sizes))
        .map(|(mean, size)| size * squares(mean.iter().copied().zip(groups.all.iter().copied())))
        .sum();
    let within: f64 = (labels.iter().enumerate())
        .map(|(cell, &label)| {
            let mean = groups.means.row(label as usize);
            squares(
                x.row(cell)
                    .iter()
                    .map(|&v| f64::from(v))
                    .zip(mean.iter().copied()),
            )
        })
        .sum();
    let found = groups.sizes.iter().filter(|&&n| n > 0.0).count() as f64;
    let n = labels.len() as f64;
    Ok((between / (found - 1.0)) / (within / (n - found)))
}

/// The share of the variance of `x` (cells x columns) that the means of the groups predict, over cells that were left
/// out of the means: `folds` says with which others each cell is.
///
/// # Errors
/// Labels of another number of cells.
pub fn predicted_by_groups(x: ArrayView2<f32>, labels: &[u32], folds: &[u8]) -> Result<f64> {
    let k = check(x, labels)?;
    if folds.len() != labels.len() {
        return Err(Error::Internal("folds of other cells".into()));
    }
    let (mut error, mut total) = (0.0, 0.0);
    let last = folds.iter().copied().max().unwrap_or(0);
    for fold in 0..=last {
        let groups = Groups::of(x, labels, k, |cell| folds[cell] != fold);
        for (cell, &label) in labels.iter().enumerate().filter(|(c, _)| folds[*c] == fold) {
            let own = || x.row(cell).into_iter().map(|&v| f64::from(v));
            // A group that is left out whole says nothing.
            let mean = match groups.sizes[label as usize] > 0.0 {
                true => groups.means.row(label as usize),
                false => groups.all.view(),
            };
            error += squares(own().zip(mean.iter().copied()));
            total += squares(own().zip(groups.all.iter().copied()));
        }
    }
    Ok(1.0 - error / total)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ndarray::array;

    use super::*;

    #[test]
    fn the_criterion_is_that_of_a_small_example() {
        let x = array![[0.0f32], [2.0], [10.0], [12.0], [14.0]];
        let labels = [0, 0, 1, 1, 1];
        // Means 1 and 12 about 7.6: between 2 x 6.6^2 + 3 x 4.4^2 = 145.2, within 2 + 8 = 10.
        let found = calinski_harabasz(x.view(), &labels).unwrap();
        assert!((found - 145.2 / (10.0 / 3.0)).abs() < 1e-9);
        assert!(calinski_harabasz(x.view(), &labels[..3]).is_err());
    }

    #[test]
    fn groups_predict_what_they_share_and_nothing_else() {
        let labels: Vec<u32> = (0..200).map(|i| i % 2).collect();
        let folds: Vec<u8> = (0..200).map(|i| (i / 2 % 5) as u8).collect();
        let apart = Array2::from_shape_fn((200, 2), |(i, _)| (i % 2) as f32);
        let found = predicted_by_groups(apart.view(), &labels, &folds).unwrap();
        assert!((found - 1.0).abs() < 1e-12);
        let mixed = Array2::from_shape_fn((200, 2), |(i, j)| ((i / 2 * 37 + j * 11) % 17) as f32);
        let found = predicted_by_groups(mixed.view(), &labels, &folds).unwrap();
        assert!(found.abs() < 0.05, "{found}");
    }
}
