//! Attention in arrays that last over the epochs, and that the gradients take over.

use rayon::prelude::*;

use super::block::Block;
use crate::nn::attention::{add_weighted, inwards, weigh};
use crate::nn::matmul::{multiply, product, sum_parts, View};

/// Nodes of one task: what a task touches stays in a processor's own cache.
const NODES: usize = 256;

/// W (d x d) and u (d).
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    pub w: &'a [f32],
    pub u: &'a [f32],
}

/// Attention over `m` embeddings of N nodes.
pub struct Attended {
    /// The embeddings side by side, N x m d; after [`Attended::backward`] their gradients.
    pub embeddings: Vec<f32>,
    /// tanh(e W).
    hidden: Vec<f32>,
    /// N x m.
    pub weights: Vec<f32>,
    m: usize,
}

impl Attended {
    pub fn new(n: usize, m: usize, d: usize) -> Self {
        Self {
            embeddings: vec![0.0; n * m * d],
            hidden: vec![0.0; n * m * d],
            weights: vec![0.0; n * m],
            m,
        }
    }

    /// Writes the weighted means to columns of `out`.
    pub fn forward(&mut self, p: Parameters, out: &mut [f32], at: Block) {
        let (m, d) = (self.m, p.u.len());
        out.par_chunks_mut(NODES * at.stride)
            .zip(self.embeddings.par_chunks(NODES * m * d))
            .zip(self.hidden.par_chunks_mut(NODES * m * d))
            .zip(self.weights.par_chunks_mut(NODES * m))
            .for_each(|(((out, e), hidden), weights)| {
                product(View::new(e, e.len() / d, d), View::new(p.w, d, d), hidden);
                let mut mean = vec![0f32; e.len() / m];
                weigh(e, p.u, hidden, weights, &mut mean);
                at.write(&mean, out);
            });
    }

    /// Takes the gradient of the means, columns of `grad`, to those of the embeddings (with `more`, N x m d, added), of W
    /// and of u.
    pub fn backward(
        &mut self,
        p: Parameters,
        grad: &[f32],
        at: Block,
        more: Option<&[f32]>,
    ) -> [Vec<f32>; 2] {
        let (m, d) = (self.m, p.u.len());
        let (dw, du) = self
            .embeddings
            .par_chunks_mut(NODES * m * d)
            .zip(self.hidden.par_chunks(NODES * m * d))
            .zip(self.weights.par_chunks(NODES * m))
            .zip(grad.par_chunks(NODES * at.stride))
            .enumerate()
            .map(|(task, (((e, hidden), weights), grad))| {
                let grad = at.read(grad);
                let (mut inner, mut du) = (vec![0f32; e.len()], vec![0f32; d]);
                inwards(hidden, weights, e, &grad, p.u, &mut inner, &mut du);
                let rows = View::new(&inner, e.len() / d, d);
                let mut dw = vec![0f32; d * d];
                product(View::new(e, e.len() / d, d).t(), rows, &mut dw);
                if let Some(more) = more {
                    e.copy_from_slice(&more[task * NODES * m * d..][..e.len()]);
                }
                let keep = f32::from(u8::from(more.is_some()));
                multiply(rows, View::new(p.w, d, d).t(), e, keep, 1.0);
                add_weighted(weights, &grad, e, d);
                (dw, du)
            })
            .unzip();
        [sum_parts(dw, d * d), sum_parts(du, d)]
    }
}
