//! What every embedding keeps on the way through the other modalities (METHODS 4.3).

use rayon::prelude::*;

use super::attention::NODES;
use super::columns::ColumnRange;
use crate::dense::{gram, multiply, sum_parts, View};
use crate::simd::dot;

/// The terms and the gradients of the `d x d` products.
pub struct CrossTerms {
    /// mean (Z_m - T_m C_o)^2, mean over the others o: one a modality.
    pub losses: Vec<f32>,
    /// One a modality, that of C_o.
    pub dc: Vec<Vec<f32>>,
}

/// Z_m against T_m C_o with T_m = A A Z_m and C_o = V_o W_o, for every pair of modalities.
pub struct Consistency<'a> {
    /// C_o, d x d each.
    pub through: &'a [Vec<f32>],
    /// Of the terms in the loss.
    pub weights: &'a [f64],
    pub d: usize,
    pub n: usize,
}

/// Sums of one task.
struct Part {
    squares: Vec<f64>,
    dc: Vec<Vec<f32>>,
}

impl Consistency<'_> {
    /// `z` and `t` hold the modalities side by side (N x M d). `dz` receives the gradient of Z where T is held; `t` is
    /// overwritten with its own.
    pub fn run(&self, z: &[f32], t: &mut [f32], dz: &mut [f32]) -> CrossTerms {
        let wide = self.through.len() * self.d;
        let parts: Vec<Part> = t
            .par_chunks_mut(NODES * wide)
            .zip(dz.par_chunks_mut(NODES * wide))
            .zip(z.par_chunks(NODES * wide))
            .map(|((t, dz), z)| self.task(z, t, dz))
            .collect();
        self.add_up(parts)
    }

    fn task(&self, z: &[f32], t: &mut [f32], dz: &mut [f32]) -> Part {
        let m = self.through.len();
        let mut part = Part {
            squares: vec![0.0; m],
            dc: vec![vec![0.0; self.d * self.d]; m],
        };
        for own in 0..m {
            self.of_modality(own, z, t, dz, &mut part);
        }
        part
    }

    fn of_modality(&self, own: usize, z: &[f32], t: &mut [f32], dz: &mut [f32], part: &mut Part) {
        let (m, d) = (self.through.len(), self.d);
        let at = ColumnRange::nth(own, m, d);
        let own_t = View::block(t, at.stride, at.first, d);
        let rows = t.len() / at.stride;
        let (mut sum, mut dt) = (vec![0f32; rows * d], vec![0f32; rows * d]);
        for other in (0..m).filter(|&other| other != own) {
            let c = View::new(&self.through[other], d, d);
            let mut gap = at.read(z);
            multiply(own_t, c, &mut gap, 1.0, -1.0);
            part.squares[own] += squares(&gap);
            let factor = self.slope(own);
            let pairs = sum.iter_mut().zip(&mut gap);
            pairs.for_each(|(sum, gap)| {
                *gap *= factor;
                *sum += *gap;
            });
            let gap = View::new(&gap, rows, d);
            multiply(own_t.t(), gap, &mut part.dc[other], 1.0, -1.0);
            multiply(gap, c.t(), &mut dt, 1.0, -1.0);
        }
        at.write(&sum, dz);
        at.write(&dt, t);
    }

    /// Of the loss by a residual, over that residual.
    fn slope(&self, own: usize) -> f32 {
        (2.0 * self.weights[own] * self.share()) as f32
    }

    /// What one squared residual counts in its term.
    fn share(&self) -> f64 {
        1.0 / (self.n * self.d * (self.through.len() - 1)) as f64
    }

    fn add_up(&self, parts: Vec<Part>) -> CrossTerms {
        let m = self.through.len();
        let total = |own: usize| parts.iter().map(|p| p.squares[own]).sum::<f64>();
        let losses = (0..m).map(|own| (total(own) * self.share()) as f32);
        let losses = losses.collect();
        let mut dc: Vec<Vec<Vec<f32>>> = vec![vec![]; m];
        for part in parts {
            dc.iter_mut()
                .zip(part.dc)
                .for_each(|(all, dc)| all.push(dc));
        }
        let dc = dc.into_iter().map(|all| sum_parts(all, self.d * self.d));
        CrossTerms {
            losses,
            dc: dc.collect(),
        }
    }
}

/// In lanes, so that it vectorises.
fn squares(x: &[f32]) -> f64 {
    let rows = x.chunks(64);
    rows.map(|row| f64::from(dot(row, row))).sum()
}

/// C = V W and its way back: `v` and `w` are p x d.
pub fn through(v: &[f32], w: &[f32], d: usize) -> Vec<f32> {
    gram(v, w, d, d)
}

/// Adds the gradients of V' and W (p x d) from that of C.
pub fn back_through(dc: &[f32], [v, w]: [&[f32]; 2], [dv, dw]: [&mut [f32]; 2], d: usize) {
    let (rows, dc) = (v.len() / d, View::new(dc, d, d));
    multiply(View::new(w, rows, d), dc.t(), dv, 1.0, 1.0);
    multiply(View::new(v, rows, d), dc, dw, 1.0, 1.0);
}
