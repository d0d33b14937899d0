//! Decoder and scaled cosine reconstruction of dense input (METHODS 3, step 6); the mathematics stands in
//! [`crate::systems::spacross::reconstruction`].

use candle_core::{Result, Tensor};

use super::{total, Sums};
use crate::gpu::{Buffer, Kernels, List};
use crate::nn::norm_act_on::Settings;
use crate::nn::scalar::placed3;
use crate::systems::spacross::mask::PlacedDraws;

/// Decoded values that are held at once.
const HELD: usize = 16 << 20;
/// Most rows that are decoded at once.
const MOST: usize = 1 << 22;
/// Rows of a warp each in a block.
const WARPS: usize = 8;
/// Rows that one thread sums over.
const ROWS: usize = 128;

/// What the loss compares with, and how.
pub struct Target<'a> {
    /// The input, N x p.
    pub x: &'a Tensor,
    pub draws: &'a PlacedDraws,
    pub sharpness: f32,
    /// The batch norm's; its dropout is the decoder's.
    pub settings: Settings,
    /// The running moments, 2 x p, which follow the batch's.
    pub running: &'a Tensor,
}

/// As [`crate::systems::spacross::reconstruction::reconstruction`].
pub fn reconstruction(
    kernels: &Kernels,
    h: &Tensor,
    weight: &Tensor,
    affine: &Tensor,
    target: &Target,
) -> Result<Tensor> {
    let decoder = Decoder::new(
        kernels,
        h.detach(),
        weight.detach(),
        affine.detach(),
        target,
    )?;
    let (value, gradients) = decoder.loss(target)?;
    placed3(kernels, [h, weight, affine], value, gradients)
}

/// Totals over rows of x_a and x_a x_b (d + d d numbers, d the row's length with the 1 that `one` adds).
pub(super) struct Outer<'a> {
    pub x: &'a Tensor,
    pub list: Option<&'a List>,
    /// A factor a row: the second of a pair of numbers.
    pub weight: Option<&'a Tensor>,
    pub n: usize,
    pub one: bool,
}

impl Outer<'_> {
    pub fn totals(&self, kernels: &Kernels) -> Result<Buffer> {
        let d = self.x.dim(1)? + usize::from(self.one);
        let chunk = self.n.div_ceil(512).max(64);
        let n_chunks = self.n.div_ceil(chunk);
        let len = d + d * d;
        let parts = kernels.doubles((n_chunks, len))?;
        kernels
            .launch("outer_parts")
            .tensor(self.x)
            .optional(self.list.map(|l| &l.rows))
            .optional(self.weight)
            .u32(2)
            .output(&parts)
            .u64(self.n)
            .u32(d)
            .u32(self.one.into())
            .u32(chunk)
            .blocks(n_chunks, 1)?;
        let totals = kernels.doubles(len)?;
        kernels
            .launch("outer_totals")
            .output(&parts)
            .output(&totals)
            .u32(n_chunks)
            .u32(len)
            .blocks(len, 1)?;
        Ok(totals)
    }
}

struct Decoder<'a> {
    kernels: &'a Kernels,
    h: Tensor,
    v: Tensor,
    affine: Tensor,
    d: usize,
    p: usize,
    /// Mean and covariance of h.
    moments: Buffer,
    /// Of each output: mean, covariances with h, 1 / sd.
    mean: Buffer,
    cov_v: Buffer,
    inverse: Buffer,
}

/// What the masked rows add up to.
struct Masked {
    /// Sums of the losses by block.
    losses: Vec<(Buffer, usize)>,
    /// Gradient of h for these rows.
    dh: Tensor,
    /// G' H over these rows, p x d.
    products: Tensor,
    /// Sums of g and of g y_hat, 2 x p, f64.
    sums: Buffer,
}

impl<'a> Decoder<'a> {
    fn new(
        kernels: &'a Kernels,
        h: Tensor,
        v: Tensor,
        affine: Tensor,
        target: &Target,
    ) -> Result<Self> {
        let ((n, d), (p, _)) = (h.dims2()?, v.dims2()?);
        let moments = centred_moments(kernels, &h)?;
        let (mean, cov_v, inverse) = (
            kernels.doubles(p)?,
            kernels.doubles((p, d))?,
            kernels.floats(p)?,
        );
        kernels
            .launch("decoder_moments")
            .output(&moments)
            .tensor(&v)
            .output(&mean)
            .output(&cov_v)
            .output(&inverse)
            .tensor(target.running)
            .u64(n)
            .u32(p)
            .u32(d)
            .f64(target.settings.epsilon)
            .f64(target.settings.momentum)
            .over(p)?;
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

    fn loss(&self, target: &Target) -> Result<(Buffer, [Buffer; 3])> {
        let masked = self.masked(target)?;
        let weight = 1.0 / target.draws.masked.len.max(1) as f64;
        let value = self.value(&masked.losses, weight)?;
        let dh = self.all_rows(&masked, &target.draws.place)?;
        let (dv, d_affine) = self.weights(&masked)?;
        Ok((value, [dh, dv, d_affine]))
    }

    fn value(&self, losses: &[(Buffer, usize)], weight: f64) -> Result<Buffer> {
        let sums = |(parts, n): &(Buffer, usize)| {
            let sums = Sums {
                parts,
                n: *n,
                weight,
            };
            Ok(total(self.kernels, sums, None)?.into_tensor())
        };
        let parts: Vec<Tensor> = losses.iter().map(sums).collect::<Result<_>>()?;
        let out = self.kernels.floats(())?;
        self.kernels
            .launch("sum_products")
            .tensor(&Tensor::stack(&parts, 0)?)
            .output(&out)
            .u32(parts.len())
            .u64(1)
            .over(1)?;
        Ok(out)
    }

    /// Decodes the masked rows, some at a time.
    fn masked(&self, target: &Target) -> Result<Masked> {
        let all = &target.draws.masked;
        let rows = (HELD / self.p).clamp(ROWS, MOST).next_multiple_of(ROWS);
        let rows = rows.min(all.len.max(1));
        let scaled = self.scaled_rows()?;
        let n_slabs = all.len.div_ceil(rows);
        let per_slab = rows.div_ceil(ROWS);
        let parts = self.kernels.doubles((n_slabs * per_slab, 2, self.p))?;
        let (mut losses, mut dh, mut products) = (vec![], vec![], vec![]);
        let mut n_parts = 0;
        for first in (0..all.len).step_by(rows) {
            let list = List {
                rows: all.rows.narrow(0, first, rows.min(all.len - first))?,
                len: rows.min(all.len - first),
            };
            let slab = self.slab(&list, target, all.len)?;
            n_parts = self.column_sums(&slab, &parts, n_parts)?;
            losses.push((slab.losses, list.len.div_ceil(WARPS)));
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
        let scaled = self.kernels.floats((self.p, self.d))?;
        self.kernels
            .launch("scaled_rows")
            .tensor(&self.v)
            .tensor(&self.affine)
            .output(&self.inverse)
            .output(&scaled)
            .u32(self.p)
            .u32(self.d)
            .over(self.p * self.d)?;
        Ok(scaled.into_tensor())
    }

    /// Decodes and compares the rows of `list`, a part of the `m` masked ones.
    fn slab(&self, list: &List, target: &Target, m: usize) -> Result<Slab> {
        let kernels = self.kernels;
        let h = kernels.floats((list.len, self.d))?;
        kernels
            .launch("gather")
            .tensor(&self.h)
            .optional(None)
            .tensor(&list.rows)
            .output(&h)
            .u64(list.len)
            .u32(self.d)
            .over_rows(list.len, self.d)?;
        let h = h.into_tensor();
        let y = kernels.times_transposed(&h, &self.v)?;
        let weighted = kernels.floats((list.len, self.p))?;
        let n_blocks = list.len.div_ceil(WARPS);
        let losses = kernels.doubles(n_blocks)?;
        kernels
            .launch("decoder_rows")
            .output(&y)
            .output(&weighted)
            .tensor(target.x)
            .tensor(&list.rows)
            .output(&self.mean)
            .output(&self.inverse)
            .tensor(&self.affine)
            .output(&losses)
            .u64(list.len)
            .u32(self.p)
            .f32(target.sharpness)
            .f32(1.0 / m as f32)
            .words(&target.settings.dropout.words())
            .blocks(n_blocks, 1)?;
        Ok(Slab {
            h,
            g: y.into_tensor(),
            weighted,
            losses,
        })
    }

    /// Adds a slab's column sums to the parts, of which there are `n_parts` so far; returns how many there are then.
    fn column_sums(&self, slab: &Slab, parts: &Buffer, n_parts: usize) -> Result<usize> {
        let rows = slab.g.dim(0)?;
        let n_chunks = rows.div_ceil(ROWS);
        self.kernels
            .launch("column_parts")
            .tensor(&slab.g)
            .output(&slab.weighted)
            .output(parts)
            .u64(rows)
            .u32(self.p)
            .u32(ROWS)
            .u32(n_parts)
            .blocks(self.p.div_ceil(super::BLOCK), n_chunks)?;
        Ok(n_parts + n_chunks)
    }

    fn sums(&self, parts: &Buffer, n_parts: usize) -> Result<Buffer> {
        let sums = self.kernels.doubles((2, self.p))?;
        self.kernels
            .launch("outer_totals")
            .output(parts)
            .output(&sums)
            .u32(n_parts)
            .u32(2 * self.p)
            .blocks(2 * self.p, 1)?;
        Ok(sums)
    }

    /// The sum of the slabs' p x d products.
    fn sum(&self, products: &[Tensor]) -> Result<Tensor> {
        let [only] = products else {
            let out = self.kernels.floats((self.p, self.d))?;
            self.kernels
                .launch("sum_products")
                .tensor(&Tensor::stack(products, 0)?)
                .output(&out)
                .u32(products.len())
                .u64(self.p * self.d)
                .over(self.p * self.d)?;
            return Ok(out.into_tensor());
        };
        Ok(only.clone())
    }

    fn all_rows(&self, masked: &Masked, place: &Tensor) -> Result<Buffer> {
        let (n, d) = self.h.dims2()?;
        let map = self.kernels.floats(d * d + d)?;
        self.kernels
            .launch("decoder_map")
            .output(&masked.sums)
            .tensor(&self.v)
            .tensor(&self.affine)
            .output(&self.inverse)
            .output(&self.mean)
            .output(&map)
            .u64(n)
            .u32(self.p)
            .u32(d)
            .blocks(d * d + d, 1)?;
        let dh = self.kernels.floats((n, d))?;
        self.kernels
            .launch("decoder_back")
            .tensor(&self.h)
            .output(&map)
            .tensor(place)
            .tensor(&masked.dh)
            .output(&dh)
            .u64(n)
            .u32(d)
            .over_rows(n, d)?;
        Ok(dh)
    }

    fn weights(&self, masked: &Masked) -> Result<(Buffer, Buffer)> {
        let dv = self.kernels.floats((self.p, self.d))?;
        let d_affine = self.kernels.floats((2, self.p))?;
        self.kernels
            .launch("decoder_weights")
            .tensor(&masked.products)
            .output(&masked.sums)
            .output(&self.moments)
            .output(&self.cov_v)
            .tensor(&self.affine)
            .output(&self.inverse)
            .output(&dv)
            .output(&d_affine)
            .u32(self.p)
            .u32(self.d)
            .over(self.p * self.d)?;
        Ok((dv, d_affine))
    }
}

/// Some masked rows: their h, g, g y_hat, and the losses by block.
struct Slab {
    h: Tensor,
    g: Tensor,
    weighted: Buffer,
    losses: Buffer,
}

/// Mean (d) and covariance (d x d) of the rows of `h`.
fn centred_moments(kernels: &Kernels, h: &Tensor) -> Result<Buffer> {
    let (n, d) = h.dims2()?;
    let outer = Outer {
        x: h,
        list: None,
        weight: None,
        n,
        one: false,
    };
    let totals = outer.totals(kernels)?;
    let centred = kernels.doubles(d + d * d)?;
    kernels
        .launch("centre")
        .output(&totals)
        .output(&centred)
        .u64(n)
        .u32(d)
        .over(d + d * d)?;
    Ok(centred)
}
