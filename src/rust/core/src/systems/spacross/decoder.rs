//! From the projected embedding back to the input.

use candle_core::{Result, Var};

use super::model::Layer;
use super::params::Params;
use crate::nn::form::Form;
use crate::nn::init;
use crate::nn::norm_act::Activation;
use crate::nn::parameters::{parameter, Builder, Kind};

/// What decodes the projected embedding.
pub enum Decoder {
    /// A graph layer with batch norm (principal components as input).
    Graph(Layer),
    /// A linear layer (scaled genes as input).
    Linear {
        /// Genes x latent.
        weight: Var,
        /// 1 x genes.
        bias: Var,
    },
}

impl Decoder {
    pub(super) fn new(builder: &Builder, p: usize, params: &Params) -> Result<Self> {
        let latent = params.latent;
        if !params.imputation {
            let names = ["conv.lin", "bn"];
            let layer = Layer::graph(builder, names, latent, p, Activation::Identity)?;
            return Ok(Self::Graph(layer));
        }
        let init = init::kaiming(latent);
        Ok(Self::Linear {
            weight: parameter(builder, "weight", (p, latent), Kind::matrix(init))?,
            bias: parameter(builder, "bias", (1, p), Kind::trained(Form::Row, init))?,
        })
    }
}
