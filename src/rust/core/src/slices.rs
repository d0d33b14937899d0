//! Which slice each cell lies in.

use crate::{Error, Result};

/// The slice of every cell, from 0; each slice has a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slices {
    of: Vec<u32>,
    n: usize,
}

impl Slices {
    /// All cells in one slice.
    pub fn one(n_cells: usize) -> Self {
        Self {
            of: vec![0; n_cells],
            n: 1,
        }
    }

    /// # Errors
    /// Codes that do not fill 0 to their largest.
    pub fn new(of: Vec<u32>) -> Result<Self> {
        let n = of.iter().max().map_or(0, |&most| most as usize + 1);
        let mut seen = vec![false; n.min(of.len())];
        for &slice in &of {
            if let Some(seen) = seen.get_mut(slice as usize) {
                *seen = true;
            }
        }
        if n == 0 || seen.len() < n || seen.contains(&false) {
            return Err(Error::Internal("slices without cells".into()));
        }
        Ok(Self { of, n })
    }

    /// Number of slices.
    pub fn n_slices(&self) -> usize {
        self.n
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.of.len()
    }

    /// The slice of one cell.
    #[inline(always)]
    pub fn of(&self, cell: usize) -> usize {
        self.of[cell] as usize
    }

    /// The cells of every slice, rising.
    pub fn cells(&self) -> Vec<Vec<u32>> {
        let mut cells = vec![Vec::new(); self.n];
        for (cell, &slice) in self.of.iter().enumerate() {
            cells[slice as usize].push(cell as u32);
        }
        cells
    }

    /// Cells of every slice.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.n];
        self.of.iter().for_each(|&s| sizes[s as usize] += 1);
        sizes
    }

    /// Cell i of the result is cell `order[i]`.
    pub fn permuted(&self, order: &[u32]) -> Self {
        Self {
            of: order.iter().map(|&cell| self.of[cell as usize]).collect(),
            n: self.n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slice_has_cells() {
        assert!(Slices::new(vec![0, 2, 1]).is_ok());
        for bad in [vec![], vec![1, 1], vec![0, 2, 0], vec![0, 0, u32::MAX]] {
            assert!(matches!(Slices::new(bad), Err(Error::Internal(_))));
        }
    }

    #[test]
    fn cells_by_slice() {
        let slices = Slices::new(vec![1, 0, 1]).unwrap_or_else(|_| Slices::one(0));
        assert_eq!(slices.cells(), vec![vec![1], vec![0, 2]]);
        assert_eq!(slices.sizes(), vec![1, 2]);
        assert_eq!(
            slices.permuted(&[1, 0, 2]).cells(),
            vec![vec![0], vec![1, 2]]
        );
    }
}
