//! What lies above and below the cells of a stack.

use ndarray::{s, Array2, ArrayView2};

use crate::engine::tissue::Tissue;
use crate::graph::nearest_across;
use crate::Result;

/// Means over the cells nearest to each in the slices before and after its own: `x` of the nearest and of that one's first ring, and that one's
/// second ring if there is one; the mean of both slices where there are two. `means`: over rings within the slices, ring after
/// ring, the first of `first_ring` cells.
///
/// # Errors
/// Those of [`nearest_across`].
pub(super) fn means_across(
    x: ArrayView2<f32>,
    means: ArrayView2<f32>,
    first_ring: usize,
    tissue: &Tissue,
) -> Result<Array2<f32>> {
    let (n, p) = x.dim();
    let rings = (means.ncols() / p.max(1)).min(2);
    let near = nearest_across(tissue.coords(), tissue.slices())?;
    let mut out = Array2::zeros((n, rings * p));
    let cells = first_ring as f32 + 1.0;
    for (mut out, near) in out.rows_mut().into_iter().zip(&near) {
        let sides = near.iter().flatten().count().max(1) as f32;
        for &other in near.iter().flatten() {
            let (own, around) = (x.row(other as usize), means.row(other as usize));
            let (first, second) = (around.slice(s![..p]), around.slice(s![p..rings * p]));
            let mut nearest = out.slice_mut(s![..p]);
            nearest.scaled_add(first_ring as f32 / cells / sides, &first);
            nearest.scaled_add(1.0 / cells / sides, &own);
            out.slice_mut(s![p..]).scaled_add(1.0 / sides, &second);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::slices::Slices;

    #[test]
    fn means_of_the_slices_before_and_after() {
        // Three slices of two cells, each over the next.
        let coords =
            Array2::from_shape_fn((6, 2), |(i, j)| if j == 0 { (i % 2) as f64 } else { 0.0 });
        let slices = Slices::new(vec![0, 0, 1, 1, 2, 2]).unwrap();
        let tissue = Tissue::new(coords, slices, true, 1).unwrap();
        let x = Array2::from_shape_fn((6, 1), |(i, _)| i as f32);
        let means = Array2::from_shape_fn((6, 2), |(i, ring)| (10 * (ring + 1) + i) as f32);
        let found = means_across(x.view(), means.view(), 6, &tissue).unwrap();
        let nearest = |i: usize| (x[[i, 0]] + 6.0 * means[[i, 0]]) / 7.0;
        let expected = [
            [nearest(2), means[[2, 1]]],
            [nearest(3), means[[3, 1]]],
            [
                (nearest(0) + nearest(4)) / 2.0,
                (means[[0, 1]] + means[[4, 1]]) / 2.0,
            ],
            [
                (nearest(1) + nearest(5)) / 2.0,
                (means[[1, 1]] + means[[5, 1]]) / 2.0,
            ],
            [nearest(2), means[[2, 1]]],
            [nearest(3), means[[3, 1]]],
        ];
        for (found, expected) in found.rows().into_iter().zip(expected) {
            assert!(
                found
                    .iter()
                    .zip(expected)
                    .all(|(f, e)| (f - e).abs() < 1e-5),
                "{found} {expected:?}"
            );
        }
    }
}
