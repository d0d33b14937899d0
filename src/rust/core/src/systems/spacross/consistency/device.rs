//! On a device.

use candle_core::{Result, Tensor};

use crate::gpu::kernel::{ConsistencyRows, ConsistencyTerms};
use crate::gpu::{Buffer, Kernels, List};
use crate::nn::scalar::placed;
use crate::nn::tape::Traced;
use crate::systems::spacross::draws::PlacedDraws;
use crate::systems::spacross::losses::sums::{total, Sums, BLOCK};

/// Rows `a` of R against rows `b` of Z': how far the gradient goes along b and along a, and the losses by block.
struct Terms {
    along: Buffer,
    parts: Buffer<f64>,
    n_parts: usize,
    share: f32,
}

pub fn consistency(
    kernels: &Kernels,
    projected: &Traced,
    target: &Tensor,
    draws: &PlacedDraws,
    t: f32,
) -> Result<Traced> {
    let r = projected.value();
    let (n, width) = r.dims2()?;
    let terms = |a: &List, b: &List, same: bool| terms(kernels, r, target, [a, b], t, same);
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
    let mut gradient = kernels.floats((n, width))?;
    ConsistencyRows {
        r,
        z: target,
        place: &draws.place,
        own: &agree.along,
        starts: &draws.online_at.starts,
        positions: &draws.online_at.positions,
        b_list: &draws.target,
        other: &differ.along,
        dr: &mut gradient,
        n,
        width,
    }
    .launch(kernels)?;
    Ok(placed(kernels, [projected], value, [gradient]))
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
    let n_parts = a.len().div_ceil(BLOCK);
    let share = 0.5 / a.len().max(1) as f32;
    let mut along = kernels.floats((a.len().max(1), 2))?;
    let mut parts = kernels.doubles(n_parts.max(1))?;
    ConsistencyTerms {
        r,
        z,
        a_list: a,
        b_list: b,
        along: &mut along,
        parts: &mut parts,
        m: a.len(),
        width,
        t,
        share,
        same: same.into(),
    }
    .launch(kernels)?;
    Ok(Terms {
        along,
        parts,
        n_parts,
        share,
    })
}
