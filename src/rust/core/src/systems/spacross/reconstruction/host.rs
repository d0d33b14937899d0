//! On the CPU.

use candle_core::{bail, Result};
use rayon::prelude::*;

use super::ReconstructionTarget;
use crate::dense::{gram, sum_parts, times, times_transposed};
use crate::nn::dropout::Dropout;
use crate::nn::norm_act::{Moments, Settings};
use crate::nn::running::Running;
use crate::nn::scalar::given;
use crate::nn::tape::Traced;
use crate::nn::view::with_slices;
use crate::simd::dispatch;
use crate::systems::spacross::rows::{add_rows, apart, row, Cosine};

/// What the loss compares with, and how.
struct Compared<'a> {
    /// The input, N x p.
    x: &'a [f32],
    /// M.
    masked: &'a [u32],
    sharpness: f32,
    dropout: Dropout,
}

pub fn reconstruction(
    inputs: [&Traced; 3],
    running: &Running,
    target: &ReconstructionTarget,
) -> Result<Traced> {
    let Some(x) = target.input.as_dense() else {
        bail!("the graph decoder takes dense input");
    };
    let compared = Compared {
        x,
        masked: &target.draws.masked,
        sharpness: target.sharpness,
        dropout: target.settings.dropout,
    };
    let (n, d) = inputs[0].value().dims2()?;
    let Settings {
        epsilon, momentum, ..
    } = target.settings;
    let (value, gradients, moments) = with_slices(inputs.map(Traced::value), |[h, v, a]| {
        let decoder = CosineDecoder::new(h, v, a, d, epsilon);
        let (value, gradients) = decoder.loss(&compared);
        Ok((value, gradients, decoder.moments))
    })?;
    running.follow(&moments, n, momentum)?;
    given(inputs, value, gradients)
}

/// Mean and covariance (d x d, biased) of the rows of `h`, in f64.
fn covariance(h: &[f32], d: usize) -> (Vec<f64>, Vec<f64>) {
    const ROWS: usize = 4096;
    let parts: Vec<Vec<f64>> = h
        .par_chunks(ROWS * d)
        .map(|rows| {
            let mut sums = vec![0f64; d + d * d];
            for row in rows.chunks_exact(d) {
                for (a, &x) in row.iter().enumerate() {
                    sums[a] += f64::from(x);
                    let products = &mut sums[d + a * d..][..d];
                    for (s, &y) in products.iter_mut().zip(row) {
                        *s += f64::from(x) * f64::from(y);
                    }
                }
            }
            sums
        })
        .collect();
    let n = (h.len() / d) as f64;
    let mut total = vec![0f64; d + d * d];
    for part in parts {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p / n);
    }
    let cov = total.split_off(d);
    let centred = cov
        .iter()
        .enumerate()
        .map(|(e, c)| c - total[e / d] * total[e % d])
        .collect();
    (total, centred)
}

struct CosineDecoder<'a> {
    h: &'a [f32],
    v: &'a [f32],
    d: usize,
    mean_h: Vec<f64>,
    /// C V' row by row: p x d, the covariance of h with each output.
    cov_v: Vec<f64>,
    moments: Moments,
    /// 1 / sd of each output.
    inverse: Vec<f32>,
    gamma: &'a [f32],
    beta: &'a [f32],
}

/// What the masked rows add up to.
struct Sums {
    loss: f64,
    /// Gradient of h for these rows.
    dh: Vec<f32>,
    /// G' H over these rows, p x d.
    weight: Vec<f32>,
    /// Sums of g and of g y_hat, 2 x p.
    affine: Vec<f32>,
}

impl<'a> CosineDecoder<'a> {
    fn new(h: &'a [f32], v: &'a [f32], affine: &'a [f32], d: usize, epsilon: f64) -> Self {
        let (mean_h, cov) = covariance(h, d);
        let rows = || v.chunks_exact(d);
        let mean = rows().map(|w| weighted(w, &mean_h)).collect();
        let cov_v: Vec<f64> = rows()
            .flat_map(|w| cov.chunks_exact(d).map(|c| weighted(w, c)))
            .collect();
        let variance: Vec<f64> = rows()
            .zip(cov_v.chunks_exact(d))
            .map(|(w, c)| weighted(w, c).max(0.0))
            .collect();
        let inverse = variance
            .iter()
            .map(|v| (v + epsilon).sqrt().recip() as f32)
            .collect();
        let (gamma, beta) = affine.split_at(v.len() / d);
        Self {
            h,
            v,
            d,
            mean_h,
            cov_v,
            moments: Moments { mean, variance },
            inverse,
            gamma,
            beta,
        }
    }

    fn p(&self) -> usize {
        self.gamma.len()
    }

    fn loss(&self, target: &Compared) -> (f32, [Vec<f32>; 3]) {
        /// Masked rows decoded at once: their p outputs stay in the cache.
        const ROWS: usize = 64;
        let parts: Vec<Sums> = target
            .masked
            .par_chunks(ROWS)
            .map(|nodes| self.masked_rows(nodes, target))
            .collect();
        let n = target.masked.len().max(1) as f64;
        let loss = parts.iter().map(|s| s.loss).sum::<f64>() / n;
        let mut dh_masked = Vec::with_capacity(target.masked.len() * self.d);
        let (mut weights, mut affines) = (vec![], vec![]);
        for part in parts {
            dh_masked.extend_from_slice(&part.dh);
            weights.push(part.weight);
            affines.push(part.affine);
        }
        let weight = sum_parts(weights, self.v.len());
        let affine = sum_parts(affines, 2 * self.p());
        let mut dh = self.all_rows(&affine);
        add_rows(&mut dh, target.masked, &dh_masked, self.d);
        (
            loss as f32,
            [dh, self.d_weight(weight, &affine), self.d_affine(&affine)],
        )
    }

    /// Decodes some masked rows and takes the loss back to h, but for what the batch's moments send
    /// to every row.
    fn masked_rows(&self, nodes: &[u32], target: &Compared) -> Sums {
        let (d, p) = (self.d, self.p());
        let h: Vec<f32> = nodes
            .iter()
            .flat_map(|&i| row(self.h, i, d))
            .copied()
            .collect();
        let mut y = times_transposed(&h, self.v, d, p);
        let mut affine = vec![0f32; 2 * p];
        let share = 1.0 / target.masked.len() as f32;
        let mut loss = 0f64;
        let mut scratch = Scratch::new(p);
        for (&node, y) in nodes.iter().zip(y.chunks_exact_mut(p)) {
            loss += f64::from(output_row(
                self,
                target,
                node,
                share,
                y,
                &mut affine,
                &mut scratch,
            ));
        }
        let weight = gram(&y, &h, p, d);
        for y in y.chunks_exact_mut(p) {
            for c in 0..p {
                y[c] *= self.gamma[c] * self.inverse[c];
            }
        }
        Sums {
            loss,
            dh: times(&y, self.v, p, d),
            weight,
            affine,
        }
    }

    /// What the batch's moments send to every row: -q - Q (h - mean h).
    fn all_rows(&self, affine: &[f32]) -> Vec<f32> {
        let (d, p) = (self.d, self.p());
        let n = (self.h.len() / d) as f64;
        let (mut shift, mut map) = (vec![0f64; d], vec![0f64; d * d]);
        for c in 0..p {
            let v = &self.v[c * d..][..d];
            let inverse = f64::from(self.inverse[c]);
            let scale = f64::from(self.gamma[c]) * inverse / n;
            let g = scale * f64::from(affine[c]);
            let g_hat = scale * inverse * f64::from(affine[p + c]);
            for a in 0..d {
                shift[a] += g * f64::from(v[a]);
                for b in 0..d {
                    map[a * d + b] += g_hat * f64::from(v[a]) * f64::from(v[b]);
                }
            }
        }
        for a in 0..d {
            shift[a] -= (0..d).map(|b| map[a * d + b] * self.mean_h[b]).sum::<f64>();
        }
        let map: Vec<f32> = map.into_iter().map(|m| m as f32).collect();
        let mut dh = times_transposed(self.h, &map, d, d);
        dh.par_chunks_exact_mut(d).for_each(|row| {
            for (x, s) in row.iter_mut().zip(&shift) {
                *x = -*x - *s as f32;
            }
        });
        dh
    }

    /// dV_c = a_c (sum g h - sum(g) mean h - sum(g y_hat) / sd_c  C v_c)
    fn d_weight(&self, mut weight: Vec<f32>, affine: &[f32]) -> Vec<f32> {
        let (d, p) = (self.d, self.p());
        for c in 0..p {
            let scale = f64::from(self.gamma[c]) * f64::from(self.inverse[c]);
            let (g, g_hat) = (f64::from(affine[c]), f64::from(affine[p + c]));
            for a in 0..d {
                let w = &mut weight[c * d + a];
                let moments =
                    g * self.mean_h[a] + g_hat * f64::from(self.inverse[c]) * self.cov_v[c * d + a];
                *w = (scale * (f64::from(*w) - moments)) as f32;
            }
        }
        weight
    }

    fn d_affine(&self, sums: &[f32]) -> Vec<f32> {
        let (g, g_hat) = sums.split_at(self.p());
        [g_hat, g].concat()
    }
}

fn weighted(w: &[f32], x: &[f64]) -> f64 {
    w.iter().zip(x).map(|(&w, &x)| f64::from(w) * x).sum()
}

/// Buffers of one row of outputs.
struct Scratch {
    factors: Vec<f32>,
    hat: Vec<f32>,
    out: Vec<f32>,
}

impl Scratch {
    fn new(p: usize) -> Self {
        Self {
            factors: vec![1.0; p],
            hat: vec![0.0; p],
            out: vec![0.0; p],
        }
    }
}

dispatch! {
    /// Norm, dropout, cosine and back for one row: y is V h on entry and the gradient g behind the
    /// batch norm on return; adds g and g y_hat to `affine`. Returns the row's loss.
    fn output_row(
        decoder: &CosineDecoder, target: &Compared, node: u32, share: f32, y: &mut [f32],
        affine: &mut [f32], scratch: &mut Scratch,
    ) -> f32 = output_row_body
}

#[inline(always)]
fn output_row_body(
    decoder: &CosineDecoder,
    target: &Compared,
    node: u32,
    share: f32,
    y: &mut [f32],
    affine: &mut [f32],
    scratch: &mut Scratch,
) -> f32 {
    let p = y.len();
    let x = row(target.x, node, p);
    let Scratch { factors, hat, out } = scratch;
    target.dropout.factors(node as usize, p, factors);
    for c in 0..p {
        hat[c] = (y[c] - decoder.moments.mean[c] as f32) * decoder.inverse[c];
        out[c] = (decoder.gamma[c] * hat[c] + decoder.beta[c]) * factors[c];
    }
    let cosine = Cosine::new(out, x);
    let (loss, slope) = apart(cosine.value, target.sharpness);
    cosine.gradient(out, x, slope * share, y);
    let (sum, weighted) = affine.split_at_mut(p);
    for c in 0..p {
        y[c] *= factors[c];
        sum[c] += y[c];
        weighted[c] += y[c] * hat[c];
    }
    loss
}
