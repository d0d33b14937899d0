//! The training of SpaLORA, one epoch at a time.

use candle_core::{Device, Tensor};
use candle_nn::Optimizer;
use ndarray::Array2;

use super::embedding::{Arrays, Embedding};
use super::encoder::Encoder;
use super::host;
use super::init::from_directions;
use super::model::{Forward, Losses, Model, Source};
use super::params::{Init, ValidParams};
use super::seen::Seen;
use crate::engine::checkpoint::{keep, restore};
use crate::engine::tensors::Tensors;
use crate::gpu::Kernels;
use crate::graph::Graph;
use crate::nn::adam::{self, Adam};
use crate::nn::init::Drawn;
use crate::nn::linear::Design;
use crate::nn::parameters::{self, Parameters};
use crate::nn::propagate::Operator;
use crate::preprocess::Modality;
use crate::{threads, Error, Result};

/// The losses of one epoch, before their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochLosses {
    /// From 1.
    pub epoch: usize,
    /// The weighted sum that was minimised.
    pub total: f32,
    /// One a modality.
    pub reconstruction: Vec<f32>,
    /// One a modality.
    pub cross: Vec<f32>,
}

/// A model in training. Stepped from outside, so that whoever holds it can stop, show progress or give up between two
/// epochs.
pub struct Trainer {
    pub(super) model: Model,
    pub(super) parameters: Parameters,
    sources: Vec<Source>,
    spatial: Operator,
    optimiser: Adam,
    params: ValidParams,
    /// Node i of the training is cell `order[i]` of the caller.
    order: Vec<u32>,
    threads: usize,
    epoch: usize,
    /// Of each modality, what takes its components to what the network sees, if they are not the same.
    turns: Vec<Option<Array2<f64>>>,
    /// On the CPU; a device runs the model by its operations.
    host: Option<host::Epoch>,
}

impl Trainer {
    /// `modalities`, the `spatial` graph and the graph of similar cells of each modality (`similar`) in the caller's order
    /// of cells; training runs in `order` (along a space-filling curve), results come back in the caller's.
    ///
    /// # Errors
    /// Parts that do not fit each other; a device that is not there.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        modalities: &[&Modality],
        spatial: &Graph,
        similar: &[&Graph],
        order: Vec<u32>,
        params: ValidParams,
        seed: u64,
        threads: usize,
        device: &Device,
    ) -> Result<Self> {
        threads::install(threads, || {
            let fits = |g: &Graph| g.n_nodes() == order.len();
            let graphs_fit = fits(spatial) && similar.iter().all(|g| fits(g));
            if !graphs_fit || similar.len() != modalities.len() {
                return Err(Error::Internal("graphs of another length".into()));
            }
            let operator = |graph: &Graph| -> Result<Operator> {
                Ok(Operator::symmetric(graph.permuted(&order)?.normalised()))
            };
            let (mut sources, mut directions, mut turns) = (vec![], vec![], vec![]);
            for (modality, similar) in modalities.iter().zip(similar) {
                let seen = Seen::of(modality, &params.params)?;
                if params.params.init == Init::Components {
                    directions.push(seen.directions(modality, &params.params)?);
                }
                let input = seen.input.permuted(&order);
                sources.push(Source::new(input, operator(similar)?, seen.weights));
                turns.push(seen.turn);
            }
            let spatial = operator(spatial)?;
            let (init, order) = (params.params.init, order.clone());
            let trainer = Self::with(sources, spatial, order, params, seed, threads, device)?;
            if init == Init::Components {
                from_directions(&trainer.model, &directions)?;
            }
            Ok(Self { turns, ..trainer })
        })
    }

    /// From parts that are in the order of training.
    pub(super) fn with(
        sources: Vec<Source>,
        spatial: Operator,
        order: Vec<u32>,
        params: ValidParams,
        seed: u64,
        threads: usize,
        device: &Device,
    ) -> Result<Self> {
        if sources.iter().any(|source| source.n_rows() != order.len()) {
            return Err(Error::Internal("modalities of another length".into()));
        }
        let sources = sources.into_iter().map(|source| source.on(device));
        let sources = sources.collect::<Result<Vec<_>>>()?;
        let host = match Kernels::of(device)? {
            None => Some(host::Epoch::new(&sources, &spatial, params.params.latent)),
            Some(_) => None,
        };
        let turns = vec![None; sources.len()];
        let columns: Vec<usize> = sources.iter().map(|s| s.input.n_columns()).collect();
        let p = &params.params;
        let (model, parameters) = parameters::build(Drawn::new(seed), device, |builder| {
            Model::new(&builder, &columns, p.latent)
        })?;
        let optimiser = Adam::new(
            parameters.vars(),
            adam::Settings {
                learning_rate: p.learning_rate,
                weight_decay: p.weight_decay,
                clip_norm: f64::INFINITY,
            },
        )?;
        Ok(Self {
            model,
            parameters,
            sources,
            spatial: spatial.on(device)?,
            optimiser,
            params,
            order,
            threads,
            epoch: 0,
            turns,
            host,
        })
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
            if self.host.is_some() {
                return (0..n).map(|_| self.epoch_on_cpu()).collect();
            }
            let recorded = (0..n).map(|_| self.epoch_on_device());
            let recorded = recorded.collect::<Result<Vec<_>>>()?;
            self.read_all(&recorded, first)
        })
    }

    /// The losses are looked at before the step.
    fn epoch_on_cpu(&mut self) -> Result<EpochLosses> {
        let found = self.pass_on_cpu()?;
        let losses = finite(EpochLosses {
            epoch: self.epoch + 1,
            total: found.total,
            reconstruction: found.reconstruction,
            cross: found.cross,
        })?;
        self.optimiser.step_with(found.gradients)?;
        self.epoch += 1;
        Ok(losses)
    }

    pub(super) fn pass_on_cpu(&mut self) -> Result<host::Found> {
        let none = || Error::Internal("training is not on the CPU".into());
        let epoch = self.host.as_mut().ok_or_else(none)?;
        Ok(epoch.run(&self.model, &self.sources, &self.spatial, &self.params)?)
    }

    /// The losses stay on the device, without the tape that they came by: it holds the whole epoch's tensors.
    fn epoch_on_device(&mut self) -> Result<Tensor> {
        let (_, terms) = self.pass()?;
        let total = terms.total(&self.params)?;
        self.optimiser.step(&total.backward()?)?;
        self.epoch += 1;
        Ok(Tensor::stack(&detached(&terms, &total), 0)?)
    }

    fn read_all(&self, recorded: &[Tensor], first: usize) -> Result<Vec<EpochLosses>> {
        let values: Vec<f32> = Tensor::stack(recorded, 0)?.flatten_all()?.to_vec1()?;
        let epochs = values.chunks_exact(1 + 2 * self.sources.len()).zip(first..);
        epochs
            .map(|(values, epoch)| finite(self.split(epoch, values)))
            .collect()
    }

    /// From total, reconstructions, consistencies.
    fn split(&self, epoch: usize, values: &[f32]) -> EpochLosses {
        let (reconstruction, cross) = values[1..].split_at(self.sources.len());
        EpochLosses {
            epoch,
            total: values[0],
            reconstruction: reconstruction.to_vec(),
            cross: cross.to_vec(),
        }
    }

    pub(super) fn pass(&self) -> Result<(Forward, Losses)> {
        let forward = self.model.forward(&self.sources, &self.spatial)?;
        let losses = self.model.losses(&forward, &self.sources, &self.spatial)?;
        Ok((forward, losses))
    }

    #[cfg(any(test, feature = "check"))]
    pub(super) fn params(&self) -> &ValidParams {
        &self.params
    }

    /// The embeddings and the attention.
    pub fn embedding(&mut self) -> Result<Embedding> {
        threads::install(self.threads, || {
            let found = match &mut self.host {
                Some(epoch) => {
                    epoch.embed(&self.model, &self.sources, &self.spatial)?;
                    Arrays::of_host(epoch)
                }
                None => Arrays::of(&self.model.forward(&self.sources, &self.spatial)?)?,
            };
            found.embedding(&self.order)
        })
    }

    /// Everything that the next epochs depend on.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn checkpoint(&self) -> Result<Tensors> {
        keep(&self.parameters, &self.optimiser, self.epoch)
    }

    /// Goes on from a [`Trainer::checkpoint`].
    ///
    /// # Errors
    /// One of another training.
    pub fn resume(&mut self, saved: &Tensors) -> Result<()> {
        self.epoch = restore(saved, &self.parameters, &mut self.optimiser)?;
        Ok(())
    }

    /// What embeds further cells.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn encoder(&self) -> Result<Encoder> {
        Encoder::of(&self.parameters, &self.turns)
    }
}

fn detached(terms: &Losses, total: &Tensor) -> Vec<Tensor> {
    let all = std::iter::once(total).chain(&terms.reconstruction);
    all.chain(&terms.cross).map(Tensor::detach).collect()
}

fn finite(losses: EpochLosses) -> Result<EpochLosses> {
    match losses.total.is_finite() {
        true => Ok(losses),
        false => Err(Error::astray(losses.epoch)),
    }
}
