//! On a device.

use candle_core::{Result, Tensor};

use super::Losses;
use crate::gpu::kernel::{Record, Weigh, WeighBack};
use crate::gpu::{attach2, attach3, Kernels};

/// The weighted sum of two or three losses.
pub fn weighted(
    kernels: &Kernels,
    [a, b]: [&Tensor; 2],
    c: Option<&Tensor>,
    weights: [f64; 3],
) -> Result<Tensor> {
    let weights = weights.map(|w| w as f32);
    let mut out = kernels.floats(())?;
    Weigh {
        a,
        b,
        c: c.map(|c| c as _),
        weight_a: weights[0],
        weight_b: weights[1],
        weight_c: weights[2],
        out: &mut out,
    }
    .launch(kernels)?;
    let held = kernels.clone();
    let back = move |upstream: &Tensor| back(&held, upstream, weights);
    match c {
        Some(c) => attach3("weighted-sum", [a, b, c], out, move |grad| {
            back(grad).map(|all| all.map(Some))
        }),
        None => attach2("weighted-sum", [a, b], out, move |grad| {
            let [a, b, _] = back(grad)?;
            Ok([Some(a), Some(b)])
        }),
    }
}

fn back(kernels: &Kernels, upstream: &Tensor, weights: [f32; 3]) -> Result<[Tensor; 3]> {
    let mut out = kernels.floats(3)?;
    WeighBack {
        upstream,
        weight_a: weights[0],
        weight_b: weights[1],
        weight_c: weights[2],
        out: &mut out,
    }
    .launch(kernels)?;
    let out = out.into_tensor();
    Ok([out.get(0)?, out.get(1)?, out.get(2)?])
}

/// Five f64 of an epoch: total, reconstruction, consistency, contrast (NaN where there is none), gradient norm.
pub fn record(kernels: &Kernels, losses: &Losses, norm: &Tensor) -> Result<Tensor> {
    let mut out = kernels.doubles(5)?;
    Record {
        total: &losses.total,
        reconstruction: &losses.reconstruction,
        consistency: &losses.consistency,
        contrast: losses.contrast.as_ref().map(|c| c as _),
        norm,
        out: &mut out,
    }
    .launch(kernels)?;
    Ok(out.into_tensor())
}
