//! On the CPU.

use candle_core::Result;

use crate::dense::gram;
use crate::design::Input;
use crate::nn::scalar::given;
use crate::nn::tape::Traced;
use crate::nn::view::with_slices;
use crate::systems::spacross::rows::{add_rows, apart, row, sum_terms};

const SHORTEST: f32 = 1e-12;

pub fn imputation(
    inputs: [&Traced; 3],
    input: &Input,
    masked: &[u32],
    sharpness: f32,
) -> Result<Traced> {
    let [_, weight, _] = inputs.map(Traced::value);
    let (genes, d) = weight.dims2()?;
    let (value, gradients) = with_slices(inputs.map(Traced::value), |[z, v, b]| {
        let decoder = LinearDecoder::new(v, b, genes, d);
        Ok(decoder.loss(z, input, masked, sharpness))
    })?;
    given(inputs, value, gradients)
}

struct LinearDecoder<'a> {
    v: &'a [f32],
    b: &'a [f32],
    genes: usize,
    d: usize,
    /// V and b as d + 1 rows of length genes.
    stacked: Vec<f32>,
    /// [V b]' [V b], (d + 1) x (d + 1).
    gram: Vec<f32>,
}

impl<'a> LinearDecoder<'a> {
    fn new(v: &'a [f32], b: &'a [f32], genes: usize, d: usize) -> Self {
        let side: Vec<f32> = v
            .chunks_exact(d)
            .zip(b)
            .flat_map(|(v, b)| v.iter().chain(std::iter::once(b)))
            .copied()
            .collect();
        let mut stacked = vec![0f32; (d + 1) * genes];
        for (e, &value) in side.iter().enumerate() {
            stacked[e % (d + 1) * genes + e / (d + 1)] = value;
        }
        Self {
            gram: gram(&side, &side, d + 1, d + 1),
            v,
            b,
            genes,
            d,
            stacked,
        }
    }

    /// Loss, and gradients of z, V and b.
    fn loss(
        &self,
        z: &[f32],
        input: &Input,
        masked: &[u32],
        sharpness: f32,
    ) -> (f32, [Vec<f32>; 3]) {
        let (d, wide) = (self.d, self.d + 1);
        let products = input.times_transposed(&self.stacked, wide);
        let share = 1.0 / masked.len().max(1) as f32;
        // A row of gradients: dz (d), the inner product's and the squared length's slopes.
        let (loss, terms) = sum_terms(masked.len(), d + 2, |m, out| {
            let node = masked[m];
            let (z, xv) = (row(z, node, d), row(&products, node, wide));
            self.row_loss(z, xv, input.norm(node), sharpness, share, out)
        });
        let mut dz = vec![0f32; z.len()];
        let by_z: Vec<f32> = terms
            .chunks_exact(d + 2)
            .flat_map(|t| &t[..d])
            .copied()
            .collect();
        add_rows(&mut dz, masked, &by_z, d);
        let (dv, db) = self.decoder_gradients(z, input, masked, &terms);
        ((loss * f64::from(share)) as f32, [dz, dv, db])
    }

    #[inline(always)]
    fn row_loss(
        &self,
        z: &[f32],
        xv: &[f32],
        norm: f32,
        sharpness: f32,
        share: f32,
        out: &mut [f32],
    ) -> f32 {
        let (d, wide) = (self.d, self.d + 1);
        let mut length2 = self.gram[wide * wide - 1];
        let mut inner = xv[d];
        // G z + V'b
        for a in 0..d {
            let g = &self.gram[a * wide..][..wide];
            let gz: f32 = g[..d].iter().zip(z).map(|(g, z)| g * z).sum();
            out[a] = gz + g[d];
            length2 += z[a] * (gz + 2.0 * g[d]);
            inner += z[a] * xv[a];
        }
        let length = length2.max(0.0).sqrt().max(SHORTEST);
        let norm = norm.max(SHORTEST);
        let cosine = (inner / (length * norm)).clamp(-1.0, 1.0);
        let (loss, slope) = apart(cosine, sharpness);
        let d_inner = slope * share / (length * norm);
        let d_length2 = -0.5 * slope * share * cosine / (length * length);
        for a in 0..d {
            out[a] = d_inner * xv[a] + 2.0 * d_length2 * out[a];
        }
        out[d] = d_inner;
        out[d + 1] = d_length2;
        loss
    }

    /// dV = sum d_inner x z' + 2 d_length2 (V z + b) z', db the same without z.
    fn decoder_gradients(
        &self,
        z: &[f32],
        input: &Input,
        masked: &[u32],
        terms: &[f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let (d, wide) = (self.d, self.d + 1);
        let n = z.len() / d;
        let mut inner = vec![0f32; n * wide];
        let mut lengths = vec![0f64; wide * wide];
        for (&node, term) in masked.iter().zip(terms.chunks_exact(d + 2)) {
            let z = row(z, node, d);
            let with_one = |a: usize| if a < d { z[a] } else { 1.0 };
            for a in 0..wide {
                inner[node as usize * wide + a] = term[d] * with_one(a);
                let left = 2.0 * f64::from(term[d + 1]) * f64::from(with_one(a));
                for b in 0..wide {
                    lengths[a * wide + b] += left * f64::from(with_one(b));
                }
            }
        }
        let by_inner = input.gram(&inner, wide);
        let lengths: Vec<f32> = lengths.into_iter().map(|l| l as f32).collect();
        let entry = |gene: usize, a: usize| {
            let v = &self.v[gene * d..][..d];
            let from_length: f32 = v.iter().zip(&lengths[a * wide..]).map(|(v, l)| v * l).sum();
            by_inner[a * self.genes + gene] + from_length + self.b[gene] * lengths[a * wide + d]
        };
        let dv = (0..self.genes * d).map(|e| entry(e / d, e % d)).collect();
        let db = (0..self.genes).map(|gene| entry(gene, d)).collect();
        (dv, db)
    }
}
