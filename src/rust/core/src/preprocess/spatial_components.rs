//! Components along which the means over neighbourhoods vary most.
//!
//! Principal components follow whatever varies between single cells, their noise too. Noise cancels in the mean over a
//! cell and its neighbours, and what the cells of a place share remains: so the directions are those of the means, the
//! components the cells' own. They are also what the decoder of a linear graph network tends to, which has to
//! reconstruct the cells from averages over a graph (METHODS 4.3).

use faer::Mat;
use ndarray::{Array2, ArrayView2, Axis};

use super::directions::of_columns;
use super::pca::fix_signs;
use super::subspace::{leading_of, Until, SPARE};
use super::ScaledGenes;
use crate::graph::{smooth, Neighbours};
use crate::rng::{Purpose, Rng};
use crate::sparse::Csr;
use crate::{Error, Result};

/// The last of the wanted directions lie close together, and turn among themselves for long without any use.
const UNTIL: Until = Until {
    settled: 1e-3,
    rounds: 50,
};

/// Directions (columns of `x` x directions) of dense columns (cells x columns).
///
/// # Errors
/// Rows and neighbours that do not fit; a decomposition that does not converge.
pub(super) fn spatial_directions(x: ArrayView2<f32>, near: &Neighbours) -> Result<Array2<f64>> {
    let mut found = of_columns(smooth(x, near, 1)?.view(), x.ncols())?.loadings;
    fix_signs(&mut found);
    Ok(found)
}

/// The first `k` of scaled genes (genes x directions), or as many as their rank allows. No array of cells x genes is
/// made.
///
/// # Errors
/// No gene that varies; otherwise as [`spatial_directions`].
pub(super) fn spatial_loadings(
    genes: &ScaledGenes,
    near: &Neighbours,
    k: usize,
) -> Result<Array2<f64>> {
    genes.check_variation()?;
    let p = genes.n_genes();
    let k = k.min(p).min(genes.n_cells() - 1);
    let means = Means::new(genes, near)?;
    let mut rng = Rng::new(0, Purpose::Index, 0);
    let start = Mat::from_fn(p, (k + SPARE).min(p), |_, _| rng.normal());
    let found = leading_of(|basis| means.squared(basis), start, k, UNTIL)?;
    let mut loadings = Array2::from_shape_fn((p, found.rank()), |(i, j)| found.vectors[(i, j)]);
    fix_signs(&mut loadings);
    Ok(loadings)
}

/// A X, the means over neighbourhoods, as an operator.
struct Means<'a> {
    genes: &'a ScaledGenes,
    transpose: Csr,
    average: Csr,
    average_transpose: Csr,
}

impl<'a> Means<'a> {
    fn new(genes: &'a ScaledGenes, near: &Neighbours) -> Result<Self> {
        if near.n_rows() != genes.n_cells() {
            return Err(Error::Internal("genes and neighbours do not fit".into()));
        }
        let average = average(near)?;
        Ok(Self {
            genes,
            transpose: genes.matrix.transpose(),
            average_transpose: average.transpose(),
            average,
        })
    }

    /// X' A' H A X times a block (genes x columns); H takes the mean of every column out.
    fn squared(&self, block: &Mat<f64>) -> Result<Mat<f64>> {
        let (p, width) = (block.nrows(), block.ncols());
        let block = Array2::from_shape_fn((p, width), |(i, j)| block[(i, j)]);
        let cells = self.genes.project(block.view())?;
        let mut cells = self.averaged(&self.average, cells)?;
        if let Some(mean) = cells.mapv(f64::from).mean_axis(Axis(0)) {
            cells -= &mean.mapv(|m| m as f32);
        }
        let cells = self.averaged(&self.average_transpose, cells)?;
        let back = self.genes.project_back(&self.transpose, cells.view());
        Ok(Mat::from_fn(p, width, |i, j| back[(i, j)]))
    }

    fn averaged(&self, average: &Csr, x: Array2<f32>) -> Result<Array2<f32>> {
        let (shape, width) = (x.dim(), x.ncols());
        let (values, _) = x.into_raw_vec_and_offset();
        let product = average.times_dense(&values, width);
        Array2::from_shape_vec(shape, product).map_err(|e| Error::Internal(e.to_string()))
    }
}

/// A: each row the mean over a cell and its neighbours.
fn average(near: &Neighbours) -> Result<Csr> {
    let share = 1.0 / (near.k + 1) as f32;
    let row = |cell: usize| {
        let mut members = near.row(cell).to_vec();
        members.push(cell as u32);
        members.sort_unstable();
        members.into_iter().map(|member| (member, share)).collect()
    };
    let n = near.n_rows();
    Csr::from_rows(n, (0..n).map(row).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::graph::spatial_knn;

    /// Genes of which a third follows the place, a third what differs from cell to cell anywhere, and a third nothing.
    fn tissue(side: usize, p: usize) -> (ScaledGenes, Neighbours) {
        let mut rng = Rng::new(5, Purpose::Data, 0);
        let n = side * side;
        let place = |c: usize, axis: usize| if axis == 0 { c % side } else { c / side } as f64;
        let coords = Array2::from_shape_fn((n, 2), |(c, axis)| place(c, axis));
        let wave = |c: usize, g: usize| (place(c, g % 2) * 6.0 / side as f64 + g as f64).sin();
        let rows = (0..n).map(|c| {
            let own = [rng.normal(), rng.normal(), rng.normal()];
            let value = |g: usize| match 3 * g / p {
                0 => wave(c, g) + rng.normal(),
                1 => own[g % 3] + 0.3 * rng.normal(),
                _ => rng.normal(),
            };
            (0..p as u32).zip((0..p).map(value).map(|v| v as f32).collect::<Vec<_>>())
        });
        let rows = rows.map(Iterator::collect).collect();
        let matrix = Csr::from_rows(p, rows).unwrap();
        let near = spatial_knn(coords.view(), 6).unwrap();
        (ScaledGenes::new(matrix).unwrap(), near)
    }

    /// By the dense means.
    fn direct(genes: &ScaledGenes, near: &Neighbours, k: usize) -> Vec<f64> {
        let means = smooth(genes.to_dense().view(), near, 1).unwrap();
        of_columns(means.view(), k).unwrap().variance
    }

    #[test]
    fn the_means_vary_as_much_as_along_the_directions_of_the_dense_means() {
        let (genes, near) = tissue(25, 60);
        let k = 4;
        let found = spatial_loadings(&genes, &near, k).unwrap();
        let gram = found.t().dot(&found);
        for ((i, j), value) in gram.indexed_iter() {
            let expected = f64::from(u8::from(i == j));
            assert!((value - expected).abs() < 1e-9, "not orthonormal");
        }
        let along = genes.project(found.view()).unwrap();
        let along = smooth(along.view(), &near, 1).unwrap().mapv(f64::from);
        let along = along.var_axis(Axis(0), 0.0);
        let expected = direct(&genes, &near, k);
        for (found, expected) in along.iter().zip(&expected) {
            assert!(
                (found / expected - 1.0).abs() < 5e-3,
                "{found} for {expected}"
            );
        }
        let pca = genes.pca(k).unwrap().loadings;
        let of_pca = genes.project(pca.view()).unwrap();
        let of_pca = smooth(of_pca.view(), &near, 1).unwrap().mapv(f64::from);
        let of_pca = of_pca.var_axis(Axis(0), 0.0);
        assert!(of_pca.sum() < 0.8 * along.sum(), "{of_pca} beside {along}");
    }

    #[test]
    fn dense_columns_have_the_same_directions() {
        let (genes, near) = tissue(20, 12);
        let sparse = spatial_loadings(&genes, &near, 20).unwrap();
        let dense = spatial_directions(genes.to_dense().view(), &near).unwrap();
        for (a, b) in sparse.iter().zip(&dense) {
            assert!((a - b).abs() < 1e-3, "{a} for {b}");
        }
    }
}
