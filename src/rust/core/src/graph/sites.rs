//! The distinct places of a tissue, and a kd-tree over them that no layout of cells can slow down.
//!
//! kiddo's kd-tree needs minutes when an axis has few distinct values (grids, cells on one line) and returns ties in
//! any order. So: equal points are joined into one site, the tree stands on coordinates turned by odd angles, and
//! distances and ties are decided on the coordinates as given.

use std::num::NonZero;

use kiddo::{ImmutableKdTree, SquaredEuclidean};
use ndarray::ArrayView2;

use super::curve;
use crate::{progress, Error, Result};

/// What turning and scaling may change in a distance, as a fraction of the largest extent: some hundred rounding
/// errors.
const SLACK: f64 = 1e-13;

/// Refuses coordinates that are not n x 2 or n x 3 finite numbers of a usable range.
pub(crate) fn check(coords: ArrayView2<f64>) -> Result<()> {
    if !matches!(coords.ncols(), 2 | 3) {
        let message = format!(
            "coordinates must have 2 or 3 columns, not {}",
            coords.ncols()
        );
        return Err(Error::coords(message));
    }
    if u32::try_from(coords.nrows()).is_err() {
        return Err(Error::coords("more than 2^32 cells"));
    }
    let bad = coords.iter().filter(|x| !x.is_finite()).count();
    if bad > 0 {
        return Err(Error::coords(format!(
            "{bad} coordinates are missing or infinite"
        )));
    }
    let largest = coords.iter().fold(0f64, |m, x| m.max(x.abs()));
    // Beyond, squares overflow or vanish.
    if largest != 0.0 && !(1e-100..1e100).contains(&largest) {
        return Err(Error::coords(format!(
            "coordinates of size {largest:e}: give them in other units"
        )));
    }
    Ok(())
}

/// The rows of `coords` as arrays; -0 becomes 0, so that equal numbers have equal bits.
pub(crate) fn points<const D: usize>(coords: ArrayView2<f64>) -> Result<Vec<[f64; D]>> {
    if coords.ncols() != D {
        return Err(Error::Internal(format!("coordinates are not {D} wide")));
    }
    let row = |r: ndarray::ArrayView1<f64>| std::array::from_fn(|axis| r[axis] + 0.0);
    Ok(coords.rows().into_iter().map(row).collect())
}

/// The smallest cube around the points.
pub(crate) struct Frame<const D: usize> {
    centre: [f64; D],
    half: f64,
}

impl<const D: usize> Frame<D> {
    pub(super) fn of(points: &[[f64; D]]) -> Self {
        let mut low = [f64::INFINITY; D];
        let mut high = [f64::NEG_INFINITY; D];
        for point in points {
            for axis in 0..D {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        let widest = (0..D).fold(0f64, |w, a| w.max(high[a] - low[a]));
        Self {
            centre: std::array::from_fn(|a| 0.5 * (low[a] + high[a])),
            half: if widest > 0.0 { 0.5 * widest } else { 1.0 },
        }
    }

    /// Into [-1, 1] on each axis.
    pub(super) fn scaled(&self, point: &[f64; D]) -> [f64; D] {
        std::array::from_fn(|a| (point[a] - self.centre[a]) / self.half)
    }

    /// Scaled and turned by one radian in each plane of neighbouring axes: no grid or line of a tissue stays along an
    /// axis.
    fn turned(&self, point: &[f64; D]) -> [f64; D] {
        let (sin, cos) = 1f64.sin_cos();
        let mut p = self.scaled(point);
        for axis in 1..D {
            let (x, y) = (p[axis - 1], p[axis]);
            p[axis - 1] = cos * x - sin * y;
            p[axis] = sin * x + cos * y;
        }
        p
    }
}

/// Squared distance in the units of the coordinates.
pub(crate) fn squared<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Distinct places along a space-filling curve, the cells in each, and the tree.
pub(crate) struct Sites<const D: usize> {
    places: Vec<[f64; D]>,
    turned: Vec<[f64; D]>,
    starts: Vec<usize>,
    cells: Vec<u32>,
    frame: Frame<D>,
    tree: ImmutableKdTree<f64, D>,
}

impl<const D: usize> Sites<D> {
    pub(crate) fn new(points: &[[f64; D]]) -> Result<Self> {
        let cells = curve::order(points);
        let mut starts = Vec::new();
        let mut places: Vec<[f64; D]> = Vec::new();
        for (rank, &cell) in cells.iter().enumerate() {
            let place = points[cell as usize];
            if places.last() != Some(&place) {
                starts.push(rank);
                places.push(place);
            }
        }
        starts.push(cells.len());
        let frame = Frame::of(points);
        let turned: Vec<[f64; D]> = places.iter().map(|p| frame.turned(p)).collect();
        // Of a million places it takes a second.
        let build = move || (ImmutableKdTree::new_from_slice(&turned), turned);
        let (tree, turned) = progress::detached(build)?;
        let tree = tree.map_err(|e| Error::Internal(format!("no kd-tree: {e}")))?;
        Ok(Self {
            places,
            turned,
            starts,
            cells,
            frame,
            tree,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The cells in a place, rising.
    pub(crate) fn cells(&self, site: usize) -> &[u32] {
        &self.cells[self.starts[site]..self.starts[site + 1]]
    }

    /// The first cell of the site nearest to any point, with the distance. Of sites as near but for rounding, either.
    pub(crate) fn closest(&self, point: &[f64; D]) -> (f64, u32) {
        let found = self
            .tree
            .query(&self.frame.turned(point))
            .nearest_one::<SquaredEuclidean<f64>>()
            .execute();
        let site = found.item as usize;
        (
            squared(point, &self.places[site]).sqrt(),
            self.cells(site)[0],
        )
    }

    /// The `want` sites nearest to `site` (itself among them) and all that tie with the last of them, with
    /// squared distances, nearest first.
    pub(crate) fn nearest(&self, site: usize, want: NonZero<usize>) -> Vec<(f64, u32)> {
        let query = self.tree.query(&self.turned[site]);
        // Two more than wanted show in most layouts that nothing ties with the last.
        let found = query
            .nearest_n::<SquaredEuclidean<f64>>(want.saturating_add(2))
            .execute();
        let seen = found.last().map_or(0.0, |f| f.distance.sqrt());
        let near = self.measured(site, found.iter().map(|f| f.item));
        if near.len() == self.len() {
            return near;
        }
        let reach = near.get(want.get() - 1).map_or(0.0, |n| n.0.sqrt());
        if seen > reach / self.frame.half + SLACK {
            return near;
        }
        self.within(site, reach)
    }

    /// The sites at most `radius` (in the units of the coordinates) from `site`, and perhaps some just beyond,
    /// with squared distances, nearest first.
    pub(super) fn within(&self, site: usize, radius: f64) -> Vec<(f64, u32)> {
        let reach = radius / self.frame.half + SLACK;
        let query = self.tree.query(&self.turned[site]);
        let found = query
            .within::<SquaredEuclidean<f64>>(reach * reach)
            .unsorted()
            .execute();
        self.measured(site, found.iter().map(|f| f.item))
    }

    fn measured(&self, site: usize, found: impl Iterator<Item = u32>) -> Vec<(f64, u32)> {
        let here = &self.places[site];
        let mut near: Vec<(f64, u32)> = found
            .map(|other| (squared(here, &self.places[other as usize]), other))
            .collect();
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near
    }
}
