//! Sums of outer products of rows on a device.

use candle_core::{Result, Tensor};

use crate::gpu::kernel::{OuterParts, OuterTotals};
use crate::gpu::{Buffer, Kernels, List};

/// Totals over rows of x_a and x_a x_b (d + d d numbers, d the row's length with the 1 that `one` adds).
pub struct Outer<'a> {
    pub x: &'a Tensor,
    pub list: Option<&'a List>,
    /// A factor a row: the second of a pair of numbers.
    pub weight: Option<&'a Tensor>,
    pub n: usize,
    pub one: bool,
}

impl Outer<'_> {
    pub fn totals(&self, kernels: &Kernels) -> Result<Buffer<f64>> {
        let width = self.x.dim(1)?;
        let d = width + usize::from(self.one);
        let chunk = self.n.div_ceil(512).max(64);
        let n_chunks = self.n.div_ceil(chunk);
        let len = d + d * d;
        let mut parts = kernels.doubles((n_chunks, len))?;
        OuterParts {
            x: self.x,
            list: self.list,
            weight: self.weight.map(|w| w as _),
            parts: &mut parts,
            n: self.n,
            width,
            one: self.one.into(),
            chunk,
        }
        .launch(kernels)?;
        let mut totals = kernels.doubles(len)?;
        OuterTotals {
            parts: &parts,
            totals: &mut totals,
            n_parts: n_chunks,
            len,
        }
        .launch(kernels)?;
        Ok(totals)
    }
}
