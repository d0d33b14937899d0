//! Where training starts: from what is already known of every modality, its principal components.
//!
//! From random weights the attention over modalities, whose embeddings mean nothing yet, runs to whichever side the
//! seed sends it. Here the embedding begins as the components of all modalities side by side, averaged over both
//! graphs, every modality with the same weight and the same variance: seeds then agree on where a modality comes to
//! count more.

use candle_core::{Tensor, Var};

use super::model::{Coder, Model};
use crate::preprocess::Directions;
use crate::Result;

/// Sets encoders and decoders, `all` being the directions that lead to each modality's components, and attention that
/// weighs all alike (u = 0).
///
/// # Errors
/// A device that does not answer.
pub fn from_directions(model: &Model, all: &[Directions]) -> Result<()> {
    let numbers: Vec<usize> = all.iter().map(|found| found.variance.len()).collect();
    let (d, _) = model.attention.w.dims2()?;
    let mut first = 0;
    for ((coder, found), width) in model.coders.iter().zip(all).zip(shares(&numbers, d)) {
        set(coder, found, first..first + width, all.len())?;
        first += width;
    }
    let attention = model.coders.iter().map(|c| &c.attention);
    for attention in attention.chain([&model.attention]) {
        attention.u.set(&attention.u.zeros_like()?)?;
    }
    Ok(())
}

/// How many of `d` columns each modality gets: all its directions, or where these are too many, fewer of those that
/// have most.
fn shares(numbers: &[usize], d: usize) -> Vec<usize> {
    let mut shares = numbers.to_vec();
    while shares.iter().sum::<usize>() > d {
        let most = shares.iter().copied().max().unwrap_or(0);
        let largest = shares.iter_mut().rev().find(|share| **share == most);
        largest.into_iter().for_each(|share| *share -= 1);
    }
    shares
}

/// W takes the input to its first directions, with a mean squared length of 1 in all; V' takes the mean over `n`
/// modalities back.
fn set(coder: &Coder, found: &Directions, columns: std::ops::Range<usize>, n: usize) -> Result<()> {
    let length = found.variance[..columns.len()].iter().sum::<f64>().sqrt();
    let length = length.max(f64::MIN_POSITIVE);
    place(&coder.encoder, found, columns.clone(), length.recip())?;
    place(&coder.decoder, found, columns, length * n as f64)
}

/// The directions as rows of `parameter` (d x columns of the input), zeros elsewhere.
fn place(
    parameter: &Var,
    found: &Directions,
    rows: std::ops::Range<usize>,
    factor: f64,
) -> Result<()> {
    let (d, p) = parameter.dims2()?;
    let mut values = vec![0f32; d * p];
    for (j, row) in rows.enumerate() {
        let direction = found.loadings.column(j);
        let target = &mut values[row * p..][..p];
        let pairs = target.iter_mut().zip(direction);
        pairs.for_each(|(value, &l)| *value = (l * factor) as f32);
    }
    let values = Tensor::from_vec(values, (d, p), &candle_core::Device::Cpu)?;
    Ok(parameter.set(&values.to_device(parameter.device())?)?)
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn columns_are_shared_out() {
        assert_eq!(shares(&[30, 19], 64), [30, 19]);
        assert_eq!(shares(&[30, 19, 30], 64), [23, 19, 22]);
        assert_eq!(shares(&[30, 2], 10), [8, 2]);
        assert_eq!(shares(&[5, 5], 3), [2, 1]);
    }
}
