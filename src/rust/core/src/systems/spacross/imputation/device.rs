//! On a device.

use candle_core::{Result, Tensor};

use crate::design::PlacedInput;
use crate::gpu::kernel::{ImputationRows, ImputationTerms, ImputationWeights, StackDecoder};
use crate::gpu::{Buffer, Kernels};
use crate::nn::scalar::placed;
use crate::nn::tape::Traced;
use crate::systems::spacross::draws::PlacedDraws;
use crate::systems::spacross::losses::outer::Outer;
use crate::systems::spacross::losses::sums::{total, Sums, BLOCK};

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

pub fn imputation(
    kernels: &Kernels,
    inputs: [&Traced; 3],
    input: &PlacedInput,
    draws: &PlacedDraws,
    sharpness: f32,
) -> Result<Traced> {
    let [z, v, b] = inputs.map(Traced::value);
    let stacked = Stacked::new(kernels, v, b)?;
    let terms = terms(kernels, z, &stacked, input, draws, sharpness)?;
    let (n, d) = z.dims2()?;
    let mut inner = kernels.floats((n, stacked.wide))?;
    let mut dz = kernels.floats((n, d))?;
    ImputationRows {
        z,
        place: &draws.place,
        slopes: &terms.slopes,
        dz_masked: &terms.dz,
        inner: &mut inner,
        dz: &mut dz,
        n,
        d,
        wide: stacked.wide,
    }
    .launch(kernels)?;
    let by_inner = input.gram(&inner.into_tensor())?;
    let lengths = Outer {
        x: z,
        list: Some(&draws.masked),
        weight: Some(&terms.slopes),
        n: draws.masked.len(),
        one: true,
    };
    let lengths = lengths.totals(kernels)?;
    let (dv, db) = weights(kernels, &stacked, &by_inner, &lengths, [v, b])?;
    Ok(placed(kernels, inputs, terms.loss, [dz, dv, db]))
}

impl Stacked {
    fn new(kernels: &Kernels, v: &Tensor, b: &Tensor) -> Result<Self> {
        let (genes, d) = v.dims2()?;
        let wide = (d + 1).next_multiple_of(4);
        let (mut rows, mut columns) = (
            kernels.floats((genes, wide))?,
            kernels.floats((wide, genes))?,
        );
        StackDecoder {
            v,
            b,
            rows: &mut rows,
            columns: &mut columns,
            genes,
            d,
            wide,
        }
        .launch(kernels)?;
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
    let (m, d) = (draws.masked.len(), stacked.d);
    let products = input.times_transposed(&stacked.columns)?;
    let gram = kernels.gram(&stacked.rows, &stacked.rows)?;
    let (mut dz, mut slopes) = (kernels.floats((m, d))?, kernels.floats((m, 2))?);
    let n_parts = m.div_ceil(BLOCK);
    let mut parts = kernels.doubles(n_parts)?;
    let share = 1.0 / m.max(1) as f32;
    ImputationTerms {
        z,
        products: &products,
        gram: &gram,
        norms: &input.norms,
        list: &draws.masked,
        dz: &mut dz,
        slopes: &mut slopes,
        parts: &mut parts,
        m,
        d,
        wide: stacked.wide,
        t: sharpness,
        share,
    }
    .launch(kernels)?;
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
    lengths: &Buffer<f64>,
    [v, b]: [&Tensor; 2],
) -> Result<(Buffer, Buffer)> {
    let (genes, d) = (stacked.genes, stacked.d);
    let (mut dv, mut db) = (kernels.floats((genes, d))?, kernels.floats((1, genes))?);
    ImputationWeights {
        by_inner,
        lengths,
        v,
        b,
        dv: &mut dv,
        db: &mut db,
        genes,
        d,
    }
    .launch(kernels)?;
    Ok((dv, db))
}
