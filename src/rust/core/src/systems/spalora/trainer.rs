//! The training of SpaLORA, one epoch at a time.

use candle_core::Device;
use candle_nn::Optimizer;
use ndarray::Array2;

use super::cells::Cells;
use super::embedding::Embedding;
use super::encoder::Encoder;
#[cfg(any(test, feature = "check"))]
use super::epoch::taped_pass;
use super::epoch::{EpochLosses, Epochs, Progress, Task};
use super::init::from_directions;
#[cfg(any(test, feature = "check"))]
use super::model::{Forward, Losses};
use super::model::{ModalityData, Model};
use super::network_input::NetworkInput;
use super::params::{Init, ValidParams};
use crate::engine::checkpoint::{keep, restore};
use crate::engine::tensors::Tensors;
use crate::nn::adam::{self, Adam};
use crate::nn::init::Drawn;
use crate::nn::parameters::{self, Parameters};
use crate::nn::propagate::Operator;
use crate::{threads, Error, Result};

/// A model in training. Stepped from outside, so that whoever holds it can stop, show progress or give up between two
/// epochs.
pub struct Trainer {
    pub(super) model: Model,
    pub(super) parameters: Parameters,
    sources: Vec<ModalityData>,
    spatial: Operator,
    optimiser: Adam,
    params: ValidParams,
    /// Node i of the training is cell `order[i]` of the caller.
    order: Vec<u32>,
    threads: usize,
    epoch: usize,
    /// Of each modality, what takes its components to what the network sees, if they are not the same.
    turns: Vec<Option<Array2<f64>>>,
    epochs: Epochs,
}

impl Trainer {
    /// # Errors
    /// Parts that do not fit each other; a device that is not there.
    pub fn new(
        cells: Cells,
        params: ValidParams,
        seed: u64,
        threads: usize,
        device: &Device,
    ) -> Result<Self> {
        threads::install(threads, || {
            cells.check()?;
            let (mut sources, mut directions, mut turns) = (vec![], vec![], vec![]);
            for (modality, similar) in cells.modalities.iter().zip(cells.similar) {
                let network = NetworkInput::of(modality, &params.params)?;
                if params.params.init == Init::Components {
                    directions.push(network.directions(modality, &params.params)?);
                }
                let input = network.input.permuted(cells.order);
                sources.push(ModalityData::new(
                    input,
                    cells.operator(similar)?,
                    network.weights,
                ));
                turns.push(network.turn);
            }
            let spatial = cells.operator(cells.spatial)?;
            let (init, order) = (params.params.init, cells.order.to_vec());
            let trainer = Self::with(sources, spatial, order, params, seed, threads, device)?;
            if init == Init::Components {
                from_directions(&trainer.model, &directions)?;
            }
            Ok(Self { turns, ..trainer })
        })
    }

    /// From parts that are in the order of training.
    pub(super) fn with(
        sources: Vec<ModalityData>,
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
        let epochs = Epochs::new(device, &sources, &spatial, params.params.latent)?;
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
            epochs,
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
            let (epochs, task, progress) = self.parts();
            epochs.train(task, progress, n)
        })
    }

    /// What trains, what it works on, and what it changes.
    fn parts(&mut self) -> (&mut Epochs, Task<'_>, Progress<'_>) {
        let task = Task {
            model: &self.model,
            sources: &self.sources,
            spatial: &self.spatial,
            params: &self.params,
        };
        let progress = Progress {
            optimiser: &mut self.optimiser,
            epoch: &mut self.epoch,
        };
        (&mut self.epochs, task, progress)
    }

    /// The next epoch's pass by hand, as it trains on the CPU.
    #[cfg(test)]
    pub(super) fn pass_on_host(&mut self) -> Result<super::epoch::HostPass> {
        let (epochs, task, _) = self.parts();
        epochs.pass(task)
    }

    /// The same by the model's operations, on the tape.
    #[cfg(any(test, feature = "check"))]
    pub(super) fn pass(&mut self) -> Result<(Forward, Losses)> {
        taped_pass(self.parts().1)
    }

    #[cfg(any(test, feature = "check"))]
    pub(super) fn params(&self) -> &ValidParams {
        &self.params
    }

    /// The embeddings and the attention.
    pub fn embedding(&mut self) -> Result<Embedding> {
        threads::install(self.threads, || {
            let (epochs, task, _) = self.parts();
            let found = epochs.embed(task)?;
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
