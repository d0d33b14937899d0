//! What a run asks of a model in training.

use ndarray::Array2;

use super::tensors::Tensors;
use crate::Result;

/// What a trained model gives, one row a cell in the caller's order.
pub struct Found {
    /// Cells x columns.
    pub embedding: Array2<f32>,
    /// Whatever else the system gives, by name.
    pub more: Vec<(&'static str, Vec<Array2<f32>>)>,
}

impl Found {
    /// An embedding alone.
    pub fn of(embedding: Array2<f32>) -> Self {
        Self {
            embedding,
            more: Vec::new(),
        }
    }
}

/// A loss as it is shown while training.
pub struct Loss {
    /// Its name in the history.
    pub name: String,
    /// Its name in the line that shows progress; None for one that is not shown.
    pub short: Option<String>,
}

impl Loss {
    /// One that is shown.
    pub fn shown(name: impl Into<String>, short: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            short: Some(short.into()),
        }
    }

    /// One that only the history holds.
    pub fn recorded(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            short: None,
        }
    }
}

/// A model in training. Stepped from outside, so that whoever holds it can stop, show progress or give up between two
/// epochs.
pub trait Trainer: Send {
    /// What [`Trainer::steps`] gives of each epoch: the sum that is minimised, then its terms.
    fn losses(&self) -> Vec<Loss>;

    /// Trains `n` epochs: a row an epoch, one value a loss, NaN for one that there is not yet.
    ///
    /// # Errors
    /// [`crate::Error::Numeric`] when a loss is no longer finite.
    fn steps(&mut self, n: usize) -> Result<Vec<Vec<f64>>>;

    /// What the model makes of the cells it is trained on: the embedding, and `more` if that is wanted.
    ///
    /// # Errors
    /// A device that does not answer.
    fn found(&mut self, more: bool) -> Result<Found>;

    /// The embedding of every cell where the model does not see the cell itself: cells x columns in the caller's order. None of a
    /// model that never hides any.
    ///
    /// # Errors
    /// A device that does not answer.
    fn unseen(&self) -> Result<Option<Array2<f32>>> {
        Ok(None)
    }

    /// Everything that the next epochs depend on, to go on with them later: the same bytes as without a break.
    ///
    /// # Errors
    /// A device that does not answer; an epoch after which this training cannot be saved.
    fn checkpoint(&self) -> Result<Tensors>;

    /// Goes on from where [`Trainer::checkpoint`] was taken of a training of the same settings and input.
    ///
    /// # Errors
    /// A checkpoint of another training.
    fn resume(&mut self, saved: &Tensors) -> Result<()>;

    /// What embeds further cells, for the model file.
    ///
    /// # Errors
    /// A device that does not answer.
    fn tensors(&self) -> Result<Tensors>;
}
