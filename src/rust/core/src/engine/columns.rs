//! What domains are found from: columns of an embedding, of averages over neighbours, or of both side by side.

use ndarray::{concatenate, s, Array1, Array2, ArrayView1, ArrayView2, Axis};

use crate::options::DomainSource;
use crate::preprocess::symmetric_eigen;
use crate::{Error, Result};

/// Mean and standard deviation of every column: what further cells are scaled by.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Means.
    pub centre: Array1<f64>,
    /// Standard deviations (of a sample); 1 for a constant column.
    pub spread: Array1<f64>,
}

impl Moments {
    /// Those of the columns of `x`.
    pub fn of(x: ArrayView2<f64>) -> Self {
        let centre: Array1<f64> = x.columns().into_iter().map(mean).collect();
        let columns = x.columns().into_iter().zip(&centre);
        let spread = columns.map(|(column, &mean)| match variance(column, mean).sqrt() {
            spread if spread.is_finite() && spread > 0.0 => spread,
            _ => 1.0,
        });
        Self {
            spread: spread.collect(),
            centre,
        }
    }

    /// Those that leave `width` columns as they are.
    pub fn none(width: usize) -> Self {
        Self {
            centre: Array1::zeros(width),
            spread: Array1::ones(width),
        }
    }

    /// `x`, every column less its centre and divided by its spread.
    ///
    /// # Errors
    /// Another number of columns.
    pub fn scale(&self, x: ArrayView2<f64>) -> Result<Array2<f32>> {
        if x.ncols() != self.centre.len() || x.ncols() != self.spread.len() {
            return Err(Error::model("The labelling rule does not fit the columns"));
        }
        Ok(Array2::from_shape_fn(x.dim(), |(i, j)| {
            ((x[[i, j]] - self.centre[j]) / self.spread[j]) as f32
        }))
    }
}

/// The sum of `values`, with what rounding takes from it (Neumaier's summation): the order of the cells hardly shows.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0f64, 0f64);
    for value in values {
        let next = total + value;
        lost += match total.abs() >= value.abs() {
            true => (total - next) + value,
            false => (value - next) + total,
        };
        total = next;
    }
    total + lost
}

fn mean(column: ArrayView1<f64>) -> f64 {
    sum(column.iter().copied()) / column.len().max(1) as f64
}

/// Of a sample, about its mean.
fn variance(column: ArrayView1<f64>, mean: f64) -> f64 {
    let squares = sum(column.iter().map(|v| (v - mean) * (v - mean)));
    squares / (column.len() as f64 - 1.0)
}

/// The square root of the columns' variances together.
pub fn total_spread(x: ArrayView2<f32>) -> f64 {
    let columns = x.columns().into_iter().map(|column| {
        let column = column.mapv(f64::from);
        variance(column.view(), mean(column.view()))
    });
    sum(columns).sqrt()
}

/// The first `n` columns, or all where there are fewer.
pub fn first_columns(x: ArrayView2<f32>, n: usize) -> Array2<f32> {
    x.slice(s![.., ..n.min(x.ncols())]).to_owned()
}

/// Columns side by side.
///
/// # Errors
/// Other numbers of rows.
pub fn side_by_side<T: Clone>(parts: &[ArrayView2<T>]) -> Result<Array2<T>> {
    concatenate(Axis(1), parts).map_err(|e| Error::Internal(e.to_string()))
}

/// Where columns are looked at from: less `centre`, times `rotation`.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// One value a column.
    pub centre: Array1<f64>,
    /// Columns x components.
    pub rotation: Array2<f64>,
}

impl View {
    /// Of the first `n` principal components of the columns of `x`.
    ///
    /// # Errors
    /// A decomposition that does not converge.
    pub fn principal(x: ArrayView2<f32>, n: usize) -> Result<Self> {
        let x = x.mapv(f64::from);
        let centre = Moments::of(x.view()).centre;
        let centred = x - &centre;
        let (_, vectors) = symmetric_eigen(centred.t().dot(&centred))?;
        let n = n.min(centred.ncols()).min(centred.nrows());
        Ok(Self {
            rotation: vectors.slice(s![.., ..n]).to_owned(),
            centre,
        })
    }

    /// The columns of `x` from there.
    ///
    /// # Errors
    /// Another number of columns.
    pub fn of(&self, x: ArrayView2<f32>) -> Result<Array2<f64>> {
        if x.ncols() != self.centre.len() || x.ncols() != self.rotation.nrows() {
            return Err(Error::model(
                "The embedding has another width than the model's",
            ));
        }
        Ok((x.mapv(f64::from) - &self.centre).dot(&self.rotation))
    }
}

/// Columns that domains are to be found from, and that nobody computed.
pub(super) fn absent() -> Error {
    Error::Internal("the columns that domains are found from were not computed".into())
}

/// The columns that domains are found from, given the embedding as it is seen.
///
/// # Errors
/// Averages that are not there.
pub(super) fn chosen(
    source: DomainSource,
    seen: Array2<f64>,
    smoothed: Option<&Array2<f32>>,
    predicted: Option<&Array2<f32>>,
) -> Result<Array2<f64>> {
    let there = |x: Option<&Array2<f32>>| Ok(x.ok_or_else(absent)?.mapv(f64::from));
    match source {
        DomainSource::Embedding => Ok(seen),
        DomainSource::Predicted => there(predicted),
        DomainSource::Smoothed => there(smoothed),
        DomainSource::Both => {
            let averages = there(smoothed)?;
            side_by_side(&[seen.view(), averages.view()])
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ndarray::array;

    #[test]
    fn columns_are_scaled_and_constant_ones_stay() {
        let x = array![[1.0, 5.0], [2.0, 5.0], [6.0, 5.0]];
        let moments = Moments::of(x.view());
        assert_eq!(moments.centre, array![3.0, 5.0]);
        assert_eq!(moments.spread, array![7f64.sqrt(), 1.0]);
        let scaled = moments.scale(x.view()).unwrap();
        assert!(scaled.column(1).iter().all(|&v| v == 0.0));
        assert!((scaled.column(0).sum()).abs() < 1e-6);
        assert!(Moments::none(3).scale(x.view()).is_err());
    }

    #[test]
    fn sums_do_not_lose_small_values_beside_large_ones() {
        let values = [1e16, 1.0, -1e16, 1.0];
        assert_eq!(sum(values.into_iter()), 2.0);
    }

    #[test]
    fn principal_components_are_uncorrelated_and_fall() {
        let x = Array2::from_shape_fn((40, 3), |(i, j)| {
            let t = i as f32;
            [t, (t * 1.3).sin() * 4.0, t * 0.5 + (t * 2.1).cos()][j]
        });
        let scores = View::principal(x.view(), 2).unwrap().of(x.view()).unwrap();
        assert_eq!(scores.dim(), (40, 2));
        let (a, b) = (scores.column(0), scores.column(1));
        assert!(a.dot(&b).abs() < 1e-8 * a.dot(&a));
        assert!(a.dot(&a) > b.dot(&b) && mean(a).abs() < 1e-12);
    }
}
