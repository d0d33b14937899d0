//! The encoder as named arrays and back, and what it makes of further cells.
//!
//! Names and layouts are PyTorch's, of the published model; a layer's bias is in its running mean (see [`Block`]).

use std::sync::Arc;

use candle_core::Tensor;
use ndarray::{Array1, Array2};

use super::model::{Block, Encoder, GRAPH_LAYER, NODE_LAYER};
use crate::design::Input;
use crate::engine::tensors::Tensors;
use crate::graph::Graph;
use crate::nn::kept::{matrix_of, variable};
use crate::nn::linear::Design;
use crate::nn::norm_act::{Activation, Moments};
use crate::nn::propagate::Operator;
use crate::nn::running::Running;
use crate::nn::view::to_host;
use crate::preprocess::Features;
use crate::{Error, Result};

/// Layer and norm of every block.
const BLOCKS: [(&str, &str); 4] = [
    ("encoder.encoder_L1.0", "encoder.encoder_L1.1"),
    ("encoder.encoder_L2.0", "encoder.encoder_L2.1"),
    ("gc1.conv.lin", "gc1.bn"),
    ("gc2.conv.lin", "gc2.bn"),
];

impl Encoder {
    /// Weights and running moments.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn tensors(&self) -> Result<Tensors> {
        let mut all = Tensors::default();
        for (block, (layer, norm)) in self.blocks.iter().zip(BLOCKS) {
            let affine = matrix_of(&block.norm.affine)?;
            let running = block.norm.running.get()?;
            let parts = [
                ("weight", affine.row(0).to_vec()),
                ("bias", affine.row(1).to_vec()),
                ("running_mean", running.mean),
                ("running_var", running.variance),
            ];
            all.insert(
                format!("{layer}.weight"),
                matrix_of(&block.weight)?.into_dyn(),
            );
            for (part, values) in parts {
                all.insert(
                    format!("{norm}.{part}"),
                    Array1::from_vec(values).into_dyn(),
                );
            }
        }
        Ok(all)
    }

    /// The encoder that [`Encoder::tensors`] gave.
    ///
    /// # Errors
    /// [`Error::Model`] for arrays that are missing or do not fit each other.
    pub fn from_tensors(tensors: &Tensors) -> Result<Self> {
        let kinds = [
            (NODE_LAYER, Activation::Elu),
            (NODE_LAYER, Activation::Elu),
            (GRAPH_LAYER, Activation::Relu),
            (GRAPH_LAYER, Activation::Identity),
        ];
        let mut width = tensors.matrix(&format!("{}.weight", BLOCKS[0].0))?.ncols();
        let mut blocks = Vec::new();
        for (names, (kind, activation)) in BLOCKS.into_iter().zip(kinds) {
            let weight = tensors.matrix(&format!("{}.weight", names.0))?;
            if weight.ncols() != width || weight.nrows() == 0 || width == 0 {
                return Err(Error::model(
                    "The layers of the model do not fit each other",
                ));
            }
            width = weight.nrows();
            let part = |part: &str| norm_part(tensors, names.1, part, width);
            let affine = [part("weight")?, part("bias")?].concat();
            let running = Moments {
                mean: part("running_mean")?,
                variance: part("running_var")?,
            };
            let affine = variable(affine, (2, width))?;
            let weight = variable(weight.iter().copied().collect(), weight.dim())?;
            blocks.push(Block::with(
                weight,
                affine,
                Running::Host(running),
                kind,
                activation,
            ));
        }
        let fit = |_| Error::model("The model has another number of layers");
        Ok(Self {
            blocks: blocks.try_into().map_err(fit)?,
        })
    }

    /// f(x) in evaluation mode for any cells: N x latent, in the order of `features`. It is computed in `order`, along a
    /// space-filling curve.
    ///
    /// # Errors
    /// [`Error::Model`] for features of another width; `Internal` for parts of another length.
    pub fn embed_cells(
        &self,
        features: &Features,
        graph: &Graph,
        order: &[u32],
    ) -> Result<Array2<f32>> {
        let input = Input::new(features);
        let (expected, found) = (self.blocks[0].weight.dim(1)?, input.n_columns());
        if expected != found {
            let message = format!("The model takes {expected} columns, and the input has {found}");
            return Err(Error::model(message));
        }
        if graph.n_nodes() != input.n_rows() || order.len() != input.n_rows() {
            return Err(Error::Internal(
                "input, graph and order of another length".into(),
            ));
        }
        let propagation = Operator::symmetric(graph.permuted(order)?.normalised());
        let z = self.embed(&Arc::new(input.permuted(order)), &propagation)?;
        in_callers_order(&z, order)
    }
}

/// The rows of `x` put back: row `order[i]` of the result is row i.
pub(super) fn in_callers_order(x: &Tensor, order: &[u32]) -> Result<Array2<f32>> {
    let (n, width) = x.dims2()?;
    let values = to_host(x)?;
    let mut out = Array2::zeros((n, width));
    for (row, &cell) in values.chunks_exact(width).zip(order) {
        out.row_mut(cell as usize)
            .iter_mut()
            .zip(row)
            .for_each(|(o, v)| *o = *v);
    }
    Ok(out)
}

fn norm_part(tensors: &Tensors, norm: &str, part: &str, width: usize) -> Result<Vec<f64>> {
    let name = format!("{norm}.{part}");
    let values = tensors.vector(&name)?.to_vec();
    let valid = |v: &f64| part != "running_var" || *v >= 0.0;
    match values.len() == width && values.iter().all(valid) {
        true => Ok(values),
        false => Err(Error::model(format!("`{name}` of the model is damaged"))),
    }
}
