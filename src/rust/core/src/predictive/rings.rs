//! Means over rings of neighbours.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::graph::Neighbours;
use crate::{progress, Error, Result};

/// Rings of neighbours by rank: ring i holds the ranks `edges[i]` to `edges[i + 1] - 1`, and the nearest neighbour has rank 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rings(Vec<usize>);

impl Rings {
    /// Of those edges (rising, the first at least 1), as far as there are neighbours: rings beyond the `most` nearest end
    /// there, and those that would be empty are left out.
    ///
    /// # Errors
    /// Edges that do not rise; no ring at all.
    pub fn new(edges: &[usize], most: usize) -> Result<Self> {
        let rising = edges.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || edges.first().is_none_or(|&first| first == 0) {
            return Err(Error::argument(
                "rings",
                "`rings` must be ranks of neighbours that rise from 1 or more",
            ));
        }
        let mut edges: Vec<usize> = edges.iter().map(|&e| e.min(most + 1)).collect();
        edges.dedup();
        match edges.len() {
            0 | 1 => Err(Error::coords("the cells have no neighbours")),
            _ => Ok(Self(edges)),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len() - 1
    }

    /// Never: there is a ring.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Neighbours that a cell must have.
    pub fn reach(&self) -> usize {
        self.0[self.0.len() - 1] - 1
    }

    /// Cells of a ring.
    pub fn size(&self, ring: usize) -> usize {
        self.places(ring).len()
    }

    /// Places of the ring's neighbours among those of a cell.
    fn places(&self, ring: usize) -> std::ops::Range<usize> {
        self.0[ring] - 1..self.0[ring + 1] - 1
    }
}

/// The mean of `x` (cells x p) over each ring of each cell's neighbours, the cell itself left out: cells x (rings p), ring
/// after ring. Summed in f64.
///
/// # Errors
/// Neighbours of other cells, or too few.
pub fn ring_means(x: ArrayView2<f32>, near: &Neighbours, rings: &Rings) -> Result<Array2<f32>> {
    if x.nrows() != near.n_rows() || near.k < rings.reach() {
        return Err(Error::Internal("rows and neighbours do not fit".into()));
    }
    let (n, p) = x.dim();
    let x = x.as_standard_layout();
    let values = x.as_slice().unwrap_or_default();
    let width = rings.len() * p;
    let mut out = vec![0f32; n * width];
    let ticket = progress::current();
    out.par_chunks_mut(width.max(1))
        .enumerate()
        .with_min_len(64)
        .for_each(|(cell, out)| {
            let near = near.row(cell);
            ticket.part(|| {
                for (ring, out) in out.chunks_exact_mut(p.max(1)).enumerate() {
                    mean(values, &near[rings.places(ring)], out);
                }
            });
        });
    ticket.check()?;
    Array2::from_shape_vec((n, width), out).map_err(|e| Error::Internal(e.to_string()))
}

/// The mean of some rows of `x`.
fn mean(x: &[f32], rows: &[u32], out: &mut [f32]) {
    /// Columns that are summed side by side.
    const LANES: usize = 16;
    let p = out.len();
    for (block, out) in out.chunks_mut(LANES).enumerate() {
        let mut sums = [0f64; LANES];
        for &row in rows {
            let row = &x[row as usize * p + block * LANES..][..out.len()];
            sums.iter_mut()
                .zip(row)
                .for_each(|(s, &v)| *s += f64::from(v));
        }
        let n = rows.len() as f64;
        out.iter_mut()
            .zip(sums)
            .for_each(|(o, s)| *o = (s / n) as f32);
    }
}
