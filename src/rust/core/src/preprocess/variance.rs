//! Which genes vary more than their mean explains ("vst" of Seurat, "seurat_v3" of scanpy).
//!
//! Source: Stuart et al., "Comprehensive integration of single-cell data", Cell 2019.

use super::genes::{places, ABSENT};
use super::loess::loess;
use crate::progress::until_cancelled;
use crate::sparse::CountsView;

/// The part of the genes in each neighbourhood of the mean-variance trend.
const SPAN: f64 = 0.3;
/// A variance below this part of the squared mean is rounding.
const NO_VARIANCE: f64 = 1e-20;

/// One entry for every gene that was ranked, in the order in which they were given.
#[derive(Clone, Debug, PartialEq)]
pub struct VarianceRanking {
    /// Mean of the raw counts.
    pub mean: Vec<f64>,
    /// Variance of the raw counts (over cells - 1).
    pub variance: Vec<f64>,
    /// Variance of the counts once centred, divided by the standard deviation that the trend
    /// predicts, and clipped at the square root of the number of cells.
    pub standardised_variance: Vec<f64>,
}

impl VarianceRanking {
    /// Places of the `n` genes that vary most (all, if there are fewer), most first; ties in the
    /// order of the genes.
    pub fn top(&self, n: usize) -> Vec<usize> {
        let value = &self.standardised_variance;
        let mut order: Vec<usize> = (0..value.len()).collect();
        order.sort_by(|&a, &b| value[b].total_cmp(&value[a]));
        order.truncate(n);
        order
    }

    /// The same places in the order of the genes.
    pub fn top_in_gene_order(&self, n: usize) -> Vec<usize> {
        let mut top = self.top(n);
        top.sort_unstable();
        top
    }
}

/// Ranks the genes `kept` by the standardised variance of their raw counts.
pub fn variable_genes(counts: &CountsView, kept: &[u32]) -> VarianceRanking {
    let entries = Entries::new(counts, kept);
    let (mean, variance) = entries.moments();
    let spread = expected_sd(&mean, &variance);
    let standardised_variance = entries.standardised(&mean, &spread);
    VarianceRanking {
        mean,
        variance,
        standardised_variance,
    }
}

/// The counts of some genes.
struct Entries<'a> {
    counts: &'a CountsView<'a>,
    places: Vec<u32>,
    n_genes: usize,
}

impl<'a> Entries<'a> {
    fn new(counts: &'a CountsView<'a>, kept: &[u32]) -> Self {
        Self {
            counts,
            places: places(counts.n_genes(), kept),
            n_genes: kept.len(),
        }
    }

    /// Calls `visit(place of the gene, count)` for every entry, cell by cell.
    fn each(&self, mut visit: impl FnMut(usize, f64)) {
        for cell in until_cancelled(0..self.counts.n_cells()) {
            let (genes, values) = self.counts.cell(cell);
            for (&gene, &value) in genes.iter().zip(values) {
                let place = self.places[gene as usize];
                if place != ABSENT {
                    visit(place as usize, value);
                }
            }
        }
    }

    fn degrees(&self) -> (f64, f64) {
        let n = self.counts.n_cells() as f64;
        (n, (n - 1.0).max(1.0))
    }

    /// Mean and variance of every gene, the variance about the mean (no cancellation).
    fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        let (n, freedom) = self.degrees();
        let mut mean = vec![0f64; self.n_genes];
        self.each(|gene, count| mean[gene] += count);
        mean.iter_mut().for_each(|m| *m /= n);
        let mut squares = vec![0f64; self.n_genes];
        let mut seen = vec![0usize; self.n_genes];
        self.each(|gene, count| {
            squares[gene] += (count - mean[gene]).powi(2);
            seen[gene] += 1;
        });
        let variance = (0..self.n_genes).map(|g| {
            let unseen = n - seen[g] as f64;
            let variance = (squares[g] + unseen * mean[g] * mean[g]) / freedom;
            let varies = variance > NO_VARIANCE * mean[g] * mean[g];
            if varies {
                variance
            } else {
                0.0
            }
        });
        let variance = variance.collect();
        (mean, variance)
    }

    fn standardised(&self, mean: &[f64], spread: &[f64]) -> Vec<f64> {
        let (n, freedom) = self.degrees();
        let most: Vec<f64> = mean
            .iter()
            .zip(spread)
            .map(|(m, s)| m + s * n.sqrt())
            .collect();
        let mut sums = vec![(0f64, 0f64); self.n_genes];
        self.each(|gene, count| {
            let clipped = count.min(most[gene]);
            sums[gene].0 += clipped;
            sums[gene].1 += clipped * clipped;
        });
        (0..self.n_genes)
            .map(|g| {
                let (sum, squares) = sums[g];
                (n * mean[g] * mean[g] + squares - 2.0 * sum * mean[g])
                    / (freedom * spread[g] * spread[g])
            })
            .collect()
    }
}

/// The standard deviation that the trend predicts from the mean; 1 for genes that do not vary.
fn expected_sd(mean: &[f64], variance: &[f64]) -> Vec<f64> {
    let varying: Vec<usize> = (0..mean.len()).filter(|&g| variance[g] > 0.0).collect();
    let log = |values: &[f64]| -> Vec<f64> { varying.iter().map(|&g| values[g].log10()).collect() };
    let trend = loess(&log(mean), &log(variance), SPAN);
    let mut spread = vec![1f64; mean.len()];
    for (&gene, fit) in varying.iter().zip(trend) {
        spread[gene] = 10f64.powf(fit / 2.0);
    }
    spread
}
