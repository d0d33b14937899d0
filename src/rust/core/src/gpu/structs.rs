//! The structs that kernels take by value.

use std::marker::PhantomData;

use candle_core::{bail, Result, Tensor};

use super::kernel::PARAMETERS;
use super::values::Read;
use super::Kernels;

/// `Dropout` of cuda/common.cuh.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Of the generator.
    pub key: [u32; 2],
    /// The stream of draws.
    pub purpose: u32,
    /// The place in that stream.
    pub round: u32,
    /// Values whose draw is below are dropped.
    pub threshold: u32,
    /// What the others are multiplied by.
    pub scale: f32,
}

impl Dropout {
    pub(super) fn words(&self) -> [u64; 3] {
        let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        [
            pair(self.key[0], self.key[1]),
            pair(self.purpose, self.round),
            pair(self.threshold, self.scale.to_bits()),
        ]
    }
}

/// A parameter and its moments, which a step of Adam changes in place.
pub struct Moved<'a> {
    /// None where the loss does not depend on the parameter.
    pub gradient: Option<&'a Tensor>,
    /// The parameter.
    pub value: &'a Tensor,
    /// Mean of its gradients.
    pub first: &'a Tensor,
    /// Mean of their squares.
    pub second: &'a Tensor,
}

/// `Table` of cuda/optimiser.cu: gradients, values, two moments, lengths.
pub struct Table<'a> {
    columns: Columns<5>,
    held: PhantomData<&'a Tensor>,
}

impl<'a> Table<'a> {
    /// Of these parameters, in their order.
    pub fn new(kernels: &Kernels, parameters: &[Moved<'a>]) -> Result<Self> {
        let mut columns = Columns::default();
        for parameter in parameters {
            let len = parameter.value.elem_count();
            let of = |tensor: &Tensor| address(kernels, tensor, len);
            let gradient = parameter.gradient.map_or(Ok(0), of)?;
            let [value, first, second] =
                [parameter.value, parameter.first, parameter.second].map(of);
            columns.push([gradient, value?, first?, second?, len as u64])?;
        }
        Ok(Self {
            columns,
            held: PhantomData,
        })
    }

    /// How many parameters it has.
    pub fn count(&self) -> usize {
        self.columns.count
    }

    pub(super) fn words(&self) -> Vec<u64> {
        self.columns.values.concat()
    }
}

/// `Pairs` of cuda/optimiser.cu: what is followed, values (changed in place), lengths.
pub struct Pairs<'a> {
    columns: Columns<3>,
    held: PhantomData<&'a Tensor>,
}

impl<'a> Pairs<'a> {
    /// Pairs of a parameter and the one that it follows.
    pub fn new(kernels: &Kernels, pairs: &[(&'a Tensor, &'a Tensor)]) -> Result<Self> {
        let mut columns = Columns::default();
        for (value, followed) in pairs {
            let len = value.elem_count();
            let [value, followed] = [value, followed].map(|t| address(kernels, t, len));
            columns.push([followed?, value?, len as u64])?;
        }
        Ok(Self {
            columns,
            held: PhantomData,
        })
    }

    /// How many parameters it has.
    pub fn count(&self) -> usize {
        self.columns.count
    }

    pub(super) fn words(&self) -> Vec<u64> {
        self.columns.values.concat()
    }
}

/// Arrays of a word a parameter, one behind the other.
struct Columns<const N: usize> {
    values: [[u64; PARAMETERS]; N],
    count: usize,
}

impl<const N: usize> Default for Columns<N> {
    fn default() -> Self {
        Self {
            values: [[0; PARAMETERS]; N],
            count: 0,
        }
    }
}

impl<const N: usize> Columns<N> {
    fn push(&mut self, row: [u64; N]) -> Result<()> {
        if self.count == PARAMETERS {
            bail!("more than {PARAMETERS} parameters");
        }
        for (column, word) in self.values.iter_mut().zip(row) {
            column[self.count] = word;
        }
        self.count += 1;
        Ok(())
    }
}

/// Where the `len` values of a tensor lie.
fn address(kernels: &Kernels, tensor: &Tensor, len: usize) -> Result<u64> {
    let span = Read::<f32>::span(tensor)?;
    if span.len != len || span.location != kernels.device.location() {
        bail!("a parameter with a gradient or moments of another shape, or on another device");
    }
    Ok(span.address)
}
