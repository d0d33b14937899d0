//! The network: encoder, target encoder, projector, decoder (METHODS 3).

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var};

use super::mask::Draws;
use super::params::Params;
use crate::design::Input;
use crate::gpu::Kernels;
use crate::nn::dropout::Dropout;
use crate::nn::gather::{gather, Rows};
use crate::nn::init;
use crate::nn::linear::{linear, project, project_fixed, small_times};
use crate::nn::norm_act::{norm_act, norm_act_fixed, Activation, Moments};
use crate::nn::norm_act_on;
use crate::nn::parameters_on;
use crate::nn::propagate::Operator;
use crate::nn::running::Running;
use crate::nn::view::{matrix, with_slice};
use crate::rng::{Philox, Purpose, Rng};

/// Batch norm and what follows it: scale and shift (2 x w), running moments.
pub struct Norm {
    pub affine: Var,
    pub running: Running,
    momentum: f64,
    pub epsilon: f64,
    activation: Activation,
}

/// BN(.01, 1e-3) of the layers that see single nodes.
pub(super) const NODE_LAYER: (f64, f64) = (0.01, 1e-3);
/// BN(.1, 1e-5) of the graph layers.
pub(super) const GRAPH_LAYER: (f64, f64) = (0.1, 1e-5);

impl Norm {
    fn new(
        width: usize,
        kind: (f64, f64),
        activation: Activation,
        device: &Device,
    ) -> Result<Self> {
        Ok(Self {
            affine: init::affine(width, device)?,
            running: Running::new(width, device)?,
            momentum: kind.0,
            epsilon: kind.1,
            activation,
        })
    }

    /// Moves the running moments towards those of a batch of `n` rows. (On a device the kernels do.)
    fn follow(&mut self, batch: &Moments, n: usize) {
        let Running::Host(running) = &mut self.running else {
            return;
        };
        let unbiased = n as f64 / (n as f64 - 1.0).max(1.0);
        let m = self.momentum;
        for c in 0..batch.mean.len() {
            running.mean[c] += m * (batch.mean[c] - running.mean[c]);
            running.variance[c] += m * (batch.variance[c] * unbiased - running.variance[c]);
        }
    }

    /// For the kernels of a device.
    pub(super) fn settings(&self, dropout: Dropout) -> norm_act_on::Settings {
        norm_act_on::Settings {
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
pub struct Block {
    pub weight: Var,
    pub norm: Norm,
}

impl Block {
    /// A layer on single nodes.
    fn node(rng: &mut Rng, inner: usize, outer: usize, device: &Device) -> Result<Self> {
        Ok(Self {
            weight: init::kaiming(rng, outer, inner, device)?,
            norm: Norm::new(outer, NODE_LAYER, Activation::Elu, device)?,
        })
    }

    /// A graph layer.
    fn graph(
        rng: &mut Rng,
        inner: usize,
        outer: usize,
        activation: Activation,
        device: &Device,
    ) -> Result<Self> {
        Ok(Self {
            weight: init::glorot(rng, outer, inner, device)?,
            norm: Norm::new(outer, GRAPH_LAYER, activation, device)?,
        })
    }

    /// A layer with given parameters; `kind` as for a new one.
    pub(super) fn with(
        weight: Var,
        affine: Var,
        running: Running,
        kind: (f64, f64),
        activation: Activation,
    ) -> Self {
        let norm = Norm {
            affine,
            running,
            momentum: kind.0,
            epsilon: kind.1,
            activation,
        };
        Self { weight, norm }
    }

    fn parameters(&self) -> [Var; 2] {
        [self.weight.clone(), self.norm.affine.clone()]
    }

    /// Norm, activation and dropout of `x`, which the layer's weight has already met.
    fn finish(&mut self, x: &Tensor, dropout: Dropout, train: bool) -> Result<Tensor> {
        let norm = &self.norm;
        if let (Running::Placed(running), Some(kernels)) = (&norm.running, Kernels::of(x.device())?)
        {
            let settings = norm.settings(dropout);
            return norm_act_on::norm_act(&kernels, x, &norm.affine, running, settings, train);
        }
        let (out, batch) = norm_act(
            x,
            &norm.affine,
            norm.epsilon,
            norm.activation,
            dropout,
            train,
        )?;
        self.norm.follow(&batch, x.dim(0)?);
        Ok(out)
    }

    /// The same with the running moments: evaluation mode.
    fn finish_fixed(&self, x: &Tensor) -> Result<Tensor> {
        let (n, width) = x.dims2()?;
        let norm = &self.norm;
        match (&norm.running, Kernels::of(x.device())?) {
            (Running::Placed(running), Some(kernels)) => {
                let settings = norm.settings(Dropout::none());
                norm_act_on::norm_act_fixed(&kernels, x, &norm.affine, running, settings)
            }
            (running, _) => {
                let running = running.get()?;
                let fixed = |x: &[f32], affine: &[f32]| {
                    Ok(norm_act_fixed(
                        x,
                        affine,
                        &running,
                        norm.epsilon,
                        norm.activation,
                    ))
                };
                let out = with_slice(x, |x| with_slice(&norm.affine, |affine| fixed(x, affine)))?;
                matrix(out, n, width)
            }
        }
    }
}

/// f: two layers on single nodes, two graph layers.
pub struct Encoder {
    pub blocks: [Block; 4],
}

impl Encoder {
    fn new(rng: &mut Rng, p: usize, params: &Params, device: &Device) -> Result<Self> {
        let (h1, h2, gcn, latent) = (
            params.hidden1,
            params.hidden2,
            params.gcn_hidden,
            params.latent,
        );
        Ok(Self {
            blocks: [
                Block::node(rng, p, h1, device)?,
                Block::node(rng, h1, h2, device)?,
                Block::graph(rng, h2, gcn, Activation::Relu, device)?,
                Block::graph(rng, gcn, latent, Activation::Identity, device)?,
            ],
        })
    }

    pub fn parameters(&self) -> Vec<Var> {
        self.blocks.iter().flat_map(Block::parameters).collect()
    }

    /// From the first layer's masked product (N x hidden1) to the embedding, in training mode.
    fn train(
        &mut self,
        first: &Tensor,
        graph: &Operator,
        dropout: impl Fn(u32) -> Dropout,
        train: bool,
    ) -> Result<Tensor> {
        let [node1, node2, graph1, graph2] = &mut self.blocks;
        let weight = |w: &Var| match train {
            true => w.as_tensor().clone(),
            false => w.as_detached_tensor(),
        };
        let h = node1.finish(first, dropout(0), train)?;
        let h = linear(&h, &weight(&node2.weight))?;
        let h = node2.finish(&h, dropout(1), train)?;
        let h = linear(&graph.apply(&h)?, &weight(&graph1.weight))?;
        let h = graph1.finish(&h, dropout(2), train)?;
        let h = graph.apply(&linear(&h, &weight(&graph2.weight))?)?;
        graph2.finish(&h, dropout(3), train)
    }

    /// f(x) in evaluation mode, N x latent.
    pub fn embed(&self, x: &Arc<Input>, graph: &Operator) -> Result<Tensor> {
        let [node1, node2, graph1, graph2] = &self.blocks;
        let first = project_fixed(&**x, &node1.weight.as_detached_tensor())?;
        let h = node1.finish_fixed(&first)?;
        let h = node2.finish_fixed(&linear(&h, &node2.weight.as_detached_tensor())?)?;
        let h = linear(&graph.apply(&h)?, &graph1.weight.as_detached_tensor())?;
        let h = graph1.finish_fixed(&h)?;
        let h = linear(&h, &graph2.weight.as_detached_tensor())?;
        graph2.finish_fixed(&graph.apply(&h)?)
    }

    /// theta <- m theta + (1 - m) other
    fn follow(&self, other: &Encoder, m: f64) -> Result<()> {
        if let Some(kernels) = Kernels::of(self.blocks[0].weight.device())? {
            let (mine, theirs) = (self.parameters(), other.parameters());
            return parameters_on::follow(&kernels, &mine, &theirs, m);
        }
        for (mine, theirs) in self.parameters().iter().zip(other.parameters()) {
            let theirs = theirs.as_detached_tensor();
            let moved = match m {
                0.0 => theirs.copy()?,
                m => ((mine.as_detached_tensor() * m)? + (theirs * (1.0 - m))?)?,
            };
            mine.set(&moved)?;
        }
        Ok(())
    }
}

/// What decodes the projected embedding.
pub enum Decoder {
    /// A graph layer with batch norm (principal components as input).
    Graph(Block),
    /// Weight (genes x latent) and bias (1 x genes): scaled genes as input.
    Linear { weight: Var, bias: Var },
}

impl Decoder {
    pub fn parameters(&self) -> Vec<Var> {
        match self {
            Decoder::Graph(block) => block.parameters().to_vec(),
            Decoder::Linear { weight, bias } => vec![weight.clone(), bias.clone()],
        }
    }
}

/// All parameters of SpaCross.
pub struct Model {
    pub online: Encoder,
    pub target: Encoder,
    /// t, 1 x p.
    pub token: Var,
    /// P, project x latent.
    pub expand: Var,
    /// g.
    pub projector: Block,
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
    pub online: Tensor,
    /// Z', N x latent, constant.
    pub target: Tensor,
    /// R, N x latent.
    pub projected: Tensor,
}

/// Dropout of every layer of one epoch: rounds `16 epoch + layer`.
#[derive(Clone, Copy)]
pub struct EpochDropout {
    p: f64,
    philox: Philox,
    epoch: u32,
}

const TARGET_LAYERS: u32 = 4;
const PROJECTOR_LAYER: u32 = 8;
const DECODER_LAYER: u32 = 9;

impl EpochDropout {
    pub fn new(p: f64, seed: u64, epoch: u32) -> Self {
        Self {
            p,
            philox: Philox::new(seed, Purpose::Dropout),
            epoch,
        }
    }

    fn layer(&self, layer: u32) -> Dropout {
        Dropout::new(self.p, self.philox, self.epoch * 16 + layer)
    }

    pub fn decoder(&self) -> Dropout {
        self.layer(DECODER_LAYER)
    }
}

impl Model {
    /// Draws the initial values for an input of `p` columns.
    pub fn new(p: usize, params: &Params, seed: u64, device: &Device) -> Result<Self> {
        let mut rng = Rng::new(seed, Purpose::Init, 0);
        let (latent, wide) = (params.latent, params.project);
        let online = Encoder::new(&mut rng, p, params, device)?;
        let target = Encoder::new(&mut rng, p, params, device)?;
        target.follow(&online, 0.0)?;
        let decoder = if params.imputation {
            Decoder::Linear {
                weight: init::kaiming(&mut rng, p, latent, device)?,
                bias: init::bias(&mut rng, p, latent, device)?,
            }
        } else {
            Decoder::Graph(Block::graph(
                &mut rng,
                latent,
                p,
                Activation::Identity,
                device,
            )?)
        };
        Ok(Self {
            online,
            target,
            token: init::zeros(p, device)?,
            expand: init::glorot(&mut rng, wide, latent, device)?,
            projector: Block::graph(&mut rng, wide, latent, Activation::Identity, device)?,
            decoder,
            bilinear: init::within(&mut rng, (latent as f64).sqrt().recip(), latent, device)?,
            momentum: params.momentum,
            tied: true,
        })
    }

    /// Every parameter that a gradient moves.
    pub fn parameters(&self) -> Vec<Var> {
        let mut all = self.online.parameters();
        all.extend([self.token.clone(), self.expand.clone()]);
        all.extend(self.projector.parameters());
        all.extend(self.decoder.parameters());
        all.push(self.bilinear.clone());
        all
    }

    /// Both views through their encoders, and the online one through the projector.
    pub fn forward(
        &mut self,
        x: &Arc<Input>,
        graph: &Operator,
        draws: &Draws,
        dropout: EpochDropout,
    ) -> Result<Forward> {
        let weight = &self.online.blocks[0].weight;
        let product = project(x, weight)?;
        let token = linear(&self.token, weight)?;
        let target = self.target_pass(x, graph, &draws.target, &product, dropout)?;
        let first = gather(&product, &token, &draws.online)?;
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
        &mut self,
        x: &Arc<Input>,
        graph: &Operator,
        rows: &Rows,
        product: &Tensor,
        dropout: EpochDropout,
    ) -> Result<Tensor> {
        let weight = self.target.blocks[0].weight.as_detached_tensor();
        let product = match self.tied {
            true => product.detach(),
            false => project(x, &weight)?,
        };
        let token = linear(&self.token.as_detached_tensor(), &weight)?;
        let first = gather(&product, &token, rows)?;
        self.target
            .train(&first, graph, |l| dropout.layer(TARGET_LAYERS + l), false)
    }

    /// R = g(P(Z) with rows of M set to 0). P and g's weight are multiplied first: N x latent
    /// products instead of N x project ones.
    fn project(
        &mut self,
        z: &Tensor,
        graph: &Operator,
        remasked: &Rows,
        dropout: EpochDropout,
    ) -> Result<Tensor> {
        let both = small_times(&self.projector.weight, &self.expand)?;
        let product = linear(z, &both)?;
        let zero = Tensor::zeros((1, product.dim(1)?), product.dtype(), product.device())?;
        let hidden = graph.apply(&gather(&product, &zero, remasked)?)?;
        self.projector
            .finish(&hidden, dropout.layer(PROJECTOR_LAYER), true)
    }

    /// Moves the graph decoder's running moments.
    pub fn follow_decoder(&mut self, batch: &Moments, n: usize) {
        if let Decoder::Graph(block) = &mut self.decoder {
            block.norm.follow(batch, n);
        }
    }

    /// Moves the target encoder after an optimiser step.
    pub fn follow_target(&mut self) -> Result<()> {
        self.target.follow(&self.online, self.momentum)?;
        self.tied = self.momentum == 0.0;
        Ok(())
    }

    /// decoder(g(P f(x))) in evaluation mode, N x p. Negative values stay.
    pub fn reconstruct(&self, embedding: &Tensor, graph: &Operator) -> Result<Tensor> {
        let both = small_times(
            &self.projector.weight.as_detached_tensor(),
            &self.expand.as_detached_tensor(),
        )?;
        let hidden = graph.apply(&linear(embedding, &both)?)?;
        let projected = self.projector.finish_fixed(&hidden)?;
        match &self.decoder {
            Decoder::Graph(block) => {
                let h = graph.apply(&projected)?;
                block.finish_fixed(&linear(&h, &block.weight.as_detached_tensor())?)
            }
            Decoder::Linear { weight, bias } => linear(&projected, &weight.as_detached_tensor())?
                .broadcast_add(&bias.as_detached_tensor()),
        }
    }
}
