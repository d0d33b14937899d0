//! On a device.

use candle_core::{bail, Result, Tensor};

use super::ReconstructionTarget;
use crate::gpu::kernel::{
    Centre, ColumnParts, DecoderBack, DecoderMap, DecoderMoments, DecoderRows, DecoderWeights,
    Gather, OuterTotals, ScaledRows, SumProducts,
};
use crate::gpu::{Buffer, InPlace, Kernels, List, PartialList};
use crate::nn::norm_act::Settings;
use crate::nn::running::Running;
use crate::nn::scalar::placed;
use crate::nn::tape::Traced;
use crate::systems::spacross::draws::PlacedDraws;
use crate::systems::spacross::losses::outer::Outer;
use crate::systems::spacross::losses::sums::{total, Sums};

/// Decoded values that are held at once.
pub const HELD: usize = 16 << 20;
/// Most rows that are decoded at once.
const MOST: usize = 1 << 22;
/// Rows of a warp each in a block.
const WARPS: usize = 8;
/// Rows that one thread sums over.
pub const ROWS: usize = 128;

/// [`ReconstructionTarget`] on the device.
struct DeviceTarget<'a> {
    x: &'a Tensor,
    draws: &'a PlacedDraws,
    sharpness: f32,
    settings: Settings,
    /// The running moments, which follow the batch's.
    running: &'a Tensor,
}

pub fn reconstruction(
    kernels: &Kernels,
    inputs: [&Traced; 3],
    running: &Running,
    target: &ReconstructionTarget,
) -> Result<Traced> {
    let Some(x) = target.input.on_device()?.as_dense() else {
        bail!("the graph decoder takes dense input");
    };
    let target = DeviceTarget {
        x,
        draws: target.draws.on_device()?,
        sharpness: target.sharpness,
        settings: target.settings,
        running: running.as_tensor(),
    };
    let values = inputs.map(|input| input.value().clone());
    let (value, gradients) = CosineDecoder::new(kernels, values, &target)?.loss(&target)?;
    Ok(placed(kernels, inputs, value, gradients))
}

struct CosineDecoder<'a> {
    kernels: &'a Kernels,
    h: Tensor,
    v: Tensor,
    affine: Tensor,
    d: usize,
    p: usize,
    /// Mean and covariance of h.
    moments: Buffer<f64>,
    /// Of each output: mean, covariances with h, 1 / sd.
    mean: Buffer<f64>,
    cov_v: Buffer<f64>,
    inverse: Buffer,
}

/// What the masked rows add up to.
struct Masked {
    /// Sums of the losses by block.
    losses: Vec<(Buffer<f64>, usize)>,
    /// Gradient of h for these rows.
    dh: Tensor,
    /// G' H over these rows, p x d.
    products: Tensor,
    /// Sums of g and of g y_hat, 2 x p, f64.
    sums: Buffer<f64>,
}

impl<'a> CosineDecoder<'a> {
    fn new(
        kernels: &'a Kernels,
        [h, v, affine]: [Tensor; 3],
        target: &DeviceTarget,
    ) -> Result<Self> {
        let ((n, d), (p, _)) = (h.dims2()?, v.dims2()?);
        let moments = centred_moments(kernels, &h)?;
        let (mut mean, mut cov_v, mut inverse) = (
            kernels.doubles(p)?,
            kernels.doubles((p, d))?,
            kernels.floats(p)?,
        );
        DecoderMoments {
            moments: &moments,
            v: &v,
            mean: &mut mean,
            cov_v: &mut cov_v,
            inverse: &mut inverse,
            running: &mut InPlace(target.running),
            n,
            p,
            d,
            epsilon: target.settings.epsilon,
            momentum: target.settings.momentum,
        }
        .launch(kernels)?;
        Ok(Self {
            kernels,
            h,
            v,
            affine,
            d,
            p,
            moments,
            mean,
            cov_v,
            inverse,
        })
    }

    fn loss(&self, target: &DeviceTarget) -> Result<(Buffer, [Buffer; 3])> {
        let masked = self.masked(target)?;
        let weight = 1.0 / target.draws.masked.len().max(1) as f64;
        let value = self.value(&masked.losses, weight)?;
        let dh = self.all_rows(&masked, &target.draws.place)?;
        let (dv, d_affine) = self.weights(&masked)?;
        Ok((value, [dh, dv, d_affine]))
    }

    fn value(&self, losses: &[(Buffer<f64>, usize)], weight: f64) -> Result<Buffer> {
        let sums = |(parts, n): &(Buffer<f64>, usize)| {
            let sums = Sums {
                parts,
                n: *n,
                weight,
            };
            Ok(total(self.kernels, sums, None)?.into_tensor())
        };
        let parts: Vec<Tensor> = losses.iter().map(sums).collect::<Result<_>>()?;
        let mut out = self.kernels.floats(())?;
        SumProducts {
            parts: &Tensor::stack(&parts, 0)?,
            out: &mut out,
            n_parts: parts.len(),
            len: 1,
        }
        .launch(self.kernels)?;
        Ok(out)
    }

    /// Decodes the masked rows, some at a time.
    fn masked(&self, target: &DeviceTarget) -> Result<Masked> {
        let all = &target.draws.masked;
        let rows = (HELD / self.p).clamp(ROWS, MOST).next_multiple_of(ROWS);
        let rows = rows.min(all.len().max(1));
        let scaled = self.scaled_rows()?;
        let n_slabs = all.len().div_ceil(rows);
        let per_slab = rows.div_ceil(ROWS);
        let mut parts = self.kernels.doubles((n_slabs * per_slab, 2, self.p))?;
        let (mut losses, mut dh, mut products) = (vec![], vec![], vec![]);
        let mut n_parts = 0;
        for first in (0..all.len()).step_by(rows) {
            let list = all.part(first, rows.min(all.len() - first))?;
            let slab = self.slab(&list, target, all.len())?;
            n_parts = self.column_sums(&slab, &mut parts, n_parts)?;
            losses.push((slab.losses, list.len().div_ceil(WARPS)));
            products.push(self.kernels.gram(&slab.g, &slab.h)?.into_tensor());
            dh.push(self.kernels.times(&slab.g, &scaled)?.into_tensor());
        }
        Ok(Masked {
            losses,
            dh: Tensor::cat(&dh, 0)?,
            products: self.sum(&products)?,
            sums: self.sums(&parts, n_parts)?,
        })
    }

    /// V with each row times gamma / sd.
    fn scaled_rows(&self) -> Result<Tensor> {
        let mut scaled = self.kernels.floats((self.p, self.d))?;
        ScaledRows {
            v: &self.v,
            affine: &self.affine,
            inverse: &self.inverse,
            out: &mut scaled,
            p: self.p,
            d: self.d,
        }
        .launch(self.kernels)?;
        Ok(scaled.into_tensor())
    }

    /// Decodes and compares the rows of `list`, a part of the `m` masked ones.
    fn slab(&self, list: &List, target: &DeviceTarget, m: usize) -> Result<Slab> {
        let kernels = self.kernels;
        let mut h = kernels.floats((list.len(), self.d))?;
        Gather {
            x: &self.h,
            token: None,
            rows: list,
            out: &mut h,
            n: list.len(),
            width: self.d,
        }
        .launch(kernels)?;
        let h = h.into_tensor();
        let mut y = kernels.times_transposed(&h, &self.v)?;
        let mut weighted = kernels.floats((list.len(), self.p))?;
        let n_blocks = list.len().div_ceil(WARPS);
        let mut losses = kernels.doubles(n_blocks)?;
        DecoderRows {
            y: &mut y,
            weighted: &mut weighted,
            x: target.x,
            list,
            mean: &self.mean,
            inverse: &self.inverse,
            affine: &self.affine,
            parts: &mut losses,
            m: list.len(),
            p: self.p,
            t: target.sharpness,
            share: 1.0 / m as f32,
            dropout: target.settings.dropout.placed(),
        }
        .launch(kernels)?;
        Ok(Slab {
            h,
            g: y.into_tensor(),
            weighted,
            losses,
        })
    }

    /// Adds a slab's column sums to the parts, of which there are `n_parts` so far; returns how many there are then.
    fn column_sums(&self, slab: &Slab, parts: &mut Buffer<f64>, n_parts: usize) -> Result<usize> {
        let rows = slab.g.dim(0)?;
        let n_chunks = rows.div_ceil(ROWS);
        ColumnParts {
            a: &slab.g,
            b: &slab.weighted,
            parts,
            m: rows,
            p: self.p,
            chunk: ROWS,
            first_part: n_parts,
        }
        .launch(self.kernels)?;
        Ok(n_parts + n_chunks)
    }

    fn sums(&self, parts: &Buffer<f64>, n_parts: usize) -> Result<Buffer<f64>> {
        let mut sums = self.kernels.doubles((2, self.p))?;
        OuterTotals {
            parts,
            totals: &mut sums,
            n_parts,
            len: 2 * self.p,
        }
        .launch(self.kernels)?;
        Ok(sums)
    }

    /// The sum of the slabs' p x d products.
    fn sum(&self, products: &[Tensor]) -> Result<Tensor> {
        let [only] = products else {
            let mut out = self.kernels.floats((self.p, self.d))?;
            SumProducts {
                parts: &Tensor::stack(products, 0)?,
                out: &mut out,
                n_parts: products.len(),
                len: self.p * self.d,
            }
            .launch(self.kernels)?;
            return Ok(out.into_tensor());
        };
        Ok(only.clone())
    }

    fn all_rows(&self, masked: &Masked, place: &PartialList) -> Result<Buffer> {
        let (n, d) = self.h.dims2()?;
        let mut map = self.kernels.floats(d * d + d)?;
        DecoderMap {
            sums: &masked.sums,
            v: &self.v,
            affine: &self.affine,
            inverse: &self.inverse,
            mean: &self.mean,
            map: &mut map,
            n,
            p: self.p,
            d,
        }
        .launch(self.kernels)?;
        let mut dh = self.kernels.floats((n, d))?;
        DecoderBack {
            h: &self.h,
            map: &map,
            place,
            masked: &masked.dh,
            dh: &mut dh,
            n,
            d,
        }
        .launch(self.kernels)?;
        Ok(dh)
    }

    fn weights(&self, masked: &Masked) -> Result<(Buffer, Buffer)> {
        let mut dv = self.kernels.floats((self.p, self.d))?;
        let mut d_affine = self.kernels.floats((2, self.p))?;
        DecoderWeights {
            products: &masked.products,
            sums: &masked.sums,
            moments: &self.moments,
            cov_v: &self.cov_v,
            affine: &self.affine,
            inverse: &self.inverse,
            dv: &mut dv,
            d_affine: &mut d_affine,
            p: self.p,
            d: self.d,
        }
        .launch(self.kernels)?;
        Ok((dv, d_affine))
    }
}

/// Some masked rows: their h, g, g y_hat, and the losses by block.
struct Slab {
    h: Tensor,
    g: Tensor,
    weighted: Buffer,
    losses: Buffer<f64>,
}

/// Mean (d) and covariance (d x d) of the rows of `h`.
fn centred_moments(kernels: &Kernels, h: &Tensor) -> Result<Buffer<f64>> {
    let (n, d) = h.dims2()?;
    let outer = Outer {
        x: h,
        list: None,
        weight: None,
        n,
        one: false,
    };
    let totals = outer.totals(kernels)?;
    let mut centred = kernels.doubles(d + d * d)?;
    Centre {
        totals: &totals,
        out: &mut centred,
        n,
        d,
    }
    .launch(kernels)?;
    Ok(centred)
}
