//! Principal components of z-scored genes, from their covariance (METHODS 7) or its products with vectors.

use ndarray::Array2;

use super::cross_products::cross_products;
use super::eigen::{leading, Eigen};
use super::krylov;
use super::scaled::ScaledGenes;
use crate::progress::{self, until_cancelled};
use crate::{Error, Result};

/// With fewer cells than genes, and at most this many, the cells' cross-products are the smaller
/// eigenproblem.
const FEW_CELLS: usize = 5000;

/// With more genes and more cells than these, and few components wanted, no matrix of cross-products is made.
const MANY_GENES: usize = 1000;
const MANY_CELLS: usize = 1000;
const FEW_COMPONENTS: usize = 50;

/// Principal components, the one that explains most first. The largest loading of each is positive.
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    /// Cells x components.
    pub scores: Array2<f32>,
    /// Genes x components, orthonormal columns.
    pub loadings: Array2<f64>,
    /// Variance of each column of the scores (over cells - 1).
    pub explained_variance: Vec<f64>,
    /// Components asked for: more than there are, if the genes' rank was less.
    pub requested: usize,
}

impl ScaledGenes {
    /// The first `n_components` principal components, or as many as the rank allows.
    ///
    /// # Errors
    /// No component asked for, no gene that varies, or no memory for the covariance.
    pub fn pca(&self, n_components: usize) -> Result<Pca> {
        self.pca_of(n_components, usize::MAX)
    }

    /// [`ScaledGenes::pca`] with the loadings of at most `enough` cells, taken evenly in their order, where that saves time:
    /// where no matrix of cross-products is made. The scores are those of all cells.
    pub(super) fn pca_of(&self, n_components: usize, enough: usize) -> Result<Pca> {
        if n_components == 0 {
            return Err(Error::argument(
                "n_components",
                "`n_components` must be at least 1",
            ));
        }
        self.check_variation()?;
        let most = n_components.min(self.n_cells() - 1).min(self.n_genes());
        let few_cells = self.n_cells() < self.n_genes() && self.n_cells() <= FEW_CELLS;
        let large = self.n_genes() > MANY_GENES && self.n_cells() > MANY_CELLS;
        let by_products = match large && most <= FEW_COMPONENTS {
            true => self.components_by_products(most, enough)?,
            false => None,
        };
        let (values, mut loadings) = match by_products {
            Some(found) => found,
            None if few_cells => self.components_of_cells(most)?,
            None => self.components_of_genes(most)?,
        };
        fix_signs(&mut loadings);
        Ok(Pca {
            scores: self.project(loadings.view())?,
            loadings,
            explained_variance: values,
            requested: n_components,
        })
    }

    /// Eigenvectors of the genes' covariance.
    fn components_of_genes(&self, most: usize) -> Result<(Vec<f64>, Array2<f64>)> {
        let g = self.n_genes();
        let freedom = self.n_cells() as f64 - 1.0;
        let mut matrix = cross_products(&self.matrix, &vec![1.0; self.n_cells()])?;
        for (slice, n) in self.slices.sizes().into_iter().enumerate() {
            let means = self.means_of(slice);
            for (i, row) in matrix.chunks_exact_mut(g.max(1)).enumerate() {
                let mean = n as f64 * means[i];
                let others = row[i..].iter_mut().zip(&means[i..]);
                others.for_each(|(product, other)| *product -= mean * other);
            }
        }
        for (i, row) in matrix.chunks_exact_mut(g.max(1)).enumerate() {
            let scale = self.scale[i] / freedom;
            let others = row[i..].iter_mut().zip(&self.scale[i..]);
            others.for_each(|(product, other)| *product = *product * scale * other);
        }
        let eigen = leading(matrix, g, most)?;
        let rank = self.rank(&eigen);
        let loadings = Array2::from_shape_fn((g, rank), |(i, j)| eigen.vectors[(i, j)]);
        Ok((eigen.values[..rank].to_vec(), loadings))
    }

    /// The same without the covariance, from its products with vectors: linear in the entries. None where they do not
    /// settle.
    fn components_by_products(
        &self,
        most: usize,
        enough: usize,
    ) -> Result<Option<(Vec<f64>, Array2<f64>)>> {
        let every = self.n_cells().div_ceil(enough);
        let freedom = self.n_cells().div_ceil(every) as f64 - 1.0;
        let found = krylov::leading_of(|x| self.gram_times(x, every), self.n_genes(), most)?;
        let Some(eigen) = found else { return Ok(None) };
        let rank = self.rank(&eigen);
        let values = eigen.values[..rank].iter().map(|v| v / freedom).collect();
        let loadings =
            Array2::from_shape_fn((self.n_genes(), rank), |(i, j)| eigen.vectors[(i, j)]);
        Ok(Some((values, loadings)))
    }

    /// The same from the cells' cross-products Z Z': if Z Z' u = s^2 u, then Z' u / s is a loading.
    fn components_of_cells(&self, most: usize) -> Result<(Vec<f64>, Array2<f64>)> {
        let freedom = self.n_cells() as f64 - 1.0;
        let mut matrix = self.cell_products()?;
        matrix.iter_mut().for_each(|v| *v /= freedom);
        let eigen = leading(matrix, self.n_cells(), most)?;
        let rank = self.rank(&eigen);
        let values = eigen.values[..rank].to_vec();
        let loadings = self.loadings_of_cells(&eigen, rank);
        progress::check()?;
        Ok((values, loadings))
    }

    /// Z Z': for cells i and j of slices s and t, b_i b_j' - b_i m_t' - b_j m_s' + m_s m_t', with B = L D^-1, m = mu
    /// D^-1.
    fn cell_products(&self) -> Result<Vec<f64>> {
        let n = self.n_cells();
        let weights: Vec<f64> = self.scale.iter().map(|s| s * s).collect();
        let mut products = cross_products(&self.matrix.transpose(), &weights)?;
        let slices = self.slices.n_slices();
        let weighted: Vec<Vec<f64>> = (0..slices)
            .map(|s| {
                let pairs = self.means_of(s).iter().zip(&weights);
                pairs.map(|(m, w)| m * w).collect()
            })
            .collect();
        let constant = |s: usize, t: usize| -> f64 {
            let pairs = self.means_of(s).iter().zip(&weighted[t]);
            pairs.map(|(m, w)| m * w).sum()
        };
        let constants = Array2::from_shape_fn((slices, slices), |(s, t)| constant(s, t));
        let offset = Array2::from_shape_fn((slices, n), |(s, cell)| {
            let (genes, values) = self.matrix.row(cell);
            let pairs = genes.iter().zip(values);
            pairs
                .map(|(&g, &v)| weighted[s][g as usize] * f64::from(v))
                .sum::<f64>()
        });
        for (i, row) in products.chunks_exact_mut(n).enumerate() {
            let s = self.slices.of(i);
            for (j, product) in row.iter_mut().enumerate().skip(i) {
                let t = self.slices.of(j);
                *product += constants[[s, t]] - offset[[t, i]] - offset[[s, j]];
            }
        }
        Ok(products)
    }

    /// Z' u / s for every vector u, with s^2 = value x (cells - 1).
    fn loadings_of_cells(&self, eigen: &Eigen, rank: usize) -> Array2<f64> {
        let n = self.n_cells();
        let mut loadings = Array2::<f64>::zeros((self.n_genes(), rank));
        let mut sums = vec![0f64; rank * self.slices.n_slices()];
        for cell in until_cancelled(0..n) {
            let vector: Vec<f64> = (0..rank).map(|j| eigen.vectors[(cell, j)]).collect();
            let sums = &mut sums[self.slices.of(cell) * rank..][..rank];
            sums.iter_mut().zip(&vector).for_each(|(s, u)| *s += u);
            let (genes, values) = self.matrix.row(cell);
            for (&gene, &value) in genes.iter().zip(values) {
                let mut row = loadings.row_mut(gene as usize);
                row.iter_mut()
                    .zip(&vector)
                    .for_each(|(l, u)| *l += f64::from(value) * u);
            }
        }
        let length: Vec<f64> = eigen.values[..rank]
            .iter()
            .map(|v| (v * (n as f64 - 1.0)).sqrt())
            .collect();
        for (gene, mut row) in loadings.rows_mut().into_iter().enumerate() {
            for j in 0..rank {
                let slices = sums.chunks_exact(rank).enumerate();
                let centre: f64 = slices.map(|(s, sum)| self.means_of(s)[gene] * sum[j]).sum();
                row[j] = (row[j] - centre) * self.scale[gene] / length[j];
            }
        }
        loadings
    }

    /// How many of the values are more than rounding.
    fn rank(&self, eigen: &Eigen) -> usize {
        let size = self.n_cells().max(self.n_genes()) as f64;
        let largest = eigen.values.first().copied().unwrap_or(0.0);
        let rounding = largest * size * f64::EPSILON;
        eigen.values.iter().take_while(|v| **v > rounding).count()
    }
}

/// Makes the loading of largest magnitude of each component positive.
pub(super) fn fix_signs(loadings: &mut Array2<f64>) {
    for mut component in loadings.columns_mut() {
        let largest = component
            .iter()
            .fold(0f64, |m, v| if v.abs() > m.abs() { *v } else { m });
        if largest < 0.0 {
            component.mapv_inplace(|v| -v);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rng::{Purpose, Rng};
    use crate::slices::Slices;
    use crate::sparse::Csr;

    #[test]
    fn products_with_vectors_find_the_components_of_the_covariance() {
        let (n, p) = (700u32, 400u32);
        let mut rng = Rng::new(7, Purpose::Data, 0);
        // Two patterns over the cells, in a quarter of the genes each.
        let mut value = |cell: u32, gene: u32| {
            let high = gene % 4 < 2 && (cell / (1 + gene % 4)).is_multiple_of(2);
            (rng.uniform() < if high { 0.6 } else { 0.2 }).then(|| (gene, rng.uniform() as f32))
        };
        let rows = (0..n).map(|cell| (0..p).filter_map(|gene| value(cell, gene)).collect());
        let matrix = Csr::from_rows(p as usize, rows.collect()).unwrap();
        let slices = Slices::new((0..n).map(|cell| cell % 2).collect()).unwrap();
        let genes =
            ScaledGenes::centred(matrix, &slices, crate::preprocess::Centre::Means).unwrap();
        let (values, mut loadings) = genes.components_of_genes(20).unwrap();
        let (found, mut by_products) = genes
            .components_by_products(20, usize::MAX)
            .unwrap()
            .unwrap();
        fix_signs(&mut loadings);
        fix_signs(&mut by_products);
        for (value, found) in values.iter().zip(&found) {
            assert!(
                (value - found).abs() < 1e-10 * values[0],
                "{found} for {value}"
            );
        }
        for j in 0..19 {
            // Values of the covariance and of the products differ by a factor, which their ratio does not.
            let above = if j > 0 {
                values[j - 1] - values[j]
            } else {
                values[0]
            };
            let gap = above.min(values[j] - values[j + 1]);
            let left = krylov::LEFT * values[0] / gap;
            let off = &loadings.column(j) - &by_products.column(j);
            let off = off.dot(&off).sqrt();
            assert!(
                off < left + 1e-12,
                "component {j} is off by {off:e}, not {left:e}"
            );
        }
    }
}
