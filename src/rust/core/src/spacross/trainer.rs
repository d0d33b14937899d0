//! The training schedule of SpaCross, one epoch at a time.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use ndarray::Array2;

use super::consistency::{consistency, Pairs as Compared};
use super::contrast::{all_pairs, per_node, Nodes};
use super::hybrid::{
    cluster_labels, normalise_rows, select_pairs, select_pairs_across, summary_operator, Pairs,
    Reach,
};
use super::imputation::imputation;
use super::input::Input;
use super::mask::Draws;
use super::model::{Decoder, Encoder, EpochDropout, Forward, Model};
use super::params::{Contrast, ValidParams};
use super::reconstruction::{reconstruction, Target};
use super::weights::in_callers_order;
use crate::graph::Graph;
use crate::nn::adam::Adam;
use crate::nn::linear::Design;
use crate::nn::propagate::Operator;
use crate::nn::view::to_vec;
use crate::slices::Slices;
use crate::tensors::Tensors;
use crate::{threads, Error, Result};

/// The losses of one epoch, before their weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochLosses {
    /// From 1.
    pub epoch: usize,
    /// The weighted sum that was minimised.
    pub total: f32,
    pub reconstruction: f32,
    pub consistency: f32,
    /// None before the hybrid graph exists.
    pub contrast: Option<f32>,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f64,
}

/// A model in training. Stepped from outside, so that whoever holds it can stop, show progress or
/// give up between two epochs.
pub struct Trainer {
    pub(super) model: Model,
    input: Arc<Input>,
    /// The spatial graph, in the order of `order`.
    spatial: Graph,
    propagation: Operator,
    /// The slice of every node.
    slices: Slices,
    /// Takes embeddings to summaries, once the hybrid graph exists.
    summaries: Option<Operator>,
    optimiser: Adam,
    params: ValidParams,
    /// Node i of the training is cell `order[i]` of the caller.
    order: Vec<u32>,
    seed: u64,
    threads: usize,
    epoch: usize,
}

impl Trainer {
    /// `input` and `graph` in the caller's order of cells; training runs in `order` (along a
    /// space-filling curve, so that neighbours lie close in memory), results come back in the
    /// caller's.
    ///
    /// # Errors
    /// Parts that do not fit each other; a device that is not there.
    pub fn new(
        input: Input,
        graph: &Graph,
        order: Vec<u32>,
        params: ValidParams,
        seed: u64,
        threads: usize,
        device: &Device,
    ) -> Result<Self> {
        let n = input.n_rows();
        if graph.n_nodes() != n || !is_permutation(&order, n) {
            return Err(Error::Internal(
                "input, graph and order of another length".into(),
            ));
        }
        threads::install(threads, || {
            let spatial = graph.permuted(&order)?;
            let propagation = match spatial.is_symmetric() {
                true => Operator::symmetric(spatial.normalised()),
                false => Operator::new(spatial.normalised()),
            };
            let model = Model::new(input.n_columns(), &params.params, seed, device)?;
            let p = &params.params;
            let optimiser = Adam::new(
                model.parameters(),
                p.learning_rate,
                p.weight_decay,
                p.clip_norm,
            );
            Ok(Self {
                model,
                input: Arc::new(input.permuted(&order)),
                spatial,
                propagation,
                slices: Slices::one(n),
                summaries: None,
                optimiser,
                params,
                order,
                seed,
                threads,
                epoch: 0,
            })
        })
    }

    /// The same training over several slices, given in the caller's order of cells: the hybrid graph
    /// then looks within each slice and across.
    ///
    /// # Errors
    /// Slices of another number of cells.
    pub fn with_slices(mut self, slices: &Slices) -> Result<Self> {
        if slices.n_cells() != self.order.len() {
            return Err(Error::Internal("slices of other cells".into()));
        }
        self.slices = slices.permuted(&self.order);
        Ok(self)
    }

    /// Trains one epoch.
    ///
    /// # Errors
    /// [`Error::Numeric`] when a loss is no longer finite.
    pub fn step(&mut self) -> Result<EpochLosses> {
        threads::install(self.threads, || {
            let p = &self.params.params;
            let due = self.epoch > 0 && self.epoch.is_multiple_of(p.update_every);
            if due && p.contrast != Contrast::Off {
                self.rebuild_hybrid()?;
            }
            let p = &self.params.params;
            let (n, epoch) = (self.order.len(), self.epoch as u32);
            let draws = Draws::new(n, p.mask_rate, p.replace_rate, self.seed, epoch);
            let dropout = EpochDropout::new(p.dropout, self.seed, epoch);
            let (_, losses) = self.step_with(&draws, dropout)?;
            Ok(losses)
        })
    }

    /// One epoch with given draws.
    pub(super) fn step_with(
        &mut self,
        draws: &Draws,
        dropout: EpochDropout,
    ) -> Result<(Forward, EpochLosses)> {
        let (forward, total, mut losses) = self.losses_with(draws, dropout)?;
        if !losses.total.is_finite() {
            return Err(Error::numeric(format!(
                "the loss is no longer a finite number in epoch {}. Lower `learning_rate`, or look \
                 for cells with extreme values in the input",
                losses.epoch
            )));
        }
        losses.gradient_norm = self.optimiser.step(&total.backward()?)?;
        self.model.follow_target()?;
        self.epoch += 1;
        Ok((forward, losses))
    }

    /// The forward pass: the weighted sum of the losses, and each of them.
    pub(super) fn losses_with(
        &mut self,
        draws: &Draws,
        dropout: EpochDropout,
    ) -> Result<(Forward, Tensor, EpochLosses)> {
        let forward = self
            .model
            .forward(&self.input, &self.propagation, draws, dropout)?;
        let reconstruction = self.reconstruction(&forward.projected, draws, dropout)?;
        let pairs = Compared {
            masked: &draws.masked,
            online: &draws.consistency[0],
            target: &draws.consistency[1],
        };
        let sharpness = self.params.params.sharpness as f32;
        let consistent = consistency(&forward.projected, &forward.target, &pairs, sharpness)?;
        let contrast = self.contrast(&forward.online, draws)?;
        let p = &self.params.params;
        let mut total = ((&reconstruction * p.w_recon)? + (&consistent * p.w_consistency)?)?;
        if let Some(contrast) = &contrast {
            total = (total + (contrast * p.w_contrast)?)?;
        }
        let scalar = |t: &Tensor| t.to_scalar::<f32>();
        let losses = EpochLosses {
            epoch: self.epoch + 1,
            total: scalar(&total)?,
            reconstruction: scalar(&reconstruction)?,
            consistency: scalar(&consistent)?,
            contrast: contrast.as_ref().map(scalar).transpose()?,
            gradient_norm: 0.0,
        };
        Ok((forward, total, losses))
    }

    fn reconstruction(
        &mut self,
        projected: &Tensor,
        draws: &Draws,
        dropout: EpochDropout,
    ) -> Result<Tensor> {
        let sharpness = self.params.params.sharpness as f32;
        match (&self.model.decoder, self.input.as_dense()) {
            (Decoder::Graph(block), Some(x)) => {
                let target = Target {
                    x,
                    p: self.input.n_columns(),
                    masked: &draws.masked,
                    sharpness,
                    epsilon: block.norm.epsilon,
                    dropout: dropout.decoder(),
                };
                let h = self.propagation.apply(projected)?;
                let (loss, moments) =
                    reconstruction(&h, &block.weight, &block.norm.affine, &target)?;
                self.model.follow_decoder(&moments, self.order.len());
                Ok(loss)
            }
            (Decoder::Linear { weight, bias }, _) => Ok(imputation(
                projected,
                weight,
                bias,
                &self.input,
                &draws.masked,
                sharpness,
            )?),
            (Decoder::Graph(_), None) => Err(Error::Internal(
                "the graph decoder takes dense input".into(),
            )),
        }
    }

    fn contrast(&self, online: &Tensor, draws: &Draws) -> Result<Option<Tensor>> {
        let Some(summaries) = &self.summaries else {
            return Ok(None);
        };
        let mean = summaries.apply(online)?;
        let nodes = Nodes {
            masked: &draws.masked,
            negative: &draws.negative,
        };
        let bilinear = &self.model.bilinear;
        Ok(match self.params.params.contrast {
            Contrast::Off => None,
            Contrast::Node => Some(per_node(online, &mean, bilinear, &nodes)?),
            Contrast::AllPairs => Some(all_pairs(online, &mean, bilinear, &nodes)?),
        })
    }

    fn rebuild_hybrid(&mut self) -> Result<()> {
        let online = self.unit_embedding(&self.model.online)?;
        let pairs = if self.slices.n_slices() > 1 {
            self.pairs_across(online)?
        } else {
            self.pairs_within(online)?
        };
        self.set_pairs(&pairs)
    }

    fn pairs_within(&self, online: Array2<f32>) -> Result<Pairs> {
        let target = self.unit_embedding(&self.model.target)?;
        let clusters = self.clusters(&target)?;
        select_pairs(
            online.view(),
            target.view(),
            self.params.params.top_k,
            &self.spatial,
            clusters.as_deref(),
            self.seed,
        )
    }

    fn pairs_across(&self, online: Array2<f32>) -> Result<Pairs> {
        let clusters = self.clusters(&online)?;
        let reach = Reach {
            within: self.params.params.top_k,
            across: self.params.params.top_k_inter,
        };
        let (slices, clusters) = (&self.slices, clusters.as_deref());
        select_pairs_across(
            online.view(),
            slices,
            reach,
            &self.spatial,
            clusters,
            self.seed,
        )
    }

    /// What the cluster test looks at, if it is applied.
    fn clusters(&self, embedding: &Array2<f32>) -> Result<Option<Vec<Vec<u32>>>> {
        let p = &self.params.params;
        let round = (self.epoch / p.update_every) as u32;
        let labels = || cluster_labels(embedding.view(), &self.params, self.seed, round);
        p.cluster_test.then(labels).transpose()
    }

    /// The evaluation-mode embedding, rows of length 1, in the order of the nodes.
    fn unit_embedding(&self, encoder: &Encoder) -> Result<Array2<f32>> {
        let (n, width) = (self.order.len(), self.params.params.latent);
        let mut values = to_vec(&encoder.embed(&self.input, &self.propagation)?)?;
        normalise_rows(&mut values, width);
        Array2::from_shape_vec((n, width), values).map_err(|e| Error::Internal(e.to_string()))
    }

    pub(super) fn set_pairs(&mut self, pairs: &Pairs) -> Result<()> {
        let matrix = summary_operator(pairs, self.order.len())?;
        self.summaries = Some(Operator::new(matrix));
        Ok(())
    }

    /// f(x) in evaluation mode: N x latent, in the caller's order of cells.
    pub fn embedding(&self) -> Result<Array2<f32>> {
        threads::install(self.threads, || {
            let z = self.model.online.embed(&self.input, &self.propagation)?;
            in_callers_order(&z, &self.order)
        })
    }

    /// The reconstruction in evaluation mode, negatives set to 0: N x p, in the caller's order.
    pub fn reconstruct(&self) -> Result<Array2<f32>> {
        threads::install(self.threads, || {
            let z = self.model.online.embed(&self.input, &self.propagation)?;
            let x = self.model.reconstruct(&z, &self.propagation)?;
            Ok(in_callers_order(&x, &self.order)?.mapv_into(|v| v.max(0.0)))
        })
    }

    /// The trained encoder as named arrays.
    pub fn weights(&self) -> Result<Tensors> {
        self.model.online.tensors()
    }
}

fn is_permutation(order: &[u32], n: usize) -> bool {
    let mut seen = vec![false; n];
    order.len() == n
        && order
            .iter()
            .all(|&i| (i as usize) < n && !std::mem::replace(&mut seen[i as usize], true))
}
