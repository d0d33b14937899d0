//! The cells of a run in space: their places, their slices, and what is found from these once and used by every stage.

use std::sync::{Arc, Mutex, OnceLock};

use ndarray::{Array2, ArrayView2, Axis};

use crate::graph::{
    around, curve_order_within, knn_within, radius_within, spatial_knn, Around, Graph, Neighbours,
};
use crate::options::GraphOptions;
use crate::slices::Slices;
use crate::{threads, Error, Result};

/// Which cells the spatial graph joins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Join {
    /// Each with its `k` nearest.
    Nearest(usize),
    /// All at most so far apart, in the units of the coordinates.
    Radius(f64),
}

impl Join {
    /// As the options say.
    pub fn of(options: &GraphOptions) -> Self {
        match options.radius {
            Some(radius) => Self::Radius(radius),
            None => Self::Nearest(options.k),
        }
    }
}

/// Places (n x 2, or n x 3 in a stack) and slices of n cells. Made once a run; nearest neighbours and the order along
/// the curve are computed when first asked for, and kept.
pub struct Tissue {
    coords: Array2<f64>,
    slices: Slices,
    stacked: bool,
    threads: usize,
    order: OnceLock<Arc<Vec<u32>>>,
    nearest: Mutex<Option<Arc<Neighbours>>>,
}

impl Tissue {
    /// `stacked`: all slices share one frame, and cells have neighbours across; else only within their slice.
    ///
    /// # Errors
    /// Slices of another number of cells.
    pub fn new(coords: Array2<f64>, slices: Slices, stacked: bool, threads: usize) -> Result<Self> {
        if coords.nrows() != slices.n_cells() {
            return Err(Error::Internal("slices of other cells".into()));
        }
        Ok(Self {
            coords,
            slices,
            stacked,
            threads: threads.max(1),
            order: OnceLock::new(),
            nearest: Mutex::new(None),
        })
    }

    /// Places, n x 2 or 3.
    pub fn coords(&self) -> ArrayView2<'_, f64> {
        self.coords.view()
    }

    /// The slice of every cell.
    pub fn slices(&self) -> &Slices {
        &self.slices
    }

    /// Whether all slices share one frame.
    pub fn stacked(&self) -> bool {
        self.stacked && self.slices.n_slices() > 1
    }

    /// n.
    pub fn n_cells(&self) -> usize {
        self.coords.nrows()
    }

    /// Threads of every stage.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// How many neighbours every cell can have.
    pub fn most_neighbours(&self) -> usize {
        let fewest = match self.stacked {
            true => self.n_cells(),
            false => self.slices.sizes().into_iter().min().unwrap_or(0),
        };
        fewest.saturating_sub(1)
    }

    /// The `k` nearest of every cell. They are looked for once, for the largest `k` asked so far: ask for the largest
    /// first.
    ///
    /// # Errors
    /// Those of [`spatial_knn`].
    pub fn neighbours(&self, k: usize) -> Result<Arc<Neighbours>> {
        let broken = |_| Error::Internal("a search for neighbours broke down".into());
        let mut held = self.nearest.lock().map_err(broken)?;
        let found = match held.take() {
            Some(found) if found.k >= k => found,
            _ => Arc::new(self.search(k)?),
        };
        *held = Some(found.clone());
        match found.k == k {
            true => Ok(found),
            false => Ok(Arc::new(found.first(k))),
        }
    }

    fn search(&self, k: usize) -> Result<Neighbours> {
        threads::install(self.threads, || match self.stacked {
            true => spatial_knn(self.coords.view(), k),
            false => knn_within(self.coords.view(), &self.slices, k),
        })
    }

    /// Gives back the memory of the neighbours, which the training no longer needs.
    pub fn forget_neighbours(&self) {
        if let Ok(mut held) = self.nearest.lock() {
            *held = None;
        }
    }

    /// The cells along a space-filling curve, slice after slice: neighbours lie close in memory.
    ///
    /// # Errors
    /// Coordinates that are no numbers.
    pub fn order(&self) -> Result<Arc<Vec<u32>>> {
        if let Some(order) = self.order.get() {
            return Ok(order.clone());
        }
        let order = threads::install(self.threads, || {
            curve_order_within(self.coords.view(), &self.slices)
        })?;
        Ok(self.order.get_or_init(|| Arc::new(order)).clone())
    }

    /// The same cells in their [`Tissue::order`], and with neighbours in their own slice only.
    ///
    /// # Errors
    /// Those of [`Tissue::order`].
    pub fn along_curve(&self) -> Result<Self> {
        let order = self.order()?;
        let rows: Vec<usize> = order.iter().map(|&cell| cell as usize).collect();
        let coords = self.coords.select(Axis(0), &rows);
        Self::new(coords, self.slices.permuted(&order), false, self.threads)
    }

    /// What a sample of the cells has round it, see [`around`].
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn around(&self, radius: f64) -> Result<Around> {
        threads::install(self.threads, || {
            around(self.coords.view(), &self.slices, self.stacked, radius)
        })
    }

    /// The spatial graph, symmetric unless `directed`.
    ///
    /// # Errors
    /// Those of [`spatial_knn`] and [`Graph::radius`].
    pub fn graph(&self, join: Join, directed: bool) -> Result<Graph> {
        let near = match join {
            Join::Nearest(k) => Some(self.neighbours(k)?),
            Join::Radius(_) => None,
        };
        threads::install(self.threads, || match (join, near) {
            (Join::Radius(radius), _) if self.stacked => Graph::radius(self.coords.view(), radius),
            (Join::Radius(radius), _) => radius_within(self.coords.view(), &self.slices, radius),
            (_, Some(near)) if directed => Ok(Graph::directed(&near)),
            (_, Some(near)) => Ok(Graph::undirected(&near)),
            (_, None) => Err(Error::Internal("no neighbours".into())),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rng::{Purpose, Rng};

    fn tissue(stacked: bool) -> Tissue {
        let mut rng = Rng::new(1, Purpose::Data, 0);
        // Every third cell lies where another one lies.
        let places: Vec<[f64; 2]> = (0..90).map(|_| [rng.uniform(), rng.uniform()]).collect();
        let coords = Array2::from_shape_fn((90, 2), |(i, j)| places[i - (i % 3) / 2][j]);
        let slices = Slices::new((0..90).map(|i| i % 2).collect()).unwrap();
        Tissue::new(coords, slices, stacked, 2).unwrap()
    }

    #[test]
    fn fewer_neighbours_are_the_first_of_more() {
        for stacked in [true, false] {
            let kept = tissue(stacked);
            kept.neighbours(20).unwrap();
            for k in [1, 7, 20] {
                assert_eq!(
                    kept.neighbours(k).unwrap(),
                    tissue(stacked).neighbours(k).unwrap()
                );
            }
            assert_eq!(kept.neighbours(30).unwrap().k, 30);
            assert_eq!(kept.most_neighbours(), if stacked { 89 } else { 44 });
        }
    }
}
