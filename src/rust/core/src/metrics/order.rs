//! An order of the domains that follows the tissue.

use ndarray::{Array1, Array2, ArrayView2};

use super::check_length;
use crate::Result;

/// For each label `0..k` its new number, also `0..k`: domains in the order of their centres along
/// the direction in which the centres (weighted by their cells) spread most. Layers of a cortex then
/// count from one surface to the other. The direction points to larger coordinates; empty labels
/// come last. `coords` is cells x 2 (or 3).
///
/// # Errors
/// As many labels as there are not cells.
pub fn order_domains(labels: &[u32], k: usize, coords: ArrayView2<f64>) -> Result<Vec<u32>> {
    check_length(labels, coords.nrows())?;
    let k = labels
        .iter()
        .map(|&l| l as usize + 1)
        .max()
        .unwrap_or(0)
        .max(k);
    let (centres, sizes) = centres(labels, k, coords);
    let axis = principal_axis(&centres, &sizes);
    let place = |d: usize| match sizes[d] > 0.0 {
        true => centres.row(d).dot(&axis),
        false => f64::INFINITY,
    };
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| place(a).total_cmp(&place(b)).then(a.cmp(&b)));
    let mut number = vec![0u32; k];
    for (rank, domain) in order.into_iter().enumerate() {
        number[domain] = rank as u32;
    }
    Ok(number)
}

fn centres(labels: &[u32], k: usize, coords: ArrayView2<f64>) -> (Array2<f64>, Vec<f64>) {
    let mut centres = Array2::zeros((k, coords.ncols()));
    let mut sizes = vec![0f64; k];
    for (row, &label) in coords.rows().into_iter().zip(labels) {
        let mut centre = centres.row_mut(label as usize);
        centre += &row;
        sizes[label as usize] += 1.0;
    }
    for (mut centre, &size) in centres.rows_mut().into_iter().zip(&sizes) {
        centre /= f64::max(size, 1.0);
    }
    (centres, sizes)
}

/// The first eigenvector of the weighted covariance, by power iteration.
fn principal_axis(centres: &Array2<f64>, sizes: &[f64]) -> Array1<f64> {
    let d = centres.ncols();
    let total: f64 = sizes.iter().sum::<f64>().max(1.0);
    let weights = Array1::from_iter(sizes.iter().map(|s| s / total));
    let centred = centres - &weights.dot(centres);
    let covariance = centred
        .t()
        .dot(&(&centred * &weights.insert_axis(ndarray::Axis(1))));
    // A start in no special direction, so that it is never perpendicular to the answer.
    let mut axis = Array1::from_iter((0..d).map(|i| 1.0 + 0.618 * i as f64));
    for _ in 0..200 {
        let next = covariance.dot(&axis);
        let length = next.dot(&next).sqrt();
        if length == 0.0 {
            break;
        }
        axis = next / length;
    }
    let sign = axis.sum();
    axis * if sign < 0.0 { -1.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn layers_count_along_the_tissue() {
        // Five layers across a slanted strip, named at random.
        let names = [3u32, 0, 4, 1, 2];
        let n = 500;
        let coords = Array2::from_shape_fn((n, 2), |(i, c)| {
            let (along, across) = (i as f64 / n as f64 * 10.0, (i * 7 % 13) as f64 / 13.0);
            if c == 0 {
                along + across
            } else {
                0.5 * along - across
            }
        });
        let labels: Vec<u32> = (0..n).map(|i| names[i * 5 / n]).collect();
        let number = order_domains(&labels, 5, coords.view()).unwrap();
        assert_eq!(names.map(|l| number[l as usize]), [0, 1, 2, 3, 4]);
    }
}
