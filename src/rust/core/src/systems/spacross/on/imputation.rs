//! Linear decoder and scaled cosine reconstruction of genes without an N x genes array (METHODS 7); the mathematics
//! stands in [`crate::systems::spacross::imputation`].

use candle_core::{Result, Tensor};

use super::reconstruction::Outer;
use super::{total, Sums, BLOCK};
use crate::design::device::PlacedInput;
use crate::gpu::{Buffer, Kernels};
use crate::nn::linear::PlacedDesign;
use crate::nn::scalar::placed3;
use crate::systems::spacross::mask::PlacedDraws;

/// [V b], padded with zeros to a multiple of four columns.
struct Stacked {
    /// Genes x wide.
    rows: Tensor,
    /// Wide x genes.
    columns: Tensor,
    genes: usize,
    d: usize,
    wide: usize,
}

/// Masked rows: gradient of z, slopes by inner product and squared length, and the loss.
struct Terms {
    dz: Buffer,
    slopes: Tensor,
    loss: Buffer,
}

/// As [`crate::systems::spacross::imputation::imputation`].
pub fn imputation(
    kernels: &Kernels,
    [z, weight, bias]: [&Tensor; 3],
    input: &PlacedInput,
    draws: &PlacedDraws,
    sharpness: f32,
) -> Result<Tensor> {
    let (z0, v, b) = (z.detach(), weight.detach(), bias.detach());
    let stacked = Stacked::new(kernels, &v, &b)?;
    let terms = terms(kernels, &z0, &stacked, input, draws, sharpness)?;
    let (n, d) = z0.dims2()?;
    let inner = kernels.floats((n, stacked.wide))?;
    let dz = kernels.floats((n, d))?;
    kernels
        .launch("imputation_rows")
        .tensor(&z0)
        .tensor(&draws.place)
        .tensor(&terms.slopes)
        .output(&terms.dz)
        .output(&inner)
        .output(&dz)
        .u64(n)
        .u32(d)
        .u32(stacked.wide)
        .over_rows(n, stacked.wide)?;
    let by_inner = input.gram(&inner.into_tensor())?;
    let lengths = Outer {
        x: &z0,
        list: Some(&draws.masked),
        weight: Some(
            &terms
                .slopes
                .flatten_all()?
                .narrow(0, 1, 2 * draws.masked.len - 1)?,
        ),
        n: draws.masked.len,
        one: true,
    };
    let lengths = lengths.totals(kernels)?;
    let (dv, db) = weights(kernels, &stacked, &by_inner, &lengths, [&v, &b])?;
    placed3(kernels, [z, weight, bias], terms.loss, [dz, dv, db])
}

impl Stacked {
    fn new(kernels: &Kernels, v: &Tensor, b: &Tensor) -> Result<Self> {
        let (genes, d) = v.dims2()?;
        let wide = (d + 1).next_multiple_of(4);
        let (rows, columns) = (
            kernels.floats((genes, wide))?,
            kernels.floats((wide, genes))?,
        );
        kernels
            .launch("stack_decoder")
            .tensor(v)
            .tensor(b)
            .output(&rows)
            .output(&columns)
            .u32(genes)
            .u32(d)
            .u32(wide)
            .over(genes * wide)?;
        Ok(Self {
            rows: rows.into_tensor(),
            columns: columns.into_tensor(),
            genes,
            d,
            wide,
        })
    }
}

fn terms(
    kernels: &Kernels,
    z: &Tensor,
    stacked: &Stacked,
    input: &PlacedInput,
    draws: &PlacedDraws,
    sharpness: f32,
) -> Result<Terms> {
    let (m, d) = (draws.masked.len, stacked.d);
    let products = input.times_transposed(&stacked.columns)?;
    let gram = kernels.gram(&stacked.rows, &stacked.rows)?;
    let (dz, slopes) = (kernels.floats((m, d))?, kernels.floats((m, 2))?);
    let n_parts = m.div_ceil(BLOCK);
    let parts = kernels.doubles(n_parts)?;
    let share = 1.0 / m.max(1) as f32;
    kernels
        .launch("imputation_terms")
        .tensor(z)
        .output(&products)
        .output(&gram)
        .tensor(&input.norms)
        .tensor(&draws.masked.rows)
        .output(&dz)
        .output(&slopes)
        .output(&parts)
        .u64(m)
        .u32(d)
        .u32(stacked.wide)
        .f32(sharpness)
        .f32(share)
        .over(m)?;
    let sums = Sums {
        parts: &parts,
        n: n_parts,
        weight: share.into(),
    };
    Ok(Terms {
        dz,
        slopes: slopes.into_tensor(),
        loss: total(kernels, sums, None)?,
    })
}

fn weights(
    kernels: &Kernels,
    stacked: &Stacked,
    by_inner: &Buffer,
    lengths: &Buffer,
    [v, b]: [&Tensor; 2],
) -> Result<(Buffer, Buffer)> {
    let (genes, d) = (stacked.genes, stacked.d);
    let (dv, db) = (kernels.floats((genes, d))?, kernels.floats((1, genes))?);
    kernels
        .launch("imputation_weights")
        .output(by_inner)
        .output(lengths)
        .tensor(v)
        .tensor(b)
        .output(&dv)
        .output(&db)
        .u32(genes)
        .u32(d)
        .over(genes * (d + 1))?;
    Ok((dv, db))
}
