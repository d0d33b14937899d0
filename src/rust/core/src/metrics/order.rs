//! An order of the domains that follows the tissue.

use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::ArrayView2;

use super::check_length;
use crate::graph::knn_within;
use crate::slices::Slices;
use crate::Result;

/// Neighbours by which two domains are found to touch.
const NEIGHBOURS: usize = 6;

/// For each label `0..k` its new number, also `0..k`, such that domains that touch get near numbers:
/// the layers of a cortex count from one surface to the other, also where they bend. That is the
/// order of the Fiedler vector of the graph of domains, whose edges count the pairs of neighbouring
/// cells; it starts at the end with the smaller coordinates. Where domains fall into parts that do
/// not touch, or nothing else decides, they follow their centres. Empty labels come last. `coords`
/// is cells x 2 (or 3); cells of two slices do not touch.
///
/// # Errors
/// As many labels as there are not cells; coordinates that are no numbers.
pub fn order_domains(
    labels: &[u32],
    k: usize,
    coords: ArrayView2<f64>,
    slices: &Slices,
) -> Result<Vec<u32>> {
    check_length(labels, coords.nrows())?;
    let largest = labels.iter().map(|&l| l as usize + 1).max().unwrap_or(0);
    let k = largest.max(k);
    let place = places(labels, k, coords);
    let mut present: Vec<usize> = (0..k).filter(|&d| place[d].is_finite()).collect();
    let touching = contacts(labels, k, coords, slices)?.select_rows(&present);
    let rank = seriation(&touching.select_columns(&present));
    let key = |i: usize| (rank.as_ref().map_or(0.0, |r| r[i]), place[present[i]]);
    let mut order: Vec<usize> = (0..present.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (key(a), key(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let mut ordered: Vec<usize> = order.iter().map(|&i| present[i]).collect();
    if let (Some(&first), Some(&last)) = (ordered.first(), ordered.last()) {
        if place[first] > place[last] {
            ordered.reverse();
        }
    }
    present = ordered;
    let empty = (0..k).filter(|&d| !place[d].is_finite());
    let mut number = vec![0u32; k];
    for (rank, domain) in present.iter().copied().chain(empty).enumerate() {
        number[domain] = rank as u32;
    }
    Ok(number)
}

/// The sum of the coordinates of each domain's centre; infinite where it has no cells.
fn places(labels: &[u32], k: usize, coords: ArrayView2<f64>) -> Vec<f64> {
    let (mut sums, mut sizes) = (vec![0f64; k], vec![0f64; k]);
    for (row, &label) in coords.rows().into_iter().zip(labels) {
        sums[label as usize] += row.sum();
        sizes[label as usize] += 1.0;
    }
    let place = |(sum, size): (f64, f64)| {
        if size > 0.0 {
            sum / size
        } else {
            f64::INFINITY
        }
    };
    sums.into_iter().zip(sizes).map(place).collect()
}

/// k x k: how many neighbouring pairs of cells lie in each pair of domains.
fn contacts(
    labels: &[u32],
    k: usize,
    coords: ArrayView2<f64>,
    slices: &Slices,
) -> Result<DMatrix<f64>> {
    let mut pairs = DMatrix::zeros(k, k);
    let fewest = slices.sizes().into_iter().min().unwrap_or(0);
    let near = knn_within(coords, slices, NEIGHBOURS.min(fewest.saturating_sub(1)))?;
    for (cell, &own) in labels.iter().enumerate() {
        for &other in near.row(cell) {
            let other = labels[other as usize];
            if other != own {
                pairs[(own as usize, other as usize)] += 1.0;
                pairs[(other as usize, own as usize)] += 1.0;
            }
        }
    }
    Ok(pairs)
}

/// The Fiedler vector; None where the graph is not connected.
fn seriation(weights: &DMatrix<f64>) -> Option<Vec<f64>> {
    let k = weights.nrows();
    if k < 3 {
        return None;
    }
    let degrees = DMatrix::from_diagonal(&weights.column_sum());
    let eigen = SymmetricEigen::new(degrees - weights);
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[a].total_cmp(&eigen.eigenvalues[b]));
    let connected = eigen.eigenvalues[order[1]] > 1e-9 * weights.sum().max(1.0);
    connected.then(|| {
        eigen
            .eigenvectors
            .column(order[1])
            .iter()
            .copied()
            .collect()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ndarray::Array2;

    /// Five layers that bend through half a circle, named at random, and a sixth name without cells.
    #[test]
    fn bent_layers_count_from_one_side_to_the_other() {
        let names = [3u32, 0, 4, 1, 2];
        let n = 3000;
        let polar = |i: usize| {
            let radius = 1.0 + (i % 50) as f64 / 25.0;
            (radius, (i / 50) as f64 / 60.0 * std::f64::consts::PI)
        };
        let coords = Array2::from_shape_fn((n, 2), |(i, c)| {
            let (radius, angle) = polar(i);
            radius * if c == 0 { angle.cos() } else { angle.sin() }
        });
        let labels: Vec<u32> = (0..n).map(|i| names[i % 50 / 10]).collect();
        let number = order_domains(&labels, 6, coords.view(), &Slices::one(n)).unwrap();
        let ours = names.map(|l| number[l as usize]);
        assert!(
            ours == [0, 1, 2, 3, 4] || ours == [4, 3, 2, 1, 0],
            "{ours:?}"
        );
        assert_eq!(number[5], 5);
    }

    #[test]
    fn islands_follow_their_centres() {
        let coords = Array2::from_shape_fn((90, 2), |(i, c)| {
            (i / 30) as f64 * 100.0 + (i * (3 + c) % 7) as f64 + (i % 30) as f64 * 0.01
        });
        let labels: Vec<u32> = (0..90).map(|i| [2, 0, 1][i / 30]).collect();
        let number = order_domains(&labels, 3, coords.view(), &Slices::one(90));
        assert_eq!(number.unwrap(), [1, 2, 0]);
    }
}
