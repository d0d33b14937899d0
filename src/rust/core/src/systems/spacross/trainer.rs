//! The training schedule of SpaCross, one epoch at a time.

use std::sync::Arc;

use candle_core::Device;
use candle_nn::Optimizer;
use ndarray::Array2;

use super::draws::DrawSource;
use super::losses::{read, EpochLosses};
use super::model::{Model, TRAINED};
use super::params::ValidParams;
use super::weights::in_callers_order;
use crate::design::Input;
use crate::engine::checkpoint::{keep, restore};
use crate::engine::place::Place;
use crate::engine::tensors::Tensors;
use crate::graph::Graph;
use crate::nn::adam::{self, Adam};
use crate::nn::init::Drawn;
use crate::nn::parameters::{self, Parameters};
use crate::nn::propagate::Operator;
use crate::slices::Slices;
use crate::{threads, Error, Result};

/// A model in training. Stepped from outside, so that whoever holds it can stop, show progress or
/// give up between two epochs.
pub struct Trainer {
    pub(super) model: Model,
    pub(super) parameters: Parameters,
    pub(super) input: Arc<Input>,
    /// The spatial graph, in the order of `order`.
    pub(super) spatial: Graph,
    pub(super) propagation: Operator,
    /// The slice of every node.
    pub(super) slices: Slices,
    /// Takes embeddings to summaries, once the hybrid graph exists.
    pub(super) summaries: Option<Operator>,
    pub(super) optimiser: Adam,
    pub(super) params: ValidParams,
    /// Node i of the training is cell `order[i]` of the caller.
    pub(super) order: Vec<u32>,
    pub(super) seed: u64,
    pub(super) threads: usize,
    pub(super) epoch: usize,
    pub(super) place: Place,
    pub(super) draws: DrawSource,
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
                adam::Settings {
                    learning_rate: p.learning_rate,
                    weight_decay: p.weight_decay,
                    clip_norm: p.clip_norm,
                },
            )?;
            let place = Place::of(device)?;
            let draws = DrawSource::new(&place, n, p, seed, threads);
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
                place,
                draws,
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
            let recorded = (0..n)
                .map(|_| self.train_epoch())
                .collect::<Result<Vec<_>>>()?;
            read(&recorded, first)
        })
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

    /// Everything that the next epochs depend on. The hybrid graph is not kept: a training can be, whenever the next
    /// epoch builds it anew.
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

fn is_permutation(order: &[u32], n: usize) -> bool {
    let mut seen = vec![false; n];
    order.len() == n
        && order
            .iter()
            .all(|&i| (i as usize) < n && !std::mem::replace(&mut seen[i as usize], true))
}
