//! Two labellings of the same cells compared.

use super::{check_labels, compact};
use crate::Result;

/// How often each pair of labels meets.
struct Contingency {
    cells: Vec<(usize, usize, u64)>,
    rows: Vec<u64>,
    columns: Vec<u64>,
    total: u64,
}

impl Contingency {
    fn new(truth: &[u32], labels: &[u32]) -> Result<Self> {
        check_labels(labels, truth.len())?;
        let (truth, n_rows) = compact(truth);
        let (labels, n_columns) = compact(labels);
        let mut pairs: Vec<(usize, usize)> = truth.into_iter().zip(labels).collect();
        pairs.sort_unstable();
        let runs = pairs.chunk_by(|a, b| a == b);
        let cells: Vec<_> = runs.map(|r| (r[0].0, r[0].1, r.len() as u64)).collect();
        let mut table = Self {
            rows: vec![0; n_rows],
            columns: vec![0; n_columns],
            total: pairs.len() as u64,
            cells,
        };
        for &(row, column, count) in &table.cells {
            table.rows[row] += count;
            table.columns[column] += count;
        }
        Ok(table)
    }

    fn mutual_information(&self) -> f64 {
        let n = self.total as f64;
        let term = |&(row, column, count): &(usize, usize, u64)| {
            let expected = self.rows[row] as f64 * self.columns[column] as f64 / n;
            count as f64 / n * (count as f64 / expected).ln()
        };
        self.cells.iter().map(term).sum::<f64>().max(0.0)
    }
}

/// In nats.
fn entropy(counts: &[u64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    let shares = counts.iter().map(|&count| count as f64 / total);
    -shares.map(|share| share * share.ln()).sum::<f64>()
}

/// Adjusted Rand index: 1 for equal partitions, about 0 for independent ones.
///
/// # Errors
/// [`crate::Error::Argument`] `labels` for no cells or different lengths.
pub fn adjusted_rand(truth: &[u32], labels: &[u32]) -> Result<f64> {
    let table = Contingency::new(truth, labels)?;
    let pairs = |counts: &mut dyn Iterator<Item = u64>| -> f64 {
        counts
            .map(|c| (u128::from(c) * u128::from(c - 1) / 2) as f64)
            .sum()
    };
    let both = pairs(&mut table.cells.iter().map(|c| c.2));
    let rows = pairs(&mut table.rows.iter().copied());
    let columns = pairs(&mut table.columns.iter().copied());
    if both == rows && both == columns {
        return Ok(1.0);
    }
    let expected = rows * columns / pairs(&mut [table.total].into_iter());
    Ok((both - expected) / (0.5 * (rows + columns) - expected))
}

/// Mutual information over the arithmetic mean of the entropies; 1 when both labellings have one group only.
///
/// # Errors
/// As [`adjusted_rand`].
pub fn normalised_mutual_information(truth: &[u32], labels: &[u32]) -> Result<f64> {
    let table = Contingency::new(truth, labels)?;
    let mean = 0.5 * (entropy(&table.rows) + entropy(&table.columns));
    Ok(share_of(table.mutual_information(), mean))
}

/// How far each domain holds cells of one true class only; 1 when there is one class.
///
/// # Errors
/// As [`adjusted_rand`].
pub fn homogeneity(truth: &[u32], labels: &[u32]) -> Result<f64> {
    let table = Contingency::new(truth, labels)?;
    Ok(share_of(table.mutual_information(), entropy(&table.rows)))
}

/// How far each true class lies in one domain only; 1 when there is one domain.
///
/// # Errors
/// As [`adjusted_rand`].
pub fn completeness(truth: &[u32], labels: &[u32]) -> Result<f64> {
    homogeneity(labels, truth)
}

fn share_of(information: f64, entropy: f64) -> f64 {
    if entropy > 0.0 {
        information / entropy
    } else {
        1.0
    }
}

/// Accuracy: the mean of normalised mutual information, homogeneity and completeness.
///
/// # Errors
/// As [`adjusted_rand`].
pub fn acc(truth: &[u32], labels: &[u32]) -> Result<f64> {
    let agreement = normalised_mutual_information(truth, labels)?
        + homogeneity(truth, labels)?
        + completeness(truth, labels)?;
    Ok(agreement / 3.0)
}
