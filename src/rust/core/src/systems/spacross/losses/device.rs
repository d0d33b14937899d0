//! On a device.

use candle_core::{bail, Result, Tensor};

use super::Losses;
use crate::gpu::kernel::{Record, Weigh, WeighBack};
use crate::gpu::Kernels;
use crate::nn::tape::Traced;

/// The weighted sum of two or three losses.
pub fn weighted(kernels: &Kernels, terms: &[&Traced], weights: [f64; 3]) -> Result<Traced> {
    let (&[a, b] | &[a, b, _]) = terms else {
        bail!("two or three losses");
    };
    let weights = weights.map(|w| w as f32);
    let mut out = kernels.floats(())?;
    Weigh {
        a: a.value(),
        b: b.value(),
        c: terms.get(2).map(|c| c.value() as _),
        weight_a: weights[0],
        weight_b: weights[1],
        weight_c: weights[2],
        out: &mut out,
    }
    .launch(kernels)?;
    let (kernels, n) = (kernels.clone(), terms.len());
    Ok(Traced::of_all(terms, out.into_tensor(), move |upstream| {
        let each = back(&kernels, upstream, weights)?;
        (0..n).map(|i| each.get(i).map(Some)).collect()
    }))
}

/// The gradients of three losses.
fn back(kernels: &Kernels, upstream: &Tensor, weights: [f32; 3]) -> Result<Tensor> {
    let mut out = kernels.floats(3)?;
    WeighBack {
        upstream,
        weight_a: weights[0],
        weight_b: weights[1],
        weight_c: weights[2],
        out: &mut out,
    }
    .launch(kernels)?;
    Ok(out.into_tensor())
}

/// Five f64 of an epoch: total, reconstruction, consistency, contrast (NaN where there is none), gradient norm.
pub fn record(kernels: &Kernels, losses: &Losses, norm: &Tensor) -> Result<Tensor> {
    let mut out = kernels.doubles(5)?;
    Record {
        total: losses.total.value(),
        reconstruction: &losses.reconstruction,
        consistency: &losses.consistency,
        contrast: losses.contrast.as_ref().map(|c| c as _),
        norm,
        out: &mut out,
    }
    .launch(kernels)?;
    Ok(out.into_tensor())
}
