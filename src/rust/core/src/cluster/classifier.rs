//! Labels for further cells: a Gaussian for each domain, with one covariance, fitted to labels that are known.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::centred::Centred;
use super::em::sums_of_labels;
use super::gaussians::Gaussians;
use super::{input, MixtureSettings};
use crate::{Error, Result};

/// What a group without cells scores: never the best, but a number that a file can hold.
const NEVER: f64 = -1e300;

/// The best group of a row x is that with the largest `weight x + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    /// Groups x columns.
    pub weight: Array2<f64>,
    /// One a group.
    pub bias: Array1<f64>,
}

impl Classifier {
    /// Fits groups `0..k` to the labelled rows of `x` (cells x columns), whatever method gave the labels.
    ///
    /// # Errors
    /// `Argument` when `x` is empty or not finite; `Internal` for labels that do not fit.
    pub fn fit(x: ArrayView2<f32>, labels: &[u32], k: usize) -> Result<Self> {
        input::check(&x, k)?;
        if labels.len() != x.nrows() || labels.iter().any(|&l| l as usize >= k) {
            return Err(Error::Internal("labels that do not fit the cells".into()));
        }
        let data = Centred::new(&x, MixtureSettings::default().regularisation);
        let model = Gaussians::maximise(&data, &sums_of_labels(&data, labels, k));
        let (_, slopes, offsets) = model.linear()?;
        let weight = Array2::from_shape_fn((k, data.columns), |(c, j)| slopes[c][j]);
        let origin = Array1::from_vec(data.origin.clone());
        let bias = (Array1::from_vec(offsets) - weight.dot(&origin)).mapv(|b| b.max(NEVER));
        Ok(Self { weight, bias })
    }

    /// The group of every row of `x`.
    ///
    /// # Errors
    /// [`Error::Model`] for another number of columns.
    pub fn labels(&self, x: ArrayView2<f32>) -> Result<Vec<u32>> {
        if x.ncols() != self.weight.ncols() || self.bias.len() != self.weight.nrows() {
            return Err(Error::model("The labelling rule does not fit the columns"));
        }
        let best = |row: ndarray::ArrayView1<f32>| {
            let scores = self.weight.dot(&row.mapv(f64::from)) + &self.bias;
            let larger = |best: (usize, f64), (c, &score): (usize, &f64)| match score > best.1 {
                true => (c, score),
                false => best,
            };
            let none = (0, f64::NEG_INFINITY);
            scores.iter().enumerate().fold(none, larger).0 as u32
        };
        Ok(x.axis_iter(Axis(0)).map(best).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cluster::gaussian_mixture;
    use crate::rng::{Purpose, Rng};

    fn clouds(n: usize, seed: u64) -> (Array2<f32>, Vec<u32>) {
        let mut rng = Rng::new(seed, Purpose::Mixture, 9);
        let labels: Vec<u32> = (0..n as u32).map(|i| i % 3).collect();
        let x = Array2::from_shape_fn((n, 4), |(i, j)| {
            let centre = if j == 0 {
                50.0
            } else {
                4.0 * f64::from(labels[i] * (j as u32 % 2))
            };
            (centre + rng.normal()) as f32
        });
        (x, labels)
    }

    #[test]
    fn the_rule_is_the_discriminant_of_the_pooled_covariance() {
        let (x, labels) = clouds(300, 1);
        let rule = Classifier::fit(x.view(), &labels, 3).unwrap();
        let (new, truth) = clouds(300, 2);
        let found = rule.labels(new.view()).unwrap();
        let right = found.iter().zip(&truth).filter(|(a, b)| a == b).count();
        assert!(right >= 299, "{right}");
        // Half way between two means of equally large groups, both score the same.
        let mean = |label: u32| {
            let rows: Vec<usize> = (0..300).filter(|&i| labels[i] == label).collect();
            x.select(Axis(0), &rows)
                .mapv(f64::from)
                .mean_axis(Axis(0))
                .unwrap()
        };
        let scores = rule.weight.dot(&((mean(0) + mean(1)) / 2.0)) + &rule.bias;
        assert!(
            (scores[0] - scores[1]).abs() < 1e-3 * scores[0].abs(),
            "{scores}"
        );
    }

    #[test]
    fn fitted_to_the_labels_of_the_mixture_it_gives_them_back() {
        let (x, _) = clouds(300, 3);
        let labels = gaussian_mixture(x.view(), 3, &MixtureSettings::default())
            .unwrap()
            .labels;
        let rule = Classifier::fit(x.view(), &labels, 3).unwrap();
        assert_eq!(rule.labels(x.view()).unwrap(), labels);
    }

    #[test]
    fn an_empty_group_is_never_given_and_parts_that_do_not_fit_are_refused() {
        let (x, labels) = clouds(90, 4);
        let rule = Classifier::fit(x.view(), &labels, 5).unwrap();
        assert!(rule.bias.iter().all(|b| b.is_finite()));
        assert!(rule.labels(x.view()).unwrap().iter().all(|&l| l < 3));
        assert!(Classifier::fit(x.view(), &labels, 2).is_err());
        assert!(Classifier::fit(x.view(), &labels[1..], 3).is_err());
        assert!(rule.labels(Array2::zeros((3, 5)).view()).is_err());
    }
}
