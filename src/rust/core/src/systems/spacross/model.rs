//! The network: encoder, target encoder, projector, decoder (METHODS 3).

use std::sync::Arc;

use candle_core::{Result, Tensor, Var};
use candle_nn::Module;

use super::decoder::Decoder;
use super::draws::Draws;
use super::dropout::{EpochDropout, PROJECTOR_LAYER, TARGET_LAYERS};
use super::params::Params;
use crate::design::Input;
use crate::nn::dropout::Dropout;
use crate::nn::follow::follow;
use crate::nn::gather::{gather, Rows};
use crate::nn::init;
use crate::nn::linear::{linear, project, project_fixed, small_times};
use crate::nn::norm_act::{norm_act, norm_act_fixed, Activation, Settings};
use crate::nn::parameters::{parameter, Builder, Kind};
use crate::nn::propagate::Operator;
use crate::nn::running::Running;
use crate::nn::tape::Traced;

/// Batch norm and what follows it: scale and shift (2 x w), running moments.
pub struct Norm {
    /// Scale and shift, 2 x width.
    pub affine: Var,
    /// Running moments.
    pub running: Running,
    momentum: f64,
    /// Added to each variance.
    pub epsilon: f64,
    activation: Activation,
}

/// BN(.01, 1e-3) of the layers that see single nodes.
const NODE_LAYER: (f64, f64) = (0.01, 1e-3);
/// BN(.1, 1e-5) of the graph layers.
const GRAPH_LAYER: (f64, f64) = (0.1, 1e-5);

impl Norm {
    fn new(
        builder: &Builder,
        name: &str,
        width: usize,
        kind: (f64, f64),
        activation: Activation,
    ) -> Result<Self> {
        Ok(Self {
            affine: parameter(builder, name, (2, width), init::AFFINE)?,
            running: Running::new(builder, name, width)?,
            momentum: kind.0,
            epsilon: kind.1,
            activation,
        })
    }

    /// With a layer's dropout.
    pub(super) fn settings(&self, dropout: Dropout) -> Settings {
        Settings {
            epsilon: self.epsilon,
            momentum: self.momentum,
            activation: self.activation,
            dropout,
        }
    }
}

/// A linear or graph layer, then batch norm, activation and dropout.
///
/// The layer has no bias: the batch norm would take it out again. (The published layers have one,
/// whose gradient is rounding error; its place is in the running mean.)
pub struct Layer {
    /// Outer x inner.
    pub weight: Var,
    /// What follows the product.
    pub norm: Norm,
}

/// Published names of a layer's weight and of its batch norm.
type Names = [&'static str; 2];

impl Layer {
    /// A layer on single nodes.
    fn node(builder: &Builder, [linear, norm]: Names, inner: usize, outer: usize) -> Result<Self> {
        let weight = Kind::matrix(init::kaiming(inner));
        Ok(Self {
            weight: parameter(&builder.pp(linear), "weight", (outer, inner), weight)?,
            norm: Norm::new(builder, norm, outer, NODE_LAYER, Activation::Elu)?,
        })
    }

    /// A graph layer.
    pub(super) fn graph(
        builder: &Builder,
        [linear, norm]: Names,
        inner: usize,
        outer: usize,
        activation: Activation,
    ) -> Result<Self> {
        let weight = Kind::matrix(init::glorot(outer, inner));
        Ok(Self {
            weight: parameter(&builder.pp(linear), "weight", (outer, inner), weight)?,
            norm: Norm::new(builder, norm, outer, GRAPH_LAYER, activation)?,
        })
    }

    fn parameters(&self) -> [Var; 2] {
        [self.weight.clone(), self.norm.affine.clone()]
    }

    /// Norm, activation and dropout of `x`, which the layer's weight has already met.
    fn finish(&self, x: &Traced, dropout: Dropout, trains: bool) -> Result<Traced> {
        let settings = self.norm.settings(dropout);
        let affine = operand(&self.norm.affine, trains);
        norm_act(x, affine, &self.norm.running, settings)
    }
}

/// In evaluation mode: with the running moments and without dropout.
impl Module for Norm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let settings = self.settings(Dropout::none());
        norm_act_fixed(x, &self.affine, &self.running, settings)
    }
}

/// In evaluation mode.
impl Module for Layer {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let product = linear(x, operand(&self.weight, false))?;
        product.value().apply(&self.norm)
    }
}

/// A parameter, which gradients move where it `trains`.
pub(super) fn operand(parameter: &Var, trains: bool) -> Traced {
    match trains {
        true => parameter.into(),
        false => parameter.as_detached_tensor().into(),
    }
}

/// f: two layers on single nodes, two graph layers.
pub struct Encoder {
    /// In their order.
    pub layers: [Layer; 4],
}

/// The encoder's layers.
pub(super) const LAYERS: [Names; 4] = [
    ["encoder.encoder_L1.0", "encoder.encoder_L1.1"],
    ["encoder.encoder_L2.0", "encoder.encoder_L2.1"],
    ["gc1.conv.lin", "gc1.bn"],
    ["gc2.conv.lin", "gc2.bn"],
];

impl Encoder {
    /// `widths`: of the input and of each layer.
    pub(super) fn new(builder: &Builder, widths: [usize; 5]) -> Result<Self> {
        let [p, h1, h2, gcn, latent] = widths;
        let [node1, node2, graph1, graph2] = LAYERS;
        Ok(Self {
            layers: [
                Layer::node(builder, node1, p, h1)?,
                Layer::node(builder, node2, h1, h2)?,
                Layer::graph(builder, graph1, h2, gcn, Activation::Relu)?,
                Layer::graph(builder, graph2, gcn, latent, Activation::Identity)?,
            ],
        })
    }

    fn parameters(&self) -> Vec<Var> {
        self.layers.iter().flat_map(Layer::parameters).collect()
    }

    /// From the first layer's masked product (N x hidden1) to the embedding, in training mode; gradients move the
    /// parameters where it `trains`.
    fn train(
        &self,
        first: &Traced,
        graph: &Operator,
        dropout: impl Fn(u32) -> Dropout,
        trains: bool,
    ) -> Result<Traced> {
        let [node1, node2, graph1, graph2] = &self.layers;
        let weight = |layer: &Layer| operand(&layer.weight, trains);
        let h = node1.finish(first, dropout(0), trains)?;
        let h = linear(h, weight(node2))?;
        let h = node2.finish(&h, dropout(1), trains)?;
        let h = linear(graph.apply(h)?, weight(graph1))?;
        let h = graph1.finish(&h, dropout(2), trains)?;
        let h = graph.apply(linear(h, weight(graph2))?)?;
        graph2.finish(&h, dropout(3), trains)
    }

    /// f(x) in evaluation mode, N x latent.
    pub fn embed(&self, x: &Arc<Input>, graph: &Operator) -> Result<Tensor> {
        self.finish(self.first(x)?, graph)
    }

    /// The first layer's product.
    pub(super) fn first(&self, x: &Arc<Input>) -> Result<Tensor> {
        project_fixed(x, &self.layers[0].weight.as_detached_tensor())
    }

    /// What follows it, in evaluation mode.
    pub(super) fn finish(&self, first: Tensor, graph: &Operator) -> Result<Tensor> {
        let [node1, node2, graph1, graph2] = &self.layers;
        let h = first.apply(&node1.norm)?.apply(node2)?;
        let h = h.apply(graph)?.apply(graph1)?;
        let h = linear(h, operand(&graph2.weight, false))?;
        h.value().apply(graph)?.apply(&graph2.norm)
    }

    /// theta <- m theta + (1 - m) other
    fn follow(&self, other: &Encoder, m: f64) -> Result<()> {
        follow(&self.parameters(), &other.parameters(), m)
    }
}

/// What gradients move, in the order in which the norm of all gradients sums.
pub(super) const TRAINED: [&str; 6] = [
    "online_encoder",
    "enc_mask_token",
    "encoder_to_decoder",
    "projector",
    "decoder",
    "weight",
];

/// All parameters of SpaCross.
pub struct Model {
    /// The encoder that gradients move.
    pub online: Encoder,
    /// The encoder that follows it.
    pub target: Encoder,
    /// t, 1 x p.
    pub token: Var,
    /// P, project x latent.
    pub expand: Var,
    /// g.
    pub projector: Layer,
    /// From the projected embedding to the input.
    pub decoder: Decoder,
    /// B, latent x latent.
    pub bilinear: Var,
    momentum: f64,
    /// Whether online and target encoder hold the same parameters.
    tied: bool,
}

/// The results of one training pass.
pub struct Forward {
    /// Z, N x latent.
    pub online: Traced,
    /// Z', N x latent, constant.
    pub target: Tensor,
    /// R, N x latent.
    pub projected: Traced,
}

impl Model {
    /// For an input of `p` columns. The order of making is that of the draws.
    pub fn new(builder: &Builder, p: usize, params: &Params) -> Result<Self> {
        let Params {
            hidden1,
            hidden2,
            gcn_hidden,
            latent,
            project,
            ..
        } = *params;
        let widths = [p, hidden1, hidden2, gcn_hidden, latent];
        let online = Encoder::new(&builder.pp("online_encoder"), widths)?;
        let target = Encoder::new(&builder.pp("target_encoder"), widths)?;
        target.follow(&online, 0.0)?;
        let decoder = Decoder::new(&builder.pp("decoder.layer1"), p, params)?;
        let token = Kind::matrix(init::ZEROS);
        let expand = Kind::matrix(init::glorot(project, latent));
        let names = ["projector.conv.lin", "projector.bn"];
        let identity = Activation::Identity;
        Ok(Self {
            online,
            target,
            token: parameter(builder, "enc_mask_token", (1, p), token)?,
            expand: parameter(
                builder,
                "encoder_to_decoder.weight",
                (project, latent),
                expand,
            )?,
            projector: Layer::graph(builder, names, project, latent, identity)?,
            decoder,
            bilinear: parameter(
                builder,
                "weight",
                (latent, latent),
                Kind::matrix(init::kaiming(latent)),
            )?,
            momentum: params.momentum,
            tied: true,
        })
    }

    /// Both views through their encoders, and the online one through the projector.
    pub fn forward(
        &self,
        x: &Arc<Input>,
        graph: &Operator,
        draws: &Draws,
        dropout: EpochDropout,
    ) -> Result<Forward> {
        let weight = &self.online.layers[0].weight;
        let product = project(x, weight)?;
        let token = linear(&self.token, weight)?;
        let target = self.target_pass(x, graph, &draws.target, product.value(), dropout)?;
        let first = gather(product, token, &draws.online)?;
        let online = self
            .online
            .train(&first, graph, |l| dropout.layer(l), true)?;
        let projected = self.project(&online, graph, &draws.remasked, dropout)?;
        Ok(Forward {
            online,
            target,
            projected,
        })
    }

    /// The target view. With tied encoders the first layer's product is the online one's.
    fn target_pass(
        &self,
        x: &Arc<Input>,
        graph: &Operator,
        rows: &Rows,
        product: &Tensor,
        dropout: EpochDropout,
    ) -> Result<Tensor> {
        let weight = self.target.layers[0].weight.as_detached_tensor();
        let product = match self.tied {
            true => product.into(),
            false => project(x, &weight)?,
        };
        let token = linear(operand(&self.token, false), &weight)?;
        let first = gather(product, token, rows)?;
        let dropout = |l| dropout.layer(TARGET_LAYERS + l);
        let target = self.target.train(&first, graph, dropout, false)?;
        Ok(target.into_value())
    }

    /// R = g(P(Z) with rows of M set to 0). P and g's weight are multiplied first: N x latent
    /// products instead of N x project ones.
    fn project(
        &self,
        z: &Traced,
        graph: &Operator,
        remasked: &Rows,
        dropout: EpochDropout,
    ) -> Result<Traced> {
        let both = small_times(&self.projector.weight, &self.expand)?;
        let product = linear(z, both)?;
        let (width, values) = (product.value().dim(1)?, product.value());
        let zero = Tensor::zeros((1, width), values.dtype(), values.device())?;
        let hidden = graph.apply(gather(product, zero, remasked)?)?;
        self.projector
            .finish(&hidden, dropout.layer(PROJECTOR_LAYER), true)
    }

    /// After parameters of a later epoch were set: the target has moved by itself, unless it is a copy.
    pub fn resumed(&mut self) {
        self.tied = self.momentum == 0.0;
    }

    /// Moves the target encoder after an optimiser step.
    pub fn follow_target(&mut self) -> Result<()> {
        self.target.follow(&self.online, self.momentum)?;
        self.tied = self.momentum == 0.0;
        Ok(())
    }

    /// decoder(g(P f(x))) in evaluation mode, N x p. Negative values stay.
    pub fn reconstruct(&self, embedding: &Tensor, graph: &Operator) -> Result<Tensor> {
        let fixed = |parameter: &Var| operand(parameter, false);
        let both = small_times(fixed(&self.projector.weight), fixed(&self.expand))?;
        let hidden = graph.apply(linear(embedding, both)?)?;
        let projected = hidden.value().apply(&self.projector.norm)?;
        match &self.decoder {
            Decoder::Graph(layer) => projected.apply(graph)?.apply(layer),
            Decoder::Linear { weight, bias } => linear(projected, fixed(weight))?
                .value()
                .broadcast_add(&bias.as_detached_tensor()),
        }
    }
}
