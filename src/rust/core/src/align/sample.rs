//! Some spots for all of a slice.

use ndarray::ArrayView2;

use crate::graph::curve_order;
use crate::Result;

/// At most `most` rows of n x 2 `coords`, rising: evenly along a space-filling curve, so that they cover the slice as its spots do.
///
/// # Errors
/// As [`curve_order`].
pub fn even_sample(coords: ArrayView2<f64>, most: usize) -> Result<Vec<u32>> {
    let n = coords.nrows();
    if n <= most {
        return Ok((0..n as u32).collect());
    }
    let order = curve_order(coords)?;
    let mut rows: Vec<u32> = (0..most)
        .map(|i| order[(2 * i + 1) * n / (2 * most)])
        .collect();
    rows.sort_unstable();
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use ndarray::Array2;

    #[test]
    fn every_part_is_covered() {
        let coords =
            Array2::from_shape_fn((10_000, 2), |(i, axis)| [i / 100, i % 100][axis] as f64);
        let rows = even_sample(coords.view(), 500).unwrap();
        assert_eq!(rows.len(), 500);
        assert!(rows.windows(2).all(|w| w[0] < w[1]));
        let mut tiles = [0; 25];
        for row in rows {
            tiles[(row / 100 / 20 * 5 + row % 100 / 20) as usize] += 1;
        }
        assert!(tiles.iter().all(|n| (12..=28).contains(n)), "{tiles:?}");
        assert_eq!(even_sample(coords.view(), 20_000).unwrap().len(), 10_000);
    }
}
