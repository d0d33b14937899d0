//! Products of the genes' covariance with vectors, without the covariance.

use rayon::prelude::*;

use super::krylov::{LanczosBlock, ABREAST};
use super::ScaledGenes;
use crate::progress::{self, until_cancelled};
use crate::Result;

/// Parts of the cells that are summed by themselves: as many whatever the number of threads, so that sums are the same.
const PARTS: usize = 32;

/// What some cells give.
#[derive(Default)]
struct CellSums {
    /// L' u, a row a gene.
    genes: LanczosBlock,
    /// The sum of u, a row a slice.
    slices: LanczosBlock,
}

impl ScaledGenes {
    /// Z' Z x, a row a gene, in one pass over the entries of the cells; of every cell, or of one of `every` cells.
    pub(super) fn gram_times(&self, x: &LanczosBlock, every: usize) -> Result<LanczosBlock> {
        let pairs = x.iter().zip(&self.scale);
        let weights: LanczosBlock = pairs.map(|(row, scale)| row.map(|v| v * scale)).collect();
        let offsets: LanczosBlock = (0..self.slices.n_slices())
            .map(|slice| weighted_sum(&weights, self.means_of(slice)))
            .collect();
        let n = self.n_cells().div_ceil(every);
        let size = n.div_ceil(PARTS);
        let ticket = progress::current();
        let parts: Vec<CellSums> = (0..n.div_ceil(size))
            .into_par_iter()
            .map(|part| {
                let cells = (part * size..((part + 1) * size).min(n)).map(|i| i * every);
                ticket.part(|| self.sums(cells, &weights, &offsets))
            })
            .collect();
        ticket.check()?;
        let mut parts = parts.into_iter();
        let Some(mut all) = parts.next() else {
            return Ok(weights);
        };
        for part in parts {
            add(&mut all.genes, &part.genes);
            add(&mut all.slices, &part.slices);
        }
        for (slice, sum) in all.slices.iter().enumerate() {
            for (row, mean) in all.genes.iter_mut().zip(self.means_of(slice)) {
                (0..ABREAST).for_each(|j| row[j] -= mean * sum[j]);
            }
        }
        let pairs = all.genes.iter().zip(&self.scale);
        Ok(pairs.map(|(row, scale)| row.map(|v| v * scale)).collect())
    }

    fn sums(
        &self,
        cells: impl Iterator<Item = usize>,
        weights: &LanczosBlock,
        offsets: &LanczosBlock,
    ) -> CellSums {
        let mut sums = CellSums {
            genes: vec![[0.0; ABREAST]; weights.len()],
            slices: vec![[0.0; ABREAST]; offsets.len()],
        };
        for cell in until_cancelled(cells) {
            let slice = self.slices.of(cell);
            let (genes, values) = self.matrix.row(cell);
            let mut score = offsets[slice].map(|v| -v);
            for (&gene, &value) in genes.iter().zip(values) {
                let (value, weights) = (f64::from(value), &weights[gene as usize]);
                (0..ABREAST).for_each(|j| score[j] += value * weights[j]);
            }
            for (&gene, &value) in genes.iter().zip(values) {
                let (value, sum) = (f64::from(value), &mut sums.genes[gene as usize]);
                (0..ABREAST).for_each(|j| sum[j] += value * score[j]);
            }
            let sum = &mut sums.slices[slice];
            (0..ABREAST).for_each(|j| sum[j] += score[j]);
        }
        sums
    }
}

fn weighted_sum(rows: &LanczosBlock, by: &[f64]) -> [f64; ABREAST] {
    let pairs = rows.iter().zip(by);
    pairs.fold([0.0; ABREAST], |sum, (row, by)| {
        std::array::from_fn(|j| sum[j] + by * row[j])
    })
}

fn add(to: &mut LanczosBlock, rows: &LanczosBlock) {
    for (to, row) in to.iter_mut().zip(rows) {
        (0..ABREAST).for_each(|j| to[j] += row[j]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::preprocess::Centre;
    use crate::rng::{Purpose, Rng};
    use crate::slices::Slices;
    use crate::sparse::Csr;

    fn genes(centre: Centre) -> ScaledGenes {
        let (n, p) = (260, 90);
        let mut rng = Rng::new(7, Purpose::Data, 0);
        let mut entry = |gene: u32| {
            let (seen, value) = (rng.uniform() < 0.3, rng.uniform());
            seen.then_some((gene, (1.0 + 3.0 * value) as f32))
        };
        let rows = (0..n).map(|_| (0..p).filter_map(&mut entry).collect());
        let matrix = Csr::from_rows(p as usize, rows.collect()).unwrap();
        let codes = (0..n).map(|cell| cell % 3).collect();
        ScaledGenes::centred(matrix, &Slices::new(codes).unwrap(), centre).unwrap()
    }

    #[test]
    fn products_are_those_of_the_dense_genes() {
        for centre in [Centre::All, Centre::Means, Centre::MeansAndSpread] {
            let genes = genes(centre);
            let mut rng = Rng::new(8, Purpose::Data, 0);
            let x: LanczosBlock = (0..genes.n_genes())
                .map(|_| std::array::from_fn(|_| rng.normal()))
                .collect();
            let plain = ndarray::Array2::from_shape_fn((x.len(), ABREAST), |(i, j)| x[i][j]);
            for every in [1, 3] {
                let found = genes.gram_times(&x, every).unwrap();
                let dense = genes.to_dense().mapv(f64::from);
                let dense = dense.slice(ndarray::s![..;every, ..]);
                let expected = dense.t().dot(&dense.dot(&plain));
                for ((i, j), value) in expected.indexed_iter() {
                    // What is dense is rounded to f32.
                    let error = (found[i][j] - value).abs();
                    assert!(
                        error < 1e-4 * value.abs().max(100.0),
                        "{error:e} at {i}, {j}"
                    );
                }
            }
        }
    }
}
