//! The half of the model that embeds, as named arrays and back, and what it makes of further cells.
//!
//! Names and layouts are PyTorch's, of the published model; a third modality is counted on.

use candle_core::{Device, Var};
use ndarray::Array2;

use super::cells::Cells;
use super::embedding::{Arrays, Embedding};
use super::model::{encoder, names, Attention, Forward, ATTENTION};
use crate::design::Input;
use crate::engine::tensors::Tensors;
use crate::nn::linear::project_fixed;
use crate::nn::parameters::{self, Parameters, Stored};
use crate::preprocess::Modality;
use crate::{Error, Result};

/// Encoders and attention.
pub struct Encoder {
    /// Of each modality: W' (d x columns), and the attention over its two graphs.
    coders: Vec<(Var, Attention)>,
    /// Over the modalities.
    attention: Attention,
    parameters: Parameters,
}

impl Encoder {
    /// That of a trained model. `turns`: of each modality, what takes its components to what the network sees, if they
    /// are not the same.
    pub(super) fn of(trained: &Parameters, turns: &[Option<Array2<f64>>]) -> Result<Self> {
        let mut tensors: Tensors = trained.arrays()?.into_iter().collect();
        for (turn, m) in turns.iter().zip(1..) {
            if let Some(turn) = turn {
                let name = format!("{}.weight", names(m)[0]);
                let weight = of_components(tensors.matrix(&name)?, turn);
                tensors.insert(name, weight.into_dyn());
            }
        }
        Self::from_tensors(&tensors, turns.len())
    }

    /// The weights.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn tensors(&self) -> Result<Tensors> {
        Ok(self.parameters.arrays()?.into_iter().collect())
    }

    /// The encoder that [`Encoder::tensors`] gave, of so many modalities.
    ///
    /// # Errors
    /// [`Error::Model`] for arrays that are missing or do not fit each other.
    pub fn from_tensors(tensors: &Tensors, n_modalities: usize) -> Result<Self> {
        let d = tensors.matrix(&format!("{ATTENTION}.w_omega"))?.ncols();
        let columns = |m: usize| {
            let weight = tensors.matrix(&format!("{}.weight", names(m)[0]))?;
            Ok(weight.nrows())
        };
        let columns: Vec<usize> = (1..=n_modalities).map(columns).collect::<Result<_>>()?;
        let made = parameters::build(Stored(tensors), &Device::Cpu, |builder| {
            let coder = |(&p, m): (&usize, usize)| {
                let [weight, _, attention] = names(m).map(|name| builder.pp(name));
                Ok((encoder(&weight, p, d)?, Attention::new(&attention, d)?))
            };
            let coders = columns.iter().zip(1..).map(coder);
            let coders = coders.collect::<candle_core::Result<_>>()?;
            Ok((coders, Attention::new(&builder.pp(ATTENTION), d)?))
        });
        let ((coders, attention), parameters) = made.map_err(|e| Error::model(e.to_string()))?;
        Ok(Self {
            coders,
            attention,
            parameters,
        })
    }

    /// Embeddings and attention of any cells.
    ///
    /// # Errors
    /// [`Error::Model`] for features of another width; `Internal` for parts of another length.
    pub fn embed_cells(&self, cells: Cells) -> Result<Embedding> {
        cells.check()?;
        if cells.modalities.len() != self.coders.len() {
            return Err(Error::Internal("another number of modalities".into()));
        }
        let spatial = cells.operator(cells.spatial)?;
        let (mut modality, mut within) = (vec![], vec![]);
        let parts = cells.modalities.iter().zip(cells.similar);
        for (coder, (source, similar)) in self.coders.iter().zip(parts) {
            let h = project_fixed(&input(source, &coder.0, cells.order)?, coder.0.as_tensor())?;
            let views = [spatial.apply(&h)?, cells.operator(similar)?.apply(&h)?];
            let (z, weights) = coder.1.of(&views)?;
            modality.push(z);
            within.push(weights);
        }
        let (joint, across) = self.attention.of(&modality)?;
        Arrays::of(&Forward {
            joint,
            modality,
            across,
            within,
            projected: Vec::new(),
        })?
        .embedding(cells.order)
    }
}

/// W (columns x d) of an encoder of the columns C R, as one of C.
fn of_components(weight: Array2<f64>, turn: &Array2<f64>) -> Array2<f64> {
    weight.reversed_axes().dot(&turn.t()).reversed_axes()
}

/// What the encoder takes: components, of which there are fewer than features, or the features.
fn input(modality: &Modality, encoder: &Var, order: &[u32]) -> Result<Input> {
    let expected = encoder.dim(1)?;
    let input = match modality.components.ncols() == expected {
        true => Input::dense(modality.components.clone()),
        false => Input::from(&modality.features),
    };
    let found = input.n_columns();
    if expected != found {
        let message = format!("The model takes {expected} columns, and the modality has {found}");
        return Err(Error::model(message));
    }
    if input.n_rows() != order.len() {
        return Err(Error::Internal("a modality of another length".into()));
    }
    Ok(input.permuted(order))
}
