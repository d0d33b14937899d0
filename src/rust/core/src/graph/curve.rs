//! The order of cells along a space-filling curve.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::sites::{self, Frame};
use crate::Result;

/// The cells (rows of `coords`, n x 2 or n x 3) in their order along a Hilbert curve, so that cells near in the tissue
/// are near in memory. Cells in one place keep the order of their indices.
///
/// # Errors
/// [`crate::Error::Coords`] for coordinates that are not finite or not 2 or 3 wide.
pub fn curve_order(coords: ArrayView2<f64>) -> Result<Vec<u32>> {
    sites::check(coords)?;
    Ok(match coords.ncols() {
        2 => order(&sites::points::<2>(coords)?),
        _ => order(&sites::points::<3>(coords)?),
    })
}

/// Rising along the curve; then by coordinates, so that equal points follow each other; then by index.
pub(super) fn order<const D: usize>(points: &[[f64; D]]) -> Vec<u32> {
    let frame = Frame::of(points);
    let keys: Vec<u64> = points.par_iter().map(|p| key(&frame, p)).collect();
    let mut order: Vec<u32> = (0..points.len() as u32).collect();
    order.par_sort_unstable_by(|&a, &b| {
        let (i, j) = (a as usize, b as usize);
        let places = || {
            let pairs = points[i].iter().zip(&points[j]);
            pairs.fold(std::cmp::Ordering::Equal, |o, (x, y)| {
                o.then(x.total_cmp(y))
            })
        };
        keys[i].cmp(&keys[j]).then_with(places).then(a.cmp(&b))
    });
    order
}

fn key<const D: usize>(frame: &Frame<D>, point: &[f64; D]) -> u64 {
    let bits = 62 / D as u32;
    let cells = f64::from(1u32 << bits) - 1.0;
    // The frame's cube is [-1, 1] on each axis; the cast saturates.
    hilbert(
        frame
            .scaled(point)
            .map(|x| ((x + 1.0) * 0.5 * cells) as u32),
        bits,
    )
}

/// The place along the Hilbert curve of a cell of a cube with `2^bits` cells a side.
/// Source: J. Skilling, "Programming the Hilbert curve", AIP Conf. Proc. 707, 2004.
fn hilbert<const D: usize>(mut x: [u32; D], bits: u32) -> u64 {
    let levels = || (1..bits).rev().map(|b| 1u32 << b);
    for q in levels() {
        for i in 0..D {
            let swapped = if x[i] & q != 0 { q - 1 } else { 0 };
            let kept = (x[0] ^ x[i]) & (q - 1) & !swapped;
            x[0] ^= swapped ^ kept;
            x[i] ^= kept;
        }
    }
    (1..D).for_each(|i| x[i] ^= x[i - 1]);
    let flip = levels()
        .filter(|q| x[D - 1] & q != 0)
        .fold(0, |t, q| t ^ (q - 1));
    let bit = |b: u32| x.map(|v| u64::from((v ^ flip) >> b & 1));
    (0..bits).rev().flat_map(bit).fold(0, |key, b| key << 1 | b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_the_curve_goes_to_a_neighbouring_cell() {
        let cube = |d: u32| (0..8u32.pow(d)).map(move |c| [c % 8, c / 8 % 8, c / 64]);
        let walk = |cells: Vec<[u32; 3]>| {
            cells.windows(2).all(|w| {
                let apart: u32 = (0..3).map(|a| w[0][a].abs_diff(w[1][a])).sum();
                apart == 1
            })
        };
        let mut plane: Vec<_> = cube(2).collect();
        plane.sort_by_key(|c| hilbert([c[0], c[1]], 3));
        assert!(walk(plane));
        let mut solid: Vec<_> = cube(3).collect();
        solid.sort_by_key(|&c| hilbert(c, 3));
        assert!(walk(solid));
    }
}
