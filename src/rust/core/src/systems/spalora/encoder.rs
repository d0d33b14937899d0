//! The half of the model that embeds, as named arrays and back, and what it makes of further cells.
//!
//! Names and layouts are PyTorch's, of the published model; a third modality is counted on.

use candle_core::Var;
use ndarray::Array2;

use super::embedding::{Arrays, Embedding};
use super::model::{Attention, Coder, Forward, Model};
use crate::design::Input;
use crate::engine::tensors::Tensors;
use crate::graph::Graph;
use crate::nn::kept::{matrix_of, variable};
use crate::nn::linear::{project_fixed, Design};
use crate::nn::propagate::Operator;
use crate::preprocess::Modality;
use crate::{Error, Result};

/// Encoders and attention.
pub struct Encoder {
    /// Of each modality: W' (d x columns), and the attention over its two graphs.
    coders: Vec<(Var, Attention)>,
    /// Over the modalities.
    attention: Attention,
}

/// A parameter with its published name, and whether ours is the transpose.
type Named = (String, Var, bool);

impl Encoder {
    /// Of what the network sees.
    pub(super) fn as_trained(model: &Model) -> Self {
        let own = |c: &Coder| (c.encoder.clone(), c.attention.clone());
        Self {
            coders: model.coders.iter().map(own).collect(),
            attention: model.attention.clone(),
        }
    }

    /// Of the modalities. `turns`: of each, what takes its components to what the network sees, if they are not the same.
    pub(super) fn of(model: &Model, turns: &[Option<Array2<f64>>]) -> Result<Self> {
        let mut own = Self::as_trained(model);
        for ((encoder, _), turn) in own.coders.iter_mut().zip(turns) {
            if let Some(turn) = turn {
                *encoder = of_components(encoder, turn)?;
            }
        }
        Ok(own)
    }

    pub(super) fn parameters(&self) -> Vec<Named> {
        let own = |attention: &Attention, name: &str| {
            [
                (format!("{name}.w_omega"), attention.w.clone(), false),
                (format!("{name}.u_omega"), attention.u.clone(), true),
            ]
        };
        let mut all = own(&self.attention, "atten_cross").to_vec();
        for ((encoder, attention), m) in self.coders.iter().zip(1..) {
            all.push((format!("encoder_omics{m}.weight"), encoder.clone(), true));
            all.extend(own(attention, &format!("atten_omics{m}")));
        }
        all
    }

    /// The weights.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn tensors(&self) -> Result<Tensors> {
        let mut all = Tensors::default();
        for (name, parameter, transposed) in self.parameters() {
            let values = matrix_of(&parameter)?;
            let values = if transposed {
                values.reversed_axes()
            } else {
                values
            };
            all.insert(name, values.into_dyn());
        }
        Ok(all)
    }

    /// The encoder that [`Encoder::tensors`] gave, of so many modalities.
    ///
    /// # Errors
    /// [`Error::Model`] for arrays that are missing or do not fit each other.
    pub fn from_tensors(tensors: &Tensors, n_modalities: usize) -> Result<Self> {
        let d = tensors.matrix("atten_cross.w_omega")?.ncols();
        let coder = |m: usize| {
            let weight = tensors.matrix(&format!("encoder_omics{m}.weight"))?;
            let columns = weight.nrows();
            let encoder = parameter(weight.reversed_axes(), (d, columns))?;
            Ok((encoder, attention(tensors, &format!("atten_omics{m}"), d)?))
        };
        Ok(Self {
            coders: (1..=n_modalities).map(coder).collect::<Result<_>>()?,
            attention: attention(tensors, "atten_cross", d)?,
        })
    }

    /// Embeddings and attention of any cells, in the order of `modalities`, the `spatial` graph and the graph of similar
    /// cells of each modality. They are computed in `order`, along a space-filling curve.
    ///
    /// # Errors
    /// [`Error::Model`] for features of another width; `Internal` for parts of another length.
    pub fn embed_cells(
        &self,
        modalities: &[&Modality],
        spatial: &Graph,
        similar: &[&Graph],
        order: &[u32],
    ) -> Result<Embedding> {
        let number = self.coders.len();
        let fits = |g: &&Graph| g.n_nodes() == order.len();
        if modalities.len() != number
            || similar.len() != number
            || ![spatial].iter().chain(similar).all(fits)
        {
            return Err(Error::Internal("modalities and graphs do not fit".into()));
        }
        let operator = |graph: &Graph| -> Result<Operator> {
            Ok(Operator::symmetric(graph.permuted(order)?.normalised()))
        };
        let spatial = operator(spatial)?;
        let (mut modality, mut within) = (vec![], vec![]);
        for ((coder, source), similar) in self.coders.iter().zip(modalities).zip(similar) {
            let h = project_fixed(&input(source, &coder.0, order)?, coder.0.as_tensor())?;
            let views = [spatial.apply(&h)?, operator(similar)?.apply(&h)?];
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
        .embedding(order)
    }
}

/// W' (d x columns) of an encoder of the columns C R, as one of C.
fn of_components(encoder: &Var, turn: &Array2<f64>) -> Result<Var> {
    let w = matrix_of(encoder)?.dot(&turn.t());
    let shape = w.dim();
    variable(w.iter().copied().collect(), shape)
}

/// What the encoder takes: components, of which there are fewer than features, or the features.
fn input(modality: &Modality, encoder: &Var, order: &[u32]) -> Result<Input> {
    let expected = encoder.dim(1)?;
    let input = match modality.components.ncols() == expected {
        true => Input::dense(modality.components.clone()),
        false => Input::new(&modality.features),
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

fn attention(tensors: &Tensors, name: &str, d: usize) -> Result<Attention> {
    let part = |part: &str| tensors.matrix(&format!("{name}.{part}"));
    Ok(Attention {
        w: parameter(part("w_omega")?, (d, d))?,
        u: parameter(part("u_omega")?.reversed_axes(), (1, d))?,
    })
}

fn parameter(values: Array2<f64>, shape: (usize, usize)) -> Result<Var> {
    if values.dim() != shape || values.is_empty() {
        return Err(Error::model(
            "The layers of the model do not fit each other",
        ));
    }
    variable(values.iter().copied().collect(), shape)
}
