//! An epoch of SpaLORA on the CPU: losses and gradients in one pass, written out by hand.
//!
//! The same numbers as the model with candle's tape, for a third of the time: the arrays of N rows last over the epochs
//! and are overwritten by their gradients, and what the modalities share is computed once.

mod attention;
mod columns;
mod consistency;
mod narrow;
mod reconstruction;
#[cfg(test)]
mod tests;
mod within;

use candle_core::{Result, Var};

use self::attention::{Attended, Parameters};
use self::columns::ColumnRange;
use self::consistency::{back_through, through, Consistency};
use self::reconstruction::{reconstructions, Term};
use self::within::{Surroundings, Within};
use super::{EpochLosses, Progress, Task};
use crate::dense::transposed;
use crate::nn::propagate::Operator;
use crate::nn::view::to_vec;
use crate::sparse::{self, BlockMut};
use crate::systems::spalora::embedding::Arrays;
use crate::systems::spalora::model::{self, Coder, ModalityData, Model};

/// The parameters of one modality.
pub struct Weights {
    /// W, p x d.
    encoder: Vec<f32>,
    /// V', p x d.
    decoder: Vec<f32>,
    attention: [Vec<f32>; 2],
}

/// Gradients of W (p x d), and of the attention's W_a and u.
pub struct Gradients {
    encoder: Vec<f32>,
    attention: [Vec<f32>; 2],
}

/// All parameters.
struct Values {
    coders: Vec<Weights>,
    across: [Vec<f32>; 2],
}

/// The losses of one pass and their gradients.
pub struct Pass {
    pub total: f32,
    /// One a modality.
    pub reconstruction: Vec<f32>,
    /// One a modality.
    pub cross: Vec<f32>,
    /// In the order in which the parameters are made, and of their shapes.
    pub gradients: Vec<Vec<f32>>,
}

/// The arrays of an epoch.
pub struct Epoch {
    d: usize,
    /// Over the graphs, one a modality.
    within: Vec<Within>,
    /// Over the modalities: their embeddings lie side by side.
    across: Attended,
    /// Z, and on the way back its gradient.
    joint: Vec<f32>,
    /// A Z.
    spread: Vec<f32>,
    /// N x d, for what is used at once.
    plane: Vec<f32>,
    /// A and A A times the modalities' embeddings; gradients later.
    once: Vec<f32>,
    twice: Vec<f32>,
}

impl Values {
    fn of(model: &Model) -> Result<Self> {
        let attention =
            |a: &model::Attention| -> Result<[Vec<f32>; 2]> { Ok([to_vec(&a.w)?, to_vec(&a.u)?]) };
        let tall = |w: &Var| -> Result<Vec<f32>> { Ok(transposed(&to_vec(w)?, w.dim(1)?)) };
        let weights = |c: &Coder| -> Result<Weights> {
            Ok(Weights {
                encoder: tall(&c.encoder)?,
                decoder: tall(&c.decoder)?,
                attention: attention(&c.attention)?,
            })
        };
        Ok(Self {
            coders: model.coders.iter().map(weights).collect::<Result<_>>()?,
            across: attention(&model.attention)?,
        })
    }
}

fn weighted(terms: &[f32], weights: &[f64]) -> f32 {
    let pairs = terms.iter().zip(weights);
    pairs.map(|(&t, w)| f64::from(t) * w).sum::<f64>() as f32
}

/// `out = A x` for columns of matrices.
fn propagate(
    a: &sparse::Csr,
    x: &[f32],
    from: ColumnRange,
    out: &mut [f32],
    to: ColumnRange,
    add: bool,
) {
    let x = sparse::Block::new(x, from.stride, from.first, from.width);
    a.multiply_into(x, BlockMut::new(out, to.stride, to.first, to.width), add);
}

impl Epoch {
    pub fn new(sources: &[ModalityData], spatial: &Operator, d: usize) -> Self {
        let (n, m) = (spatial.matrix().n_rows(), sources.len());
        let plane = || vec![0f32; n * d];
        let wide = || vec![0f32; n * m * d];
        let within = sources.iter().map(|s| Within::new(s, spatial, d));
        Self {
            d,
            within: within.collect(),
            across: Attended::new(wide(), n, m, d),
            joint: plane(),
            spread: plane(),
            plane: plane(),
            once: wide(),
            twice: wide(),
        }
    }

    /// Trains `n` epochs; their losses are looked at before each step.
    pub fn train(
        &mut self,
        task: Task,
        progress: Progress,
        n: usize,
    ) -> crate::Result<Vec<EpochLosses>> {
        let mut all = Vec::with_capacity(n);
        for _ in 0..n {
            let found = self.pass(task)?;
            let losses = EpochLosses {
                epoch: *progress.epoch + 1,
                total: found.total,
                reconstruction: found.reconstruction,
                cross: found.cross,
            };
            all.push(losses.finite()?);
            progress.optimiser.step_with(found.gradients)?;
            *progress.epoch += 1;
        }
        Ok(all)
    }

    /// The embeddings of all modalities and the joint one, and the attention.
    pub fn embed(&mut self, task: Task) -> crate::Result<Arrays> {
        self.forward(&Values::of(task.model)?, task.sources, task.spatial);
        Ok(Arrays {
            joint: self.joint.clone(),
            modality: (0..self.within.len()).map(|m| self.modality(m)).collect(),
            across: self.across.weights.clone(),
            within: self.within.iter().map(|w| w.weights().to_vec()).collect(),
        })
    }

    /// The embedding of one modality, N x d.
    fn modality(&self, m: usize) -> Vec<f32> {
        ColumnRange::nth(m, self.within.len(), self.d).read(&self.across.embeddings)
    }

    /// Losses and gradients.
    pub fn pass(&mut self, task: Task) -> Result<Pass> {
        let Task {
            model,
            sources,
            spatial,
            params,
        } = task;
        let values = Values::of(model)?;
        self.forward(&values, sources, spatial);
        let terms = self.reconstructions(&values, sources, spatial, &params.w_recon);
        let cross = self.consistency(&values, spatial, &params.w_cross);
        let whole = ColumnRange::whole(self.d);
        let across = Parameters::of(&values.across);
        let across = self
            .across
            .backward_through(across, &self.joint, whole, Some(&self.once));
        let reconstruction: Vec<f32> = terms.iter().map(|t| t.loss).collect();
        let decoders = terms.into_iter().map(|t| t.dv).collect();
        let mut gradients = self.backward(&values, sources, spatial, decoders, &cross.dc);
        gradients.extend(across);
        Ok(Pass {
            total: weighted(&reconstruction, &params.w_recon)
                + weighted(&cross.losses, &params.w_cross),
            reconstruction,
            cross: cross.losses,
            gradients,
        })
    }

    /// Gradients of the modalities' parameters: from that of their embeddings, those of V' by the reconstruction and
    /// those of C = V W.
    fn backward(
        &mut self,
        values: &Values,
        sources: &[ModalityData],
        spatial: &Operator,
        decoders: Vec<Vec<f32>>,
        dc: &[Vec<f32>],
    ) -> Vec<Vec<f32>> {
        let mut gradients = vec![];
        let parts = self.within.iter_mut().zip(&values.coders).zip(sources);
        for (m, (((within, weights), source), mut dv)) in parts.zip(decoders).enumerate() {
            let plane = &mut self.plane[..];
            let around = Surroundings {
                source,
                spatial,
                plane,
            };
            let at = ColumnRange::nth(m, sources.len(), self.d);
            let mut found = within.backward(weights, around, &self.across.embeddings, at);
            let both = [&weights.decoder[..], &weights.encoder];
            back_through(&dc[m], both, [&mut dv, &mut found.encoder], self.d);
            gradients.extend([&found.encoder, &dv].map(|g| transposed(g, self.d)));
            gradients.extend(found.attention);
        }
        gradients
    }

    /// The terms; leaves their gradient by the joint embedding in its place.
    fn reconstructions(
        &mut self,
        values: &Values,
        sources: &[ModalityData],
        spatial: &Operator,
        weights: &[f64],
    ) -> Vec<Term> {
        let whole = ColumnRange::whole(self.d);
        let (joint, plane, spread) = (&mut self.joint, &mut self.plane, &mut self.spread);
        propagate(spatial.matrix(), joint, whole, spread, whole, false);
        let decoders: Vec<&[f32]> = values.coders.iter().map(|c| &c.decoder[..]).collect();
        let terms = reconstructions(sources, &decoders, weights, spread, plane, self.d);
        propagate(spatial.transpose(), plane, whole, joint, whole, false);
        terms
    }

    fn forward(&mut self, values: &Values, sources: &[ModalityData], spatial: &Operator) {
        let parts = self.within.iter_mut().zip(&values.coders).zip(sources);
        for (m, ((within, weights), source)) in parts.enumerate() {
            let at = ColumnRange::nth(m, sources.len(), self.d);
            let plane = &mut self.plane[..];
            let around = Surroundings {
                source,
                spatial,
                plane,
            };
            within.forward(weights, around, &mut self.across.embeddings, at);
        }
        let whole = ColumnRange::whole(self.d);
        self.across
            .forward(Parameters::of(&values.across), &mut self.joint, whole);
    }

    /// The terms; leaves their gradient by the modalities' embeddings in `once`.
    fn consistency(
        &mut self,
        values: &Values,
        spatial: &Operator,
        weights: &[f64],
    ) -> consistency::CrossTerms {
        let d = self.d;
        let coders = values.coders.iter();
        let through: Vec<_> = coders.map(|c| through(&c.decoder, &c.encoder, d)).collect();
        let task = Consistency {
            through: &through,
            weights,
            d,
            n: self.joint.len() / d,
        };
        let (z, graph) = (&self.across.embeddings, spatial.matrix());
        let wide = ColumnRange::whole(d * through.len());
        propagate(graph, z, wide, &mut self.once, wide, false);
        propagate(graph, &self.once, wide, &mut self.twice, wide, false);
        let found = task.run(z, &mut self.twice, &mut self.once);
        for m in 0..through.len() {
            let (own, plane) = (ColumnRange::nth(m, through.len(), d), ColumnRange::whole(d));
            let back = spatial.transpose();
            propagate(back, &self.twice, own, &mut self.plane, plane, false);
            propagate(back, &self.plane, plane, &mut self.once, own, true);
        }
        found
    }
}
