//! The losses of SpaLORA on a device; the mathematics stands in [`super::loss`].

use candle_core::{Result, Tensor};

use super::loss::Constant;
use crate::gpu::Kernels;
use crate::nn::scalar::{placed2, placed3};

/// Threads of a block whose terms are added up.
const BLOCK: usize = 256;

/// As [`super::loss::reconstruction`].
pub fn reconstruction(
    kernels: &Kernels,
    [p, y, v]: [&Tensor; 3],
    x: &Constant,
    omega: &Tensor,
) -> Result<Tensor> {
    let ((n, d), (_, columns)) = (p.dims2()?, v.dims2()?);
    let share = 1.0 / (n as f64 * columns as f64);
    let scale = (2.0 * share) as f32;
    let (p0, v0) = (p.detach(), v.detach());
    let weighted = kernels.floats((d, columns))?;
    kernels
        .launch("weigh_columns")
        .tensor(&v0)
        .tensor(omega)
        .output(&weighted)
        .u64(d * columns)
        .u32(columns)
        .over(d * columns)?;
    let weighted = weighted.into_tensor();
    let inner = kernels.times_transposed(&weighted, &v0)?.into_tensor();
    let products = kernels.gram(&p0, &p0)?.into_tensor();
    let (dp, dy) = (kernels.times(&p0, &inner)?, kernels.floats((n, d))?);
    let n_parts = (n * d).div_ceil(BLOCK);
    let parts = kernels.doubles(n_parts)?;
    kernels
        .launch("product_terms")
        .tensor(&p0)
        .tensor(&y.detach())
        .output(&dp)
        .output(&dy)
        .output(&parts)
        .u64(n * d)
        .f32(scale)
        .over(n * d)?;
    let value = kernels.floats(())?;
    kernels
        .launch("product_value")
        .output(&parts)
        .tensor(&products)
        .tensor(&inner)
        .output(&value)
        .u32(n_parts)
        .u32(d * d)
        .f64(x.squares)
        .f64(share)
        .blocks(1, 1)?;
    let dv = kernels.times(&products, &weighted)?;
    kernels
        .launch("scale_values")
        .output(&dv)
        .f32(scale)
        .u64(d * columns)
        .over(d * columns)?;
    placed3(kernels, [p, y, v], value, [dp, dy, dv])
}

/// mean (a - b)^2
pub fn mean_squared(kernels: &Kernels, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let n = a.elem_count();
    let (da, db) = (kernels.floats(a.shape())?, kernels.floats(a.shape())?);
    let n_parts = n.div_ceil(BLOCK);
    let parts = kernels.doubles(n_parts)?;
    kernels
        .launch("squared_terms")
        .tensor(&a.detach())
        .tensor(&b.detach())
        .output(&da)
        .output(&db)
        .output(&parts)
        .u64(n)
        .f32((2.0 / n as f64) as f32)
        .over(n)?;
    let value = kernels.floats(())?;
    kernels
        .launch("sum_terms")
        .output(&parts)
        .u32(n_parts)
        .f64(1.0 / n as f64)
        .output(&parts)
        .u32(0)
        .f64(0.0)
        .output(&value)
        .blocks(1, 1)?;
    placed2(kernels, [a, b], value, [da, db])
}
