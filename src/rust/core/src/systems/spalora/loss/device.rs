//! On a device.

use candle_core::{Result, Tensor};

use super::Constant;
use crate::gpu::kernel::{
    ProductTerms, ProductValue, ScaleValues, SquaredTerms, SumTerms, WeighColumns,
};
use crate::gpu::Kernels;
use crate::nn::scalar::placed;
use crate::nn::tape::Traced;

/// Threads of a block whose terms are added up.
const BLOCK: usize = 256;

/// As [`super::reconstruction`].
pub fn reconstruction(
    kernels: &Kernels,
    inputs: [&Traced; 3],
    x: &Constant,
    omega: &Tensor,
) -> Result<Traced> {
    let [p, y, v] = inputs.map(Traced::value);
    let ((n, d), (_, columns)) = (p.dims2()?, v.dims2()?);
    let share = 1.0 / (n as f64 * columns as f64);
    let scale = (2.0 * share) as f32;
    let mut weighted = kernels.floats((d, columns))?;
    WeighColumns {
        v,
        weights: omega,
        out: &mut weighted,
        n: d * columns,
        p: columns,
    }
    .launch(kernels)?;
    let weighted = weighted.into_tensor();
    let inner = kernels.times_transposed(&weighted, v)?.into_tensor();
    let products = kernels.gram(p, p)?.into_tensor();
    let (mut dp, mut dy) = (kernels.times(p, &inner)?, kernels.floats((n, d))?);
    let n_parts = (n * d).div_ceil(BLOCK);
    let mut parts = kernels.doubles(n_parts)?;
    ProductTerms {
        p,
        y,
        dp: &mut dp,
        dy: &mut dy,
        parts: &mut parts,
        n: n * d,
        scale,
    }
    .launch(kernels)?;
    let mut value = kernels.floats(())?;
    ProductValue {
        parts: &parts,
        a: &products,
        b: &inner,
        out: &mut value,
        n_parts,
        len: d * d,
        squares: x.squares,
        share,
    }
    .launch(kernels)?;
    let mut dv = kernels.times(&products, &weighted)?;
    ScaleValues {
        x: &mut dv,
        factor: scale,
        n: d * columns,
    }
    .launch(kernels)?;
    Ok(placed(kernels, inputs, value, [dp, dy, dv]))
}

/// As [`super::mean_squared`].
pub fn mean_squared(kernels: &Kernels, inputs: [&Traced; 2]) -> Result<Traced> {
    let [a, b] = inputs.map(Traced::value);
    let n = a.elem_count();
    let (mut da, mut db) = (kernels.floats(a.shape())?, kernels.floats(a.shape())?);
    let n_parts = n.div_ceil(BLOCK);
    let mut parts = kernels.doubles(n_parts)?;
    SquaredTerms {
        a,
        b,
        da: &mut da,
        db: &mut db,
        parts: &mut parts,
        n,
        scale: (2.0 / n as f64) as f32,
    }
    .launch(kernels)?;
    let mut value = kernels.floats(())?;
    SumTerms {
        a: &parts,
        n_a: n_parts,
        weight_a: 1.0 / n as f64,
        b: &parts,
        n_b: 0,
        weight_b: 0.0,
        out: &mut value,
    }
    .launch(kernels)?;
    Ok(placed(kernels, inputs, value, [da, db]))
}
