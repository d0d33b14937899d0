//! What a run asks of a system.

use candle_core::Device;
use ndarray::Array2;
use serde_json::Value;

use super::predict::{NewPart, Seen};
use super::predicted::Predictions;
use super::tensors::Tensors;
use super::tissue::Tissue;
use super::trainer::Trainer;
use crate::preprocess::{ModalityKind, Scaling};
use crate::sparse::CountsView;
use crate::{Error, Result};

/// What the cells were measured by.
pub struct Part<'a> {
    /// The user's name for it.
    pub name: String,
    /// What it is; a plain matrix of columns is [`ModalityKind::Features`].
    pub kind: ModalityKind,
    /// One row a cell.
    pub values: Values<'a>,
}

/// The numbers of a [`Part`].
pub enum Values<'a> {
    /// Raw counts.
    Counts(CountsView<'a>),
    /// Columns that the user prepared.
    Columns(Array2<f32>),
}

/// Bytes of memory, estimated from above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Of the machine, when training runs on the CPU.
    pub on_cpu: u64,
    /// Of the machine, when training runs on a GPU.
    pub beside_gpu: u64,
    /// Of the GPU.
    pub on_gpu: u64,
}

/// A system that finds domains, through the stages of its run in this order. What a stage finds, the system keeps.
pub trait System: Send + Sync {
    /// From what was measured to the model's input.
    ///
    /// # Errors
    /// Counts that cannot be analysed.
    fn prepare(&mut self, parts: &[Part], tissue: &Tissue) -> Result<()>;

    /// Joins the cells by graphs.
    ///
    /// # Errors
    /// Coordinates that cannot be analysed.
    fn join(&mut self, tissue: &Tissue) -> Result<()>;

    /// What training will take.
    fn needs(&self) -> Needs;

    /// Columns averaged over neighbours, to find domains from beside the embedding or in its place; None where nobody
    /// asked.
    ///
    /// # Errors
    /// Those of the averages.
    fn smooth(&mut self, tissue: &Tissue) -> Result<Option<Array2<f32>>>;

    /// What the cells' neighbours say about them, to find domains from; None where nobody asked.
    ///
    /// # Errors
    /// Those of [`super::Components::predict`].
    fn predictions(&mut self, _: &Tissue) -> Result<Option<Predictions>> {
        Ok(None)
    }

    /// Expression as the neighbours predict it, cells x genes in the cells' own order; None where nobody asked, or the
    /// trainer gives it.
    ///
    /// # Errors
    /// Those of [`super::Components::impute`].
    fn impute(&self, _: &Predictions, _: &Tissue) -> Result<Option<Array2<f32>>> {
        Ok(None)
    }

    /// Epochs of a training.
    fn epochs(&self) -> usize;

    /// A training from its start; None for a system without one, whose embedding are its averaged or predicted columns.
    ///
    /// # Errors
    /// Settings that do not fit the input; a device that does not answer.
    fn trainer(
        &self,
        tissue: &Tissue,
        seed: u64,
        device: &Device,
    ) -> Result<Option<Box<dyn Trainer>>>;

    /// How many principal components of the embedding are clustered; None: the embedding itself.
    fn view(&self) -> Option<usize> {
        None
    }

    /// How further cells are prepared, for the model file.
    fn tensors(&self) -> Tensors;

    /// What a trained model makes of new cells.
    ///
    /// # Errors
    /// A damaged model, or one that does not fit the cells.
    fn embed(
        &self,
        model: &Tensors,
        parts: &[NewPart],
        scaling: Scaling,
        tissue: &Tissue,
    ) -> Result<Seen>;

    /// What a result says of the stages: genes used, columns, ...
    fn describe(&self) -> Value;
}

/// The only part of a system that takes one.
///
/// # Errors
/// Another number of parts.
pub fn sole<T>(parts: &[T]) -> Result<&T> {
    match parts {
        [part] => Ok(part),
        _ => Err(Error::Internal("one matrix was expected".into())),
    }
}
