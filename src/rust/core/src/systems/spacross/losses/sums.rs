//! Losses added up on a device.

use candle_core::Result;

use crate::gpu::kernel::SumTerms;
use crate::gpu::{Buffer, Kernels};

/// Threads of a block whose losses are added up.
pub const BLOCK: usize = 256;

/// Sums of the losses of a list, block by block.
pub struct Sums<'a> {
    pub parts: &'a Buffer<f64>,
    pub n: usize,
    pub weight: f64,
}

/// The weighted total of the sums, one number.
pub fn total(kernels: &Kernels, a: Sums, b: Option<Sums>) -> Result<Buffer> {
    let mut out = kernels.floats(())?;
    let b = b.unwrap_or(Sums {
        parts: a.parts,
        n: 0,
        weight: 0.0,
    });
    SumTerms {
        a: a.parts,
        n_a: a.n,
        weight_a: a.weight,
        b: b.parts,
        n_b: b.n,
        weight_b: b.weight,
        out: &mut out,
    }
    .launch(kernels)?;
    Ok(out)
}
