//! Neighbours in the tissue.

use std::num::NonZero;
use std::ops::Range;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::sites::{self, Sites};
use crate::{progress, Error, Result};

/// More edges than this are no neighbourhood but a mistaken unit of the radius.
const MAX_EDGES: usize = 1 << 30;

/// The `k` nearest of each cell: row `i` of both n x k arrays (row-major) belongs to cell `i`, nearest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// Neighbours a row.
    pub k: usize,
    /// Cell by cell, nearest first.
    pub index: Vec<u32>,
    /// To each of them.
    pub distance: Vec<f64>,
}

impl Neighbours {
    /// The number of cells that were asked for.
    pub fn n_rows(&self) -> usize {
        self.index.len() / self.k.max(1)
    }

    /// The neighbours of one cell, nearest first.
    pub fn row(&self, cell: usize) -> &[u32] {
        &self.index[cell * self.k..(cell + 1) * self.k]
    }

    /// The first `k` of each row: what a search for `k` gives.
    pub fn first(&self, k: usize) -> Self {
        let k = k.min(self.k);
        Self {
            k,
            index: firsts(&self.index, self.k, k),
            distance: firsts(&self.distance, self.k, k),
        }
    }

    /// Fills a row with the first `k` of `near`.
    pub(crate) fn write(&mut self, row: u32, near: impl Iterator<Item = (f64, u32)>) {
        let start = row as usize * self.k;
        for (place, (distance, other)) in (start..start + self.k).zip(near) {
            self.index[place] = other;
            self.distance[place] = distance;
        }
    }

    /// Room for `n` rows, or an error instead of an abort.
    pub(crate) fn with_rows(n: usize, k: usize) -> Result<Self> {
        Ok(Self {
            k,
            index: filled(n, k)?,
            distance: filled(n, k)?,
        })
    }
}

/// The first `k` of each `width` values.
fn firsts<T: Copy>(values: &[T], width: usize, k: usize) -> Vec<T> {
    let rows = values.chunks_exact(width.max(1));
    rows.flat_map(|row| &row[..k]).copied().collect()
}

/// `n * k` defaults.
pub(super) fn filled<T: Clone + Default>(n: usize, k: usize) -> Result<Vec<T>> {
    let too_many = || {
        Error::argument(
            "k",
            format!("{k} neighbours of {n} cells do not fit into memory"),
        )
    };
    let len = n.checked_mul(k).ok_or_else(too_many)?;
    let mut room = Vec::new();
    room.try_reserve_exact(len).map_err(|_| too_many())?;
    room.resize(len, T::default());
    Ok(room)
}

/// The `k` cells nearest to each cell in space, itself excluded, nearest first, ties by index. Exact for every layout:
/// grids, lines, many cells in one place. `coords` is n x 2 or n x 3; distances are in its units.
///
/// # Errors
/// [`Error::Coords`] for coordinates that are not finite, all equal, or not 2 or 3 wide; [`Error::Argument`] `k` unless
/// `1 <= k < n`.
pub fn spatial_knn(coords: ArrayView2<f64>, k: usize) -> Result<Neighbours> {
    sites::check(coords)?;
    check_k(k, coords.nrows())?;
    check_spread(coords)?;
    nearest(coords, k)
}

/// [`spatial_knn`] that also takes cells all in one place.
pub(crate) fn nearest(coords: ArrayView2<f64>, k: usize) -> Result<Neighbours> {
    sites::check(coords)?;
    check_k(k, coords.nrows())?;
    match coords.ncols() {
        2 => knn(&sites::points::<2>(coords)?, k),
        _ => knn(&sites::points::<3>(coords)?, k),
    }
}

pub(super) fn check_k(k: usize, n: usize) -> Result<()> {
    if k == 0 {
        return Err(Error::argument("k", "`k` must be at least 1"));
    }
    if n <= k {
        let message = format!("{k} neighbours were asked for, and there are {n} cells");
        return Err(Error::argument("k", message));
    }
    Ok(())
}

fn check_spread(coords: ArrayView2<f64>) -> Result<()> {
    let first = coords.row(0);
    if coords.rows().into_iter().all(|row| row == first) {
        return Err(Error::coords("all cells have the same coordinates"));
    }
    Ok(())
}

fn knn<const D: usize>(points: &[[f64; D]], k: usize) -> Result<Neighbours> {
    let mut out = Neighbours::with_rows(points.len(), k)?;
    let sites = Sites::new(points)?;
    let ticket = progress::current();
    // A slab at a time, so that the lists stay small beside the result.
    for slab in slabs(sites.len(), 16 * 1024) {
        let near: Vec<_> = slab
            .clone()
            .into_par_iter()
            .with_min_len(64)
            .map(|site| ticket.part(|| nearest_cells(&sites, site, k)))
            .collect();
        ticket.check()?;
        for (site, near) in slab.zip(&near) {
            for &cell in sites.cells(site) {
                let others = near.iter().filter(|n| n.1 != cell);
                out.write(
                    cell,
                    others.map(|&(squared, other)| (squared.sqrt(), other)),
                );
            }
        }
    }
    Ok(out)
}

pub(super) fn slabs(len: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len)
        .step_by(step)
        .map(move |first| first..(first + step).min(len))
}

/// The first `k + 1` cells round a site by (squared distance, index), its own cells among them: enough for the `k`
/// others of each of its cells.
fn nearest_cells<const D: usize>(sites: &Sites<D>, site: usize, k: usize) -> Vec<(f64, u32)> {
    let want = NonZero::<usize>::MIN.saturating_add(k);
    let mut near: Vec<(f64, u32)> = Vec::with_capacity(want.get());
    for (squared, other) in sites.nearest(site, want) {
        if near.len() >= want.get() && near.last().is_some_and(|last| last.0 < squared) {
            break;
        }
        let cells = sites.cells(other as usize).iter().take(want.get());
        near.extend(cells.map(|&cell| (squared, cell)));
    }
    near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    near.truncate(want.get());
    near
}

/// For each cell the cells at most `radius` away; itself may be among them.
pub(super) fn radius_rows(coords: ArrayView2<f64>, radius: f64) -> Result<Vec<Vec<u32>>> {
    sites::check(coords)?;
    if !(radius.is_finite() && radius > 0.0) {
        return Err(Error::argument(
            "radius",
            "`radius` must be a positive number",
        ));
    }
    if coords.is_empty() {
        return Err(Error::coords("there are no cells"));
    }
    check_spread(coords)?;
    match coords.ncols() {
        2 => within(&sites::points::<2>(coords)?, radius),
        _ => within(&sites::points::<3>(coords)?, radius),
    }
}

fn within<const D: usize>(points: &[[f64; D]], radius: f64) -> Result<Vec<Vec<u32>>> {
    let sites = Sites::new(points)?;
    let mut rows = vec![Vec::new(); points.len()];
    let mut edges = 0usize;
    let ticket = progress::current();
    for slab in slabs(sites.len(), 256) {
        let near: Vec<Vec<u32>> = slab
            .clone()
            .into_par_iter()
            .map(|site| ticket.part(|| cells_within(&sites, site, radius)))
            .collect();
        ticket.check()?;
        for (site, near) in slab.zip(near) {
            edges = edges.saturating_add(near.len().saturating_mul(sites.cells(site).len()));
            if edges > MAX_EDGES {
                let message = format!("a radius of {radius} gives more than {MAX_EDGES} edges");
                return Err(Error::argument("radius", message));
            }
            for &cell in sites.cells(site) {
                rows[cell as usize].clone_from(&near);
            }
        }
    }
    Ok(rows)
}

fn cells_within<const D: usize>(sites: &Sites<D>, site: usize, radius: f64) -> Vec<u32> {
    let near = sites.within(site, radius);
    let inside = near.iter().take_while(|n| n.0.sqrt() <= radius);
    inside
        .flat_map(|n| sites.cells(n.1 as usize))
        .copied()
        .collect()
}
