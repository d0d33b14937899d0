//! The training schedule of SpaCross, one epoch at a time.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use ndarray::Array2;

use super::ahead::Ahead;
use super::consistency::{consistency, Pairs as Compared};
use super::contrast::{all_pairs, per_node, Nodes};
use super::hybrid::{
    cluster_labels, normalise_rows, select_pairs, select_pairs_across, summary_operator, Pairs,
    Reach,
};
use super::imputation::imputation;
use super::mask::{Draws, PlacedDraws};
use super::model::{Decoder, Encoder, EpochDropout, Forward, Model, TRAINED};
use super::on;
use super::params::{Contrast, ValidParams};
use super::reconstruction::{reconstruction, Target};
use super::weights::in_callers_order;
use crate::cluster::{kmeans, kmeans_on, KMeansSettings};
use crate::design::Input;
use crate::engine::checkpoint::{keep, restore};
use crate::engine::tensors::Tensors;
use crate::gpu::Kernels;
use crate::graph::Graph;
use crate::nn::adam::Adam;
use crate::nn::init::Drawn;
use crate::nn::linear::Design;
use crate::nn::parameters::{self, Parameters};
use crate::nn::propagate::Operator;
use crate::nn::view::to_host;
use crate::slices::Slices;
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

/// What a forward pass gives, still where it was computed.
pub(super) struct Computed {
    #[cfg(any(test, feature = "check"))]
    pub forward: Forward,
    /// The weighted sum.
    pub total: Tensor,
    reconstruction: Tensor,
    consistency: Tensor,
    contrast: Option<Tensor>,
}

/// The losses of an epoch: read, or five f64 on a device.
enum Recorded {
    Read(EpochLosses),
    Placed(Tensor),
}

/// A model in training. Stepped from outside, so that whoever holds it can stop, show progress or
/// give up between two epochs.
pub struct Trainer {
    pub(super) model: Model,
    pub(super) parameters: Parameters,
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
    /// Where training runs, if not on the CPU, and the draws of the epochs to come.
    placed: Option<(Kernels, Ahead)>,
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
            let propagation = propagation.on(device)?;
            let p = &params.params;
            let (model, parameters) = parameters::build(Drawn::new(seed), device, |builder| {
                Model::new(&builder, input.n_columns(), p)
            })?;
            let trained = TRAINED.map(|part| parameters.under(part).trained().vars());
            let optimiser = Adam::new(
                trained.concat(),
                p.learning_rate,
                p.weight_decay,
                p.clip_norm,
            )?;
            let placed = Kernels::of(device)?.map(|kernels| {
                let ahead = Ahead::new(n, p.mask_rate, p.replace_rate, seed, threads);
                (kernels, ahead)
            });
            Ok(Self {
                model,
                parameters,
                input: Arc::new(input.permuted(&order).on(device)?),
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
                placed,
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
        let mut losses = self.steps(1)?;
        let none = || Error::Internal("an epoch without losses".into());
        losses.pop().ok_or_else(none)
    }

    /// Trains `n` epochs. On a device the losses are read once, at the end.
    ///
    /// # Errors
    /// [`Error::Numeric`] when a loss is no longer finite.
    pub fn steps(&mut self, n: usize) -> Result<Vec<EpochLosses>> {
        threads::install(self.threads, || {
            let first = self.epoch + 1;
            let recorded = (0..n).map(|_| self.epoch()).collect::<Result<Vec<_>>>()?;
            read(recorded, first)
        })
    }

    fn epoch(&mut self) -> Result<Recorded> {
        let p = &self.params.params;
        let due = self.epoch > 0 && self.epoch.is_multiple_of(p.update_every);
        if due && p.contrast != Contrast::Off {
            self.rebuild_hybrid()?;
        }
        let p = &self.params.params;
        let dropout = EpochDropout::new(p.dropout, self.seed, self.epoch as u32);
        let draws = self.draws()?;
        let computed = self.losses_with(&draws, dropout)?;
        self.update(&computed)
    }

    /// The draws of this epoch, where training runs.
    fn draws(&mut self) -> Result<Draws> {
        let (n, epoch) = (self.order.len(), self.epoch as u32);
        let p = &self.params.params;
        match &mut self.placed {
            Some((kernels, ahead)) => Ok(ahead.take(epoch)?.place(kernels)?),
            None => Ok(Draws::new(n, p.mask_rate, p.replace_rate, self.seed, epoch)),
        }
    }

    /// One epoch with given draws.
    #[cfg(any(test, feature = "check"))]
    pub(super) fn step_with(
        &mut self,
        draws: Draws,
        dropout: EpochDropout,
    ) -> Result<(Forward, EpochLosses)> {
        let draws = self.place(draws)?;
        let computed = self.losses_with(&draws, dropout)?;
        let recorded = self.update(&computed)?;
        let losses = read(vec![recorded], self.epoch)?;
        Ok((computed.forward, losses[0]))
    }

    /// The draws of the first epoch.
    #[cfg(any(test, feature = "check"))]
    pub(super) fn example_draws(&self) -> Draws {
        let p = &self.params.params;
        Draws::new(self.order.len(), p.mask_rate, p.replace_rate, self.seed, 0)
    }

    /// Given draws, where training runs.
    #[cfg(any(test, feature = "check"))]
    pub(super) fn place(&self, draws: Draws) -> Result<Draws> {
        match &self.placed {
            Some((kernels, _)) => Ok(draws.pack().place(kernels)?),
            None => Ok(draws),
        }
    }

    /// The step of the optimiser. On the CPU not before a look at the loss.
    fn update(&mut self, computed: &Computed) -> Result<Recorded> {
        let losses = match &self.placed {
            None => Some(finite(computed.read(self.epoch + 1)?)?),
            Some(_) => None,
        };
        let norm = self.optimiser.step(&computed.total.backward()?)?;
        self.model.follow_target()?;
        self.epoch += 1;
        match (losses, &self.placed) {
            (None, Some((kernels, _))) => Ok(Recorded::Placed(computed.record(kernels, &norm)?)),
            (Some(losses), _) => Ok(Recorded::Read(EpochLosses {
                gradient_norm: norm.to_scalar()?,
                ..losses
            })),
            (None, None) => Err(Error::Internal("no device".into())),
        }
    }

    /// The forward pass: the weighted sum of the losses, and each of them.
    pub(super) fn losses_with(&mut self, draws: &Draws, dropout: EpochDropout) -> Result<Computed> {
        let forward = self
            .model
            .forward(&self.input, &self.propagation, draws, dropout)?;
        let reconstruction = self.reconstruction(&forward.projected, draws, dropout)?;
        let consistency = self.consistency(&forward, draws)?;
        let contrast = self.contrast(&forward.online, draws)?;
        let p = &self.params.params;
        let weights = [p.w_recon, p.w_consistency, p.w_contrast];
        let both = [&reconstruction, &consistency];
        let total = match &self.placed {
            Some((kernels, _)) => on::losses::weighted(kernels, both, contrast.as_ref(), weights)?,
            None => weighted(both, contrast.as_ref(), weights)?,
        };
        Ok(Computed {
            #[cfg(any(test, feature = "check"))]
            forward,
            total,
            reconstruction,
            consistency,
            contrast,
        })
    }

    fn consistency(&self, forward: &Forward, draws: &Draws) -> Result<Tensor> {
        let (projected, target) = (&forward.projected, &forward.target);
        let sharpness = self.params.params.sharpness as f32;
        if let (Some((kernels, _)), Some(draws)) = (&self.placed, &draws.placed) {
            let loss = on::consistency::consistency(kernels, projected, target, draws, sharpness)?;
            return Ok(loss);
        }
        let pairs = Compared {
            masked: &draws.masked,
            online: &draws.consistency[0],
            target: &draws.consistency[1],
        };
        Ok(consistency(projected, target, &pairs, sharpness)?)
    }

    /// The reconstruction loss on a device.
    fn reconstruction_on(
        &self,
        kernels: &Kernels,
        projected: &Tensor,
        draws: &PlacedDraws,
        dropout: EpochDropout,
    ) -> Result<Tensor> {
        let missing = || Error::Internal("the decoder's input is not on the device".into());
        let input = self.input.on_device().ok_or_else(missing)?;
        let sharpness = self.params.params.sharpness as f32;
        match &self.model.decoder {
            Decoder::Graph(block) => {
                let target = on::reconstruction::Target {
                    x: input.as_dense().ok_or_else(missing)?,
                    draws,
                    sharpness,
                    settings: block.norm.settings(dropout.decoder()),
                    running: block.norm.running.as_tensor(),
                };
                let h = self.propagation.apply(projected)?;
                let (weight, affine) = (&block.weight, &block.norm.affine);
                Ok(on::reconstruction::reconstruction(
                    kernels, &h, weight, affine, &target,
                )?)
            }
            Decoder::Linear { weight, bias } => {
                let parts = [projected, weight.as_tensor(), bias.as_tensor()];
                Ok(on::imputation::imputation(
                    kernels, parts, input, draws, sharpness,
                )?)
            }
        }
    }

    fn reconstruction(
        &mut self,
        projected: &Tensor,
        draws: &Draws,
        dropout: EpochDropout,
    ) -> Result<Tensor> {
        if let (Some((kernels, _)), Some(draws)) = (&self.placed, &draws.placed) {
            return self.reconstruction_on(kernels, projected, draws, dropout);
        }
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
                self.model.follow_decoder(&moments, self.order.len())?;
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
        if let (Some((kernels, _)), Some(draws)) = (&self.placed, &draws.placed) {
            return self.contrast_on(kernels, online, &mean, draws);
        }
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

    /// The contrastive loss on a device.
    fn contrast_on(
        &self,
        kernels: &Kernels,
        online: &Tensor,
        mean: &Tensor,
        draws: &PlacedDraws,
    ) -> Result<Option<Tensor>> {
        let bilinear = &self.model.bilinear;
        Ok(match self.params.params.contrast {
            Contrast::Off => None,
            Contrast::Node => Some(on::contrast::per_node(
                kernels, online, mean, bilinear, draws,
            )?),
            Contrast::AllPairs => Some(on::contrast::all_pairs(
                kernels, online, mean, bilinear, draws,
            )?),
        })
    }

    /// The hybrid graph on a device, where its kernels can hold so much.
    fn hybrid_on(&self) -> Result<Option<Operator>> {
        let p = &self.params.params;
        let (Some((kernels, _)), Some(spatial)) = (&self.placed, self.propagation.placed()) else {
            return Ok(None);
        };
        if self.slices.n_slices() > 1 || !on::pairs::fits(p.latent, p.top_k) {
            return Ok(None);
        }
        let embed = |encoder: &Encoder| -> Result<Tensor> {
            let embedding = encoder.embed(&self.input, &self.propagation)?;
            Ok(on::pairs::unit_rows(kernels, &embedding)?)
        };
        let (online, target) = (embed(&self.model.online)?, embed(&self.model.target)?);
        let clusters = match p.cluster_test {
            true => {
                let shape = (self.order.len(), p.latent);
                let rows = Array2::from_shape_vec(shape, to_host(&target)?)
                    .map_err(|e| Error::Internal(e.to_string()))?;
                self.clusters(&rows, Some(kernels))?
            }
            false => None,
        };
        let both = [&online, &target];
        let summaries = on::pairs::summaries(kernels, both, p.top_k, spatial, clusters.as_deref())?;
        Ok(Some(summaries))
    }

    fn rebuild_hybrid(&mut self) -> Result<()> {
        if let Some(summaries) = self.hybrid_on()? {
            self.summaries = Some(summaries);
            return Ok(());
        }
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
        let clusters = self.clusters(&target, None)?;
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
        let clusters = self.clusters(&online, None)?;
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

    /// What the cluster test looks at, if it is applied: k-means on the CPU, or where these kernels run.
    fn clusters(
        &self,
        embedding: &Array2<f32>,
        kernels: Option<&Kernels>,
    ) -> Result<Option<Vec<Vec<u32>>>> {
        let p = &self.params;
        let round = (self.epoch / p.params.update_every) as u32;
        let (x, k) = (embedding.view(), p.n_domains);
        let kmeans = |settings: &KMeansSettings| {
            let found = match kernels {
                Some(kernels) => kmeans_on(kernels, x, k, settings),
                None => kmeans(x, k, settings),
            };
            Ok(found?.labels)
        };
        let labels = || cluster_labels(p, self.seed, round, kmeans);
        p.params.cluster_test.then(labels).transpose()
    }

    /// The evaluation-mode embedding, rows of length 1, in the order of the nodes.
    fn unit_embedding(&self, encoder: &Encoder) -> Result<Array2<f32>> {
        let (n, width) = (self.order.len(), self.params.params.latent);
        let mut values = to_host(&encoder.embed(&self.input, &self.propagation)?)?;
        normalise_rows(&mut values, width);
        Array2::from_shape_vec((n, width), values).map_err(|e| Error::Internal(e.to_string()))
    }

    pub(super) fn set_pairs(&mut self, pairs: &Pairs) -> Result<()> {
        let matrix = summary_operator(pairs, self.order.len())?;
        let device = self.model.token.device();
        self.summaries = Some(Operator::new(matrix).on(device)?);
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

    /// Whether the input are genes, which [`Trainer::reconstruct`] gives back.
    pub fn reconstructs(&self) -> bool {
        self.params.params.imputation
    }

    /// Everything that the next epochs depend on. The hybrid graph is not kept: a training can be, whenever the next epoch
    /// builds it anew.
    ///
    /// # Errors
    /// [`Error::Argument`] after another epoch; a device that does not answer.
    pub fn checkpoint(&self) -> Result<Tensors> {
        let every = self.params.params.update_every;
        if self.summaries.is_some() && !self.epoch.is_multiple_of(every) {
            return Err(Error::argument(
                "every",
                format!("a training is kept after a multiple of `update_every` epochs: of {every}"),
            ));
        }
        keep(&self.parameters, &self.optimiser, self.epoch)
    }

    /// Goes on from a [`Trainer::checkpoint`].
    ///
    /// # Errors
    /// One of another training.
    pub fn resume(&mut self, saved: &Tensors) -> Result<()> {
        self.epoch = restore(saved, &self.parameters, &mut self.optimiser)?;
        self.model.resumed();
        Ok(())
    }

    /// The trained encoder as named arrays.
    pub fn weights(&self) -> Result<Tensors> {
        let encoder = self.parameters.under("online_encoder");
        Ok(encoder.arrays()?.into_iter().collect())
    }
}

impl Computed {
    /// The losses on the CPU, without the gradients' norm.
    fn read(&self, epoch: usize) -> Result<EpochLosses> {
        let scalar = |t: &Tensor| t.to_scalar::<f32>();
        Ok(EpochLosses {
            epoch,
            total: scalar(&self.total)?,
            reconstruction: scalar(&self.reconstruction)?,
            consistency: scalar(&self.consistency)?,
            contrast: self.contrast.as_ref().map(scalar).transpose()?,
            gradient_norm: 0.0,
        })
    }

    /// The losses as numbers on the device.
    fn record(&self, kernels: &Kernels, norm: &Tensor) -> Result<Tensor> {
        let losses = on::losses::Losses {
            total: &self.total,
            reconstruction: &self.reconstruction,
            consistency: &self.consistency,
            contrast: self.contrast.as_ref(),
        };
        Ok(on::losses::record(kernels, &losses, norm)?)
    }
}

fn weighted([a, b]: [&Tensor; 2], c: Option<&Tensor>, [w_a, w_b, w_c]: [f64; 3]) -> Result<Tensor> {
    let both = ((a * w_a)? + (b * w_b)?)?;
    Ok(match c {
        Some(c) => (both + (c * w_c)?)?,
        None => both,
    })
}

/// The losses of successive epochs, `first` on: those on a device come in one copy.
fn read(recorded: Vec<Recorded>, first: usize) -> Result<Vec<EpochLosses>> {
    let placed: Vec<&Tensor> = recorded.iter().filter_map(Recorded::placed).collect();
    if placed.is_empty() {
        return Ok(recorded.iter().filter_map(Recorded::losses).collect());
    }
    let values = Tensor::stack(&placed, 0)?.flatten_all()?.to_vec1::<f64>()?;
    let epochs = values.chunks_exact(5).zip(first..);
    let losses = epochs.map(|(values, epoch)| EpochLosses {
        epoch,
        total: values[0] as f32,
        reconstruction: values[1] as f32,
        consistency: values[2] as f32,
        contrast: (!values[3].is_nan()).then_some(values[3] as f32),
        gradient_norm: values[4],
    });
    losses.map(finite).collect()
}

impl Recorded {
    fn placed(&self) -> Option<&Tensor> {
        match self {
            Self::Placed(values) => Some(values),
            Self::Read(_) => None,
        }
    }

    fn losses(&self) -> Option<EpochLosses> {
        match self {
            Self::Read(losses) => Some(*losses),
            Self::Placed(_) => None,
        }
    }
}

fn finite(losses: EpochLosses) -> Result<EpochLosses> {
    match losses.total.is_finite() {
        true => Ok(losses),
        false => Err(Error::astray(losses.epoch)),
    }
}

fn is_permutation(order: &[u32], n: usize) -> bool {
    let mut seen = vec![false; n];
    order.len() == n
        && order
            .iter()
            .all(|&i| (i as usize) < n && !std::mem::replace(&mut seen[i as usize], true))
}
