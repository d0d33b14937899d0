//! On a device.

use candle_core::{Result, Tensor};

use super::Terms;
use crate::gpu::kernel::{
    ContrastRows, ContrastTerms, CrossEntropies, Gather, SumProducts, Summaries,
};
use crate::gpu::{Buffer, Kernels, List};
use crate::nn::scalar::placed;
use crate::nn::tape::Traced;
use crate::systems::spacross::draws::PlacedDraws;
use crate::systems::spacross::losses::sums::{total, Sums, BLOCK};

/// Rows of M whose logits with all of M are held at once.
pub const ROWS: usize = 1024;

/// Loss, and the gradients of the nodes' own embeddings, the random nodes' and the targets B s, |M| x d each.
struct Parts {
    loss: Buffer,
    own: Tensor,
    other: Tensor,
    target: Tensor,
}

pub fn contrast(
    kernels: &Kernels,
    terms: Terms,
    inputs: [&Traced; 3],
    draws: &PlacedDraws,
) -> Result<Traced> {
    let [z, mean, b] = inputs.map(Traced::value);
    let (n, width) = z.dims2()?;
    let summary = summaries(kernels, mean, &draws.masked)?;
    let target = kernels.times_transposed(&summary, b)?.into_tensor();
    let parts = match terms {
        Terms::PerNode => per_node(kernels, z, &target, draws)?,
        Terms::AllPairs => all_pairs(kernels, z, &target, draws)?,
    };
    let d_bilinear = kernels.gram(&parts.target, &summary)?;
    let d_summary = kernels.times(&parts.target, b)?;
    let (mut dz, mut d_mean) = (kernels.floats((n, width))?, kernels.floats((n, width))?);
    ContrastRows {
        place: &draws.place,
        starts: &draws.negative_at.starts,
        positions: &draws.negative_at.positions,
        d_own: &parts.own,
        d_other: &parts.other,
        d_summary: &d_summary,
        summary: &summary,
        dz: &mut dz,
        d_mean: &mut d_mean,
        n,
        width,
    }
    .launch(kernels)?;
    let gradients = [dz, d_mean, d_bilinear];
    Ok(placed(kernels, inputs, parts.loss, gradients))
}

/// s = sigma(mean) of the masked nodes.
fn summaries(kernels: &Kernels, mean: &Tensor, masked: &List) -> Result<Tensor> {
    let (_, width) = mean.dims2()?;
    let mut out = kernels.floats((masked.len(), width))?;
    Summaries {
        mean,
        list: masked,
        out: &mut out,
        m: masked.len(),
        width,
    }
    .launch(kernels)?;
    Ok(out.into_tensor())
}

fn per_node(kernels: &Kernels, z: &Tensor, target: &Tensor, draws: &PlacedDraws) -> Result<Parts> {
    let (m, width) = target.dims2()?;
    let n_parts = m.div_ceil(BLOCK);
    let share = 1.0 / m.max(1) as f32;
    let rows = || kernels.floats((m, width));
    let (mut own, mut other, mut d_target) = (rows()?, rows()?, rows()?);
    let mut parts = kernels.doubles(n_parts)?;
    ContrastTerms {
        z,
        target,
        masked: &draws.masked,
        negative: &draws.negative,
        d_own: &mut own,
        d_other: &mut other,
        d_target: &mut d_target,
        parts: &mut parts,
        m,
        width,
        share,
    }
    .launch(kernels)?;
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

fn all_pairs(kernels: &Kernels, z: &Tensor, target: &Tensor, draws: &PlacedDraws) -> Result<Parts> {
    let (m, width) = target.dims2()?;
    let mut d_target = kernels.zeros((m, width))?;
    let mut losses = vec![];
    let mut gradients = vec![];
    for (list, positive) in [(&draws.masked, true), (&draws.negative, false)] {
        let z = rows_of(kernels, z, list)?;
        let mut blocks = vec![];
        for first in (0..m).step_by(ROWS) {
            let block = z.narrow(0, first, ROWS.min(m - first))?;
            let (loss, dz) = all_logits(kernels, &block, target, &mut d_target, positive)?;
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
    let mut out = kernels.floats((list.len(), width))?;
    Gather {
        x,
        token: None,
        rows: list,
        out: &mut out,
        n: list.len(),
        width,
    }
    .launch(kernels)?;
    Ok(out.into_tensor())
}

/// Mean cross-entropy of every pair of a row of `z` and a row of `target` (of all |M|^2 pairs), and the gradient of z;
/// that of `target` is added to `d_target`.
fn all_logits(
    kernels: &Kernels,
    z: &Tensor,
    target: &Tensor,
    d_target: &mut Buffer,
    positive: bool,
) -> Result<(Tensor, Tensor)> {
    let (rows, m) = (z.dim(0)?, target.dim(0)?);
    let share = 1.0 / (m as f64 * m as f64);
    let mut logits = kernels.times_transposed(z, target)?;
    let n_parts = (rows * m).div_ceil(BLOCK);
    let mut parts = kernels.doubles(n_parts)?;
    CrossEntropies {
        logits: &mut logits,
        parts: &mut parts,
        n: rows * m,
        positive: positive.into(),
        share: share as f32,
    }
    .launch(kernels)?;
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
    let mut out = kernels.floats(())?;
    SumProducts {
        parts: &stacked,
        out: &mut out,
        n_parts: numbers.len(),
        len: 1,
    }
    .launch(kernels)?;
    Ok(out)
}
