//! Attention in arrays that last over the epochs, and that the gradients take over.

use rayon::prelude::*;

use super::columns::ColumnRange;
use crate::dense::{multiply, product, sum_parts, View};
use crate::nn::attention::{add_weighted, inwards, weigh};

/// Nodes of one task: what a task touches stays in a processor's own cache.
pub const NODES: usize = 256;

/// W (q x d) and u (d).
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    pub w: &'a [f32],
    pub u: &'a [f32],
}

impl<'a> Parameters<'a> {
    pub fn of([w, u]: &'a [Vec<f32>; 2]) -> Self {
        Self { w, u }
    }
}

/// Attention over `m` embeddings (q columns) of N nodes.
pub struct Attended {
    /// The embeddings side by side, N x m q.
    pub embeddings: Vec<f32>,
    /// tanh(e W), N x m d.
    hidden: Vec<f32>,
    /// N x m.
    pub weights: Vec<f32>,
    m: usize,
}

/// The part of one task.
struct Task<'a> {
    embeddings: &'a mut [f32],
    hidden: &'a [f32],
    weights: &'a [f32],
    /// Of the means.
    grad: Vec<f32>,
}

impl Attended {
    pub fn new(embeddings: Vec<f32>, n: usize, m: usize, d: usize) -> Self {
        Self {
            embeddings,
            hidden: vec![0.0; n * m * d],
            weights: vec![0.0; n * m],
            m,
        }
    }

    /// Columns of one embedding.
    fn width(&self) -> usize {
        self.embeddings.len() / self.weights.len()
    }

    /// Writes the weighted means to columns of `out`.
    pub fn forward(&mut self, p: Parameters, out: &mut [f32], at: ColumnRange) {
        let (m, d, q) = (self.m, p.u.len(), self.width());
        out.par_chunks_mut(NODES * at.stride)
            .zip(self.embeddings.par_chunks(NODES * m * q))
            .zip(self.hidden.par_chunks_mut(NODES * m * d))
            .zip(self.weights.par_chunks_mut(NODES * m))
            .for_each(|(((out, e), hidden), weights)| {
                product(View::new(e, e.len() / q, q), View::new(p.w, q, d), hidden);
                let mut mean = vec![0f32; e.len() / m];
                weigh(e, p.u, hidden, weights, &mut mean);
                at.write(&mean, out);
            });
    }

    /// Takes the gradient of the means, columns of `grad`, to those of W and of u.
    pub fn backward(&mut self, p: Parameters, grad: &[f32], at: ColumnRange) -> [Vec<f32>; 2] {
        self.tasks(p, grad, at, |_, task| {
            let (_, gradients) = task.parameters(p);
            gradients
        })
    }

    /// The same; the embeddings' own gradients, with `more` (N x m q) added, take their place.
    pub fn backward_through(
        &mut self,
        p: Parameters,
        grad: &[f32],
        at: ColumnRange,
        more: Option<&[f32]>,
    ) -> [Vec<f32>; 2] {
        let length = NODES * self.m * self.width();
        self.tasks(p, grad, at, |number, task| {
            let (inner, gradients) = task.parameters(p);
            let more = more.map(|more| &more[number * length..][..task.embeddings.len()]);
            task.embeddings_become_gradients(p, &inner, more);
            gradients
        })
    }

    /// Adds up what `work` finds.
    fn tasks(
        &mut self,
        p: Parameters,
        grad: &[f32],
        at: ColumnRange,
        work: impl Fn(usize, &mut Task) -> [Vec<f32>; 2] + Sync,
    ) -> [Vec<f32>; 2] {
        let (m, d, q) = (self.m, p.u.len(), self.width());
        let parts: Vec<_> = self
            .embeddings
            .par_chunks_mut(NODES * m * q)
            .zip(self.hidden.par_chunks(NODES * m * d))
            .zip(self.weights.par_chunks(NODES * m))
            .zip(grad.par_chunks(NODES * at.stride))
            .enumerate()
            .map(|(number, (((embeddings, hidden), weights), grad))| {
                let grad = at.read(grad);
                let mut task = Task {
                    embeddings,
                    hidden,
                    weights,
                    grad,
                };
                work(number, &mut task)
            })
            .collect();
        let (dw, du) = parts.into_iter().map(|[dw, du]| (dw, du)).unzip();
        [sum_parts(dw, q * d), sum_parts(du, d)]
    }
}

impl Task<'_> {
    /// The gradients of e W, and of W and u.
    fn parameters(&self, p: Parameters) -> (Vec<f32>, [Vec<f32>; 2]) {
        let (d, rows) = (p.u.len(), self.weights.len());
        let (mut inner, mut du) = (vec![0f32; rows * d], vec![0f32; d]);
        inwards(
            self.hidden,
            self.weights,
            self.embeddings,
            &self.grad,
            p.u,
            &mut inner,
            &mut du,
        );
        let q = self.embeddings.len() / rows;
        let mut dw = vec![0f32; q * d];
        let embeddings = View::new(self.embeddings, rows, q);
        product(embeddings.t(), View::new(&inner, rows, d), &mut dw);
        (inner, [dw, du])
    }

    fn embeddings_become_gradients(&mut self, p: Parameters, inner: &[f32], more: Option<&[f32]>) {
        let (d, rows) = (p.u.len(), self.weights.len());
        if let Some(more) = more {
            self.embeddings.copy_from_slice(more);
        }
        let q = self.embeddings.len() / rows;
        let (inner, w) = (View::new(inner, rows, d), View::new(p.w, q, d));
        let keep = f32::from(u8::from(more.is_some()));
        multiply(inner, w.t(), self.embeddings, keep, 1.0);
        add_weighted(self.weights, &self.grad, self.embeddings, q);
    }
}
