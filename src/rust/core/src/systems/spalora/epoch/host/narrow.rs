//! Attention over two graphs of an input that is dense and has fewer columns than its embedding.
//!
//! As A (X W) = (A X) W, the input meets the graphs once and not in every epoch, and the attention runs over its few
//! columns, with W W_a in place of W_a.

use rayon::prelude::*;

use super::attention::{Attended, Parameters, NODES};
use super::columns::ColumnRange;
use super::{propagate, Gradients, Weights};
use crate::dense::{gram, multiply, product, sum_parts, View};
use crate::sparse::Csr;

pub struct Narrow {
    /// Over A X.
    pub attended: Attended,
    /// The mean of A X and, on the way back, its gradient, N x p.
    mean: Vec<f32>,
    p: usize,
}

impl Narrow {
    /// `x` is N x `p`.
    pub fn new(x: &[f32], p: usize, graphs: [&Csr; 2], d: usize) -> Self {
        let n = graphs[0].n_rows();
        let mut views = vec![0f32; 2 * n * p];
        for (j, graph) in graphs.into_iter().enumerate() {
            let (from, to) = (ColumnRange::whole(p), ColumnRange::nth(j, 2, p));
            propagate(graph, x, from, &mut views, to, false);
        }
        Self {
            attended: Attended::new(views, n, 2, d),
            mean: vec![0.0; n * p],
            p,
        }
    }

    /// Writes the embedding to columns of `out`.
    pub fn forward(&mut self, w: &Weights, out: &mut [f32], at: ColumnRange) {
        let (p, [_, u]) = (self.p, &w.attention);
        let joined = joined(w, p, at.width);
        let to = ColumnRange::whole(p);
        self.attended
            .forward(Parameters { w: &joined, u }, &mut self.mean, to);
        let encoder = View::new(&w.encoder, p, at.width);
        out.par_chunks_mut(NODES * at.stride)
            .zip(self.mean.par_chunks(NODES * p))
            .for_each(|(out, mean)| {
                let n = mean.len() / p;
                let mut z = vec![0f32; n * at.width];
                product(View::new(mean, n, p), encoder, &mut z);
                at.write(&z, out);
            });
    }

    /// From the gradient of the embedding, columns of `grad`. With M the mean and B = W W_a: dW = M'dZ + dB W_a' and
    /// dW_a = W'dB.
    pub fn backward(&mut self, w: &Weights, grad: &[f32], at: ColumnRange) -> Gradients {
        let (p, d, [w_a, u]) = (self.p, at.width, &w.attention);
        let mut encoder = self.outwards(&w.encoder, grad, at);
        let joined = joined(w, p, d);
        let from = ColumnRange::whole(p);
        let joined = Parameters { w: &joined, u };
        let [db, du] = self.attended.backward(joined, &self.mean, from);
        let (w_a, views) = (View::new(w_a, d, d), View::new(&db, p, d));
        multiply(views, w_a.t(), &mut encoder, 1.0, 1.0);
        Gradients {
            encoder,
            attention: [gram(&w.encoder, &db, d, d), du],
        }
    }

    /// M'dZ; the gradient dZ W' takes the place of M.
    fn outwards(&mut self, encoder: &[f32], grad: &[f32], at: ColumnRange) -> Vec<f32> {
        let (p, d) = (self.p, at.width);
        let parts = self
            .mean
            .par_chunks_mut(NODES * p)
            .zip(grad.par_chunks(NODES * at.stride))
            .map(|(mean, grad)| {
                let dz = View::block(grad, at.stride, at.first, d);
                let mut dw = vec![0f32; p * d];
                product(View::new(mean, mean.len() / p, p).t(), dz, &mut dw);
                product(dz, View::new(encoder, p, d).t(), mean);
                dw
            });
        sum_parts(parts.collect(), p * d)
    }
}

/// B = W W_a, p x d.
fn joined(w: &Weights, p: usize, d: usize) -> Vec<f32> {
    let mut joined = vec![0f32; p * d];
    let w_a = View::new(&w.attention[0], d, d);
    product(View::new(&w.encoder, p, d), w_a, &mut joined);
    joined
}
