//! Cross-masked latent consistency (METHODS 3, step 5).

use candle_core::{Result, Tensor};

use super::{total, Sums, BLOCK};
use crate::gpu::{Buffer, Kernels, List};
use crate::nn::scalar::placed1;
use crate::systems::spacross::mask::PlacedDraws;

/// Rows `a` of R against rows `b` of Z': how far the gradient goes along b and along a, and the losses by block.
struct Terms {
    along: Buffer,
    parts: Buffer,
    n_parts: usize,
    share: f32,
}

/// As [`crate::systems::spacross::consistency::consistency`].
pub fn consistency(
    kernels: &Kernels,
    projected: &Tensor,
    target: &Tensor,
    draws: &PlacedDraws,
    t: f32,
) -> Result<Tensor> {
    let (n, width) = projected.dims2()?;
    let terms = |a: &List, b: &List, same: bool| terms(kernels, projected, target, [a, b], t, same);
    let agree = terms(&draws.masked, &draws.masked, true)?;
    let differ = terms(&draws.online, &draws.target, false)?;
    let sums = |terms: &Terms| (terms.n_parts, f64::from(terms.share));
    let ((n_a, weight_a), (n_b, weight_b)) = (sums(&agree), sums(&differ));
    let a = Sums {
        parts: &agree.parts,
        n: n_a,
        weight: weight_a,
    };
    let b = Sums {
        parts: &differ.parts,
        n: n_b,
        weight: weight_b,
    };
    let value = total(kernels, a, Some(b))?;
    let gradient = kernels.floats((n, width))?;
    kernels
        .launch("consistency_rows")
        .tensor(projected)
        .tensor(target)
        .tensor(&draws.place)
        .output(&agree.along)
        .tensor(&draws.online_at.starts)
        .tensor(&draws.online_at.positions)
        .tensor(&draws.target.rows)
        .output(&differ.along)
        .output(&gradient)
        .u64(n)
        .u32(width)
        .over_rows(n, width)?;
    placed1(kernels, projected, value, gradient)
}

fn terms(
    kernels: &Kernels,
    r: &Tensor,
    z: &Tensor,
    [a, b]: [&List; 2],
    t: f32,
    same: bool,
) -> Result<Terms> {
    let (_, width) = r.dims2()?;
    let n_parts = a.len.div_ceil(BLOCK);
    let share = 0.5 / a.len.max(1) as f32;
    let along = kernels.floats((a.len.max(1), 2))?;
    let parts = kernels.doubles(n_parts.max(1))?;
    kernels
        .launch("consistency_terms")
        .tensor(r)
        .tensor(z)
        .tensor(&a.rows)
        .tensor(&b.rows)
        .output(&along)
        .output(&parts)
        .u64(a.len)
        .u32(width)
        .f32(t)
        .f32(share)
        .u32(same.into())
        .over(a.len)?;
    Ok(Terms {
        along,
        parts,
        n_parts,
        share,
    })
}
