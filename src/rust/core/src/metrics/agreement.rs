//! Agreement of two labellings, as scikit-learn defines it.

use std::collections::BTreeMap;

use super::{check_length, dense_codes};
use crate::Result;

/// How many cells share each pair of labels.
pub struct Contingency {
    pairs: BTreeMap<(u32, u32), f64>,
    truth: Vec<f64>,
    found: Vec<f64>,
    n: f64,
}

/// The scores of one comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Adjusted Rand index: 1 for equal partitions, about 0 for random ones.
    pub ari: f64,
    /// Normalised mutual information, by the mean of the two entropies.
    pub nmi: f64,
    /// Homogeneity: each found domain holds one true one.
    pub hom: f64,
    /// Completeness: each true domain is in one found one.
    pub com: f64,
}

impl Contingency {
    /// How often each true domain meets each found one.
    ///
    /// ```
    /// use spax_core::metrics::Contingency;
    ///
    /// let table = Contingency::new(&[0, 0, 1, 1], &[7, 7, 3, 3])?;
    /// assert_eq!(table.agreement().ari, 1.0);
    /// # Ok::<(), spax_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Labellings of different length.
    pub fn new(truth: &[u32], found: &[u32]) -> Result<Self> {
        check_length(found, truth.len())?;
        let (truth, n_truth) = dense_codes(truth);
        let (found, n_found) = dense_codes(found);
        let mut table = Self {
            pairs: BTreeMap::new(),
            truth: vec![0.0; n_truth],
            found: vec![0.0; n_found],
            n: truth.len() as f64,
        };
        for (&t, &f) in truth.iter().zip(&found) {
            *table.pairs.entry((t, f)).or_default() += 1.0;
            table.truth[t as usize] += 1.0;
            table.found[f as usize] += 1.0;
        }
        Ok(table)
    }

    /// All scores; NaN where there are no cells.
    pub fn agreement(&self) -> Agreement {
        let (truth, found) = (self.entropy(&self.truth), self.entropy(&self.found));
        let shared = self.mutual_information();
        // One domain on both sides agrees perfectly, though there is no information to share.
        let share = |entropy: f64| {
            if entropy == 0.0 {
                1.0
            } else {
                shared / entropy
            }
        };
        Agreement {
            ari: self.adjusted_rand(),
            nmi: share(0.5 * (truth + found)),
            hom: share(truth),
            com: share(found),
        }
    }

    fn adjusted_rand(&self) -> f64 {
        let pairs = |n: f64| n * (n - 1.0) / 2.0;
        let total = |counts: &[f64]| counts.iter().map(|&n| pairs(n)).sum::<f64>();
        let together: f64 = self.pairs.values().map(|&n| pairs(n)).sum();
        let (truth, found) = (total(&self.truth), total(&self.found));
        let expected = truth * found / pairs(self.n);
        let most = 0.5 * (truth + found);
        if together == most {
            return 1.0;
        }
        (together - expected) / (most - expected)
    }

    fn entropy(&self, counts: &[f64]) -> f64 {
        let term = |&c: &f64| -(c / self.n) * (c / self.n).ln();
        counts.iter().map(term).sum::<f64>().max(0.0)
    }

    fn mutual_information(&self) -> f64 {
        let term = |(&(t, f), &c): (&(u32, u32), &f64)| {
            let independent = self.truth[t as usize] * self.found[f as usize];
            (c / self.n) * (c * self.n / independent).ln()
        };
        self.pairs.iter().map(term).sum::<f64>().max(0.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn equal_partitions_agree_whatever_their_names() {
        let found = Contingency::new(&[0, 0, 1, 2, 2], &[7, 7, 3, 1, 1]).unwrap();
        let scores = found.agreement();
        assert!([scores.ari, scores.nmi, scores.hom, scores.com]
            .iter()
            .all(|s| (s - 1.0).abs() < 1e-12));
    }

    #[test]
    fn one_group_against_many_is_complete_but_not_homogeneous() {
        let scores = Contingency::new(&[0, 0, 1, 1], &[0; 4])
            .unwrap()
            .agreement();
        assert_eq!((scores.ari, scores.hom, scores.com), (0.0, 0.0, 1.0));
        assert!(Contingency::new(&[0], &[0, 1]).is_err());
    }
}
