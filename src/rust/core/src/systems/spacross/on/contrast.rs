//! Hybrid contrast (METHODS 3, step 3, and 6 a).

use candle_core::{Result, Tensor};

use super::{total, Sums, BLOCK};
use crate::gpu::{Buffer, Kernels, List};
use crate::nn::scalar::placed3;
use crate::systems::spacross::mask::PlacedDraws;

/// Rows of M whose logits with all of M are held at once.
const ROWS: usize = 1024;

/// Loss, and the gradients of the nodes' own embeddings, the random nodes' and the targets B s, |M| x d each.
struct Parts {
    loss: Buffer,
    own: Tensor,
    other: Tensor,
    target: Tensor,
}

/// As [`crate::systems::spacross::contrast::per_node`].
pub fn per_node(
    kernels: &Kernels,
    z: &Tensor,
    mean: &Tensor,
    bilinear: &Tensor,
    draws: &PlacedDraws,
) -> Result<Tensor> {
    attached(kernels, z, mean, bilinear, draws, per_node_parts)
}

/// As [`crate::systems::spacross::contrast::all_pairs`].
pub fn all_pairs(
    kernels: &Kernels,
    z: &Tensor,
    mean: &Tensor,
    bilinear: &Tensor,
    draws: &PlacedDraws,
) -> Result<Tensor> {
    attached(kernels, z, mean, bilinear, draws, all_pairs_parts)
}

fn attached(
    kernels: &Kernels,
    z: &Tensor,
    mean: &Tensor,
    bilinear: &Tensor,
    draws: &PlacedDraws,
    parts: impl Fn(&Kernels, &Tensor, &Tensor, &PlacedDraws) -> Result<Parts>,
) -> Result<Tensor> {
    let (n, width) = z.dims2()?;
    let b = bilinear.detach();
    let summary = summaries(kernels, mean, &draws.masked)?;
    let target = kernels.times_transposed(&summary, &b)?.into_tensor();
    let parts = parts(kernels, &z.detach(), &target, draws)?;
    let d_bilinear = kernels.gram(&parts.target, &summary)?;
    let d_summary = kernels.times(&parts.target, &b)?;
    let (dz, d_mean) = (kernels.floats((n, width))?, kernels.floats((n, width))?);
    kernels
        .launch("contrast_rows")
        .tensor(&draws.place)
        .tensor(&draws.negative_at.starts)
        .tensor(&draws.negative_at.positions)
        .tensor(&parts.own)
        .tensor(&parts.other)
        .output(&d_summary)
        .tensor(&summary)
        .output(&dz)
        .output(&d_mean)
        .u64(n)
        .u32(width)
        .over_rows(n, width)?;
    placed3(
        kernels,
        [z, mean, bilinear],
        parts.loss,
        [dz, d_mean, d_bilinear],
    )
}

/// s = sigma(mean) of the masked nodes.
fn summaries(kernels: &Kernels, mean: &Tensor, masked: &List) -> Result<Tensor> {
    let (_, width) = mean.dims2()?;
    let out = kernels.floats((masked.len, width))?;
    kernels
        .launch("summaries")
        .tensor(mean)
        .tensor(&masked.rows)
        .output(&out)
        .u64(masked.len)
        .u32(width)
        .over_rows(masked.len, width)?;
    Ok(out.into_tensor())
}

fn per_node_parts(
    kernels: &Kernels,
    z: &Tensor,
    target: &Tensor,
    draws: &PlacedDraws,
) -> Result<Parts> {
    let (m, width) = target.dims2()?;
    let n_parts = m.div_ceil(BLOCK);
    let share = 1.0 / m.max(1) as f32;
    let rows = || kernels.floats((m, width));
    let (own, other, d_target) = (rows()?, rows()?, rows()?);
    let parts = kernels.doubles(n_parts)?;
    kernels
        .launch("contrast_terms")
        .tensor(z)
        .tensor(target)
        .tensor(&draws.masked.rows)
        .tensor(&draws.negative.rows)
        .output(&own)
        .output(&other)
        .output(&d_target)
        .output(&parts)
        .u64(m)
        .u32(width)
        .f32(share)
        .over(m)?;
    let sums = Sums {
        parts: &parts,
        n: n_parts,
        weight: share.into(),
    };
    Ok(Parts {
        loss: total(kernels, sums, None)?,
        own: own.into_tensor(),
        other: other.into_tensor(),
        target: d_target.into_tensor(),
    })
}

fn all_pairs_parts(
    kernels: &Kernels,
    z: &Tensor,
    target: &Tensor,
    draws: &PlacedDraws,
) -> Result<Parts> {
    let (m, width) = target.dims2()?;
    let d_target = kernels.zeros((m, width))?;
    let mut losses = vec![];
    let mut gradients = vec![];
    for (list, positive) in [(&draws.masked, true), (&draws.negative, false)] {
        let z = rows_of(kernels, z, list)?;
        let mut blocks = vec![];
        for first in (0..m).step_by(ROWS) {
            let block = z.narrow(0, first, ROWS.min(m - first))?;
            let (loss, dz) = all_logits(kernels, &block, target, &d_target, positive)?;
            losses.push(loss);
            blocks.push(dz);
        }
        gradients.push(Tensor::cat(&blocks, 0)?);
    }
    let loss = sum(kernels, losses)?;
    let [own, other] = [0, 1].map(|i| gradients[i].clone());
    Ok(Parts {
        loss,
        own,
        other,
        target: d_target.into_tensor(),
    })
}

/// Rows of a list.
fn rows_of(kernels: &Kernels, x: &Tensor, list: &List) -> Result<Tensor> {
    let (_, width) = x.dims2()?;
    let out = kernels.floats((list.len, width))?;
    kernels
        .launch("gather")
        .tensor(x)
        .optional(None)
        .tensor(&list.rows)
        .output(&out)
        .u64(list.len)
        .u32(width)
        .over_rows(list.len, width)?;
    Ok(out.into_tensor())
}

/// Mean cross-entropy of every pair of a row of `z` and a row of `target` (of all |M|^2 pairs), and the gradient of z;
/// that of `target` is added to `d_target`.
fn all_logits(
    kernels: &Kernels,
    z: &Tensor,
    target: &Tensor,
    d_target: &Buffer,
    positive: bool,
) -> Result<(Tensor, Tensor)> {
    let (rows, m) = (z.dim(0)?, target.dim(0)?);
    let share = 1.0 / (m as f64 * m as f64);
    let logits = kernels.times_transposed(z, target)?;
    let n_parts = (rows * m).div_ceil(BLOCK);
    let parts = kernels.doubles(n_parts)?;
    kernels
        .launch("cross_entropies")
        .output(&logits)
        .output(&parts)
        .u64(rows * m)
        .u32(positive.into())
        .f32(share as f32)
        .over(rows * m)?;
    let logits = logits.into_tensor();
    kernels.add_gram(&logits, z, d_target)?;
    let sums = Sums {
        parts: &parts,
        n: n_parts,
        weight: f64::from(share as f32),
    };
    let loss = total(kernels, sums, None)?.into_tensor();
    Ok((loss, kernels.times(&logits, target)?.into_tensor()))
}

/// The sum of some numbers.
fn sum(kernels: &Kernels, numbers: Vec<Tensor>) -> Result<Buffer> {
    let stacked = Tensor::stack(&numbers, 0)?;
    let out = kernels.floats(())?;
    kernels
        .launch("sum_products")
        .tensor(&stacked)
        .output(&out)
        .u32(numbers.len())
        .u64(1)
        .over(1)?;
    Ok(out)
}
