//! The network of SpaLORA: linear graph encoders and decoders, and attention (METHODS 4.3).
//!
//! Devices run it as it stands here; [`super::epoch`] has the same pass for the CPU.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var};

use super::loss::{mean_squared, reconstruction, Constant};
use super::params::ValidParams;
use crate::design::Input;
use crate::nn::attention::attention;
use crate::nn::columns::{columns, joined};
use crate::nn::form::Form;
use crate::nn::init::glorot;
use crate::nn::linear::{linear, project};
use crate::nn::parameters::{parameter, Builder, Kind};
use crate::nn::propagate::Operator;
use crate::nn::scalar::weighted_sum;
use crate::nn::tape::Traced;

/// W (d x d) and u (1 x d) of one attention.
#[derive(Clone)]
pub struct Attention {
    /// W, d x d.
    pub w: Var,
    /// u, 1 x d.
    pub u: Var,
}

impl Attention {
    pub(super) fn new(builder: &Builder, d: usize) -> Result<Self> {
        let w = Kind::matrix(glorot(d, d));
        let u = Kind::trained(Form::Transposed, glorot(1, d));
        Ok(Self {
            w: parameter(builder, "w_omega", (d, d), w)?,
            u: parameter(builder, "u_omega", (1, d), u)?,
        })
    }

    /// The weighted mean of embeddings (each N x d), and the weights (N x their number).
    pub(super) fn of(&self, embeddings: &[Traced]) -> Result<(Traced, Tensor)> {
        let embeddings: Vec<&Traced> = embeddings.iter().collect();
        attention(joined(&embeddings, 1)?, &self.w, &self.u)
    }
}

/// What belongs to one modality.
pub struct Coder {
    /// W' of E(x, A) = A (x W): d x columns.
    pub encoder: Var,
    /// V of D(z, A) = A (z V): d x columns.
    pub decoder: Var,
    /// Over the spatial and the feature graph.
    pub attention: Attention,
}

/// All parameters of SpaLORA.
pub struct Model {
    /// One a modality.
    pub coders: Vec<Coder>,
    /// Over the modalities.
    pub attention: Attention,
}

/// One modality's data.
pub struct ModalityData {
    /// X, N x columns.
    pub input: Arc<Input>,
    /// What the reconstruction needs of X.
    pub constant: Constant,
    /// Averages over the graph of similar cells.
    pub features: Operator,
}

/// What one pass gives.
pub struct Forward {
    /// Z, N x d.
    pub joint: Traced,
    /// Z_m, N x d each.
    pub modality: Vec<Traced>,
    /// N x modalities.
    pub across: Tensor,
    /// N x 2 a modality: the spatial graph's weight, the feature graph's.
    pub within: Vec<Tensor>,
    /// X Omega V', N x d a modality; only the losses need it.
    pub(super) projected: Vec<Traced>,
}

/// The terms of the loss, one a modality.
pub struct Losses {
    /// Of the input.
    pub reconstruction: Vec<Traced>,
    /// Of the embedding, through the other modalities.
    pub cross: Vec<Traced>,
}

impl Model {
    /// For inputs with these numbers of columns. The order of making is that of the draws.
    pub fn new(builder: &Builder, columns: &[usize], d: usize) -> Result<Self> {
        let coders = columns.iter().zip(1..);
        let coders = coders.map(|(&p, m)| Coder::new(builder, m, p, d));
        Ok(Self {
            coders: coders.collect::<Result<_>>()?,
            attention: Attention::new(&builder.pp(ATTENTION), d)?,
        })
    }

    /// Embeddings and attention of all nodes.
    pub fn forward(&self, sources: &[ModalityData], spatial: &Operator) -> Result<Forward> {
        let (mut modality, mut within, mut projected) = (vec![], vec![], vec![]);
        for (coder, source) in self.coders.iter().zip(sources) {
            let (h, y) = coder.project(source)?;
            let views = [spatial.apply(&h)?, source.features.apply(&h)?];
            let (z, weights) = coder.attention.of(&views)?;
            modality.push(z);
            within.push(weights);
            projected.push(y);
        }
        let (joint, across) = self.attention.of(&modality)?;
        Ok(Forward {
            joint,
            modality,
            across,
            within,
            projected,
        })
    }

    /// Of a forward pass.
    pub fn losses(
        &self,
        forward: &Forward,
        sources: &[ModalityData],
        spatial: &Operator,
    ) -> Result<Losses> {
        let p = spatial.apply(&forward.joint)?;
        let parts = self.coders.iter().zip(sources).zip(&forward.projected);
        let reconstruction = parts
            .map(|((coder, source), y)| reconstruction(&p, y, &coder.decoder, &source.constant));
        let cross = (0..self.coders.len()).map(|m| self.cross(m, forward, spatial));
        Ok(Losses {
            reconstruction: reconstruction.collect::<Result<_>>()?,
            cross: cross.collect::<Result<_>>()?,
        })
    }

    /// Z_m against what is left of it on the way through another modality, mean over the others: E_o(D_o(Z_m)) =
    /// A A Z_m (V_o W_o), a d x d product.
    fn cross(&self, m: usize, forward: &Forward, spatial: &Operator) -> Result<Traced> {
        let own = &forward.modality[m];
        let others = self.coders.iter().enumerate().filter(|(o, _)| *o != m);
        let terms = others.map(|(_, other)| {
            let through = linear(&other.encoder, &other.decoder)?;
            let back = spatial.apply(spatial.apply(linear(own, through)?)?)?;
            mean_squared(own, back)
        });
        let terms = terms.collect::<Result<Vec<_>>>()?;
        let share = 1.0 / terms.len() as f64;
        weighted_sum(&terms.iter().map(|term| (term, share)).collect::<Vec<_>>())
    }
}

/// The published name of the attention over the modalities.
pub(super) const ATTENTION: &str = "atten_cross";

/// The published names of what modality `m` (from 1) has: encoder, decoder, attention.
pub(super) fn names(m: usize) -> [String; 3] {
    ["encoder", "decoder", "atten"].map(|part| format!("{part}_omics{m}"))
}

/// W' of an encoder of `p` columns.
pub(super) fn encoder(builder: &Builder, p: usize, d: usize) -> Result<Var> {
    let kind = Kind::trained(Form::Transposed, glorot(d, p));
    parameter(builder, "weight", (d, p), kind)
}

impl Coder {
    /// Of modality `m`, whose input has `p` columns.
    fn new(builder: &Builder, m: usize, p: usize, d: usize) -> Result<Self> {
        let names = names(m).map(|name| builder.pp(name));
        let decoder = Kind::matrix(glorot(d, p));
        Ok(Self {
            encoder: encoder(&names[0], p, d)?,
            decoder: parameter(&names[1], "weight", (d, p), decoder)?,
            attention: Attention::new(&names[2], d)?,
        })
    }

    /// X W and X Omega V' (N x d each), in one pass over X.
    fn project(&self, source: &ModalityData) -> Result<(Traced, Traced)> {
        let d = self.encoder.dim(0)?;
        let constant = &source.constant;
        let omega = match &constant.omega {
            Some(omega) => omega.clone(),
            None => constant.omega_on(self.decoder.device())?,
        };
        let weighted = columns_weighed(&(&self.decoder).into(), omega)?;
        let both = joined(&[&(&self.encoder).into(), &weighted], 0)?;
        let product = project(&source.input, both)?;
        Ok((columns(&product, 0, d)?, columns(&product, d, d)?))
    }
}

/// Every column of a matrix times its weight (1 x columns).
fn columns_weighed(x: &Traced, weights: Tensor) -> Result<Traced> {
    let weighed = x.value().broadcast_mul(&weights)?;
    Ok(Traced::of([x], weighed, move |grad| {
        Ok([Some(grad.broadcast_mul(&weights)?)])
    }))
}

impl Losses {
    /// The weighted sum that is minimised.
    pub fn total(&self, params: &ValidParams) -> Result<Traced> {
        let terms = self.reconstruction.iter().chain(&self.cross);
        let weights = params.w_recon.iter().chain(&params.w_cross).copied();
        weighted_sum(&terms.zip(weights).collect::<Vec<_>>())
    }
}

impl ModalityData {
    /// `weights`: of every column.
    pub fn new(input: Input, features: Operator, weights: Vec<f64>) -> Self {
        let squares = input.column_squares();
        let squares = squares.iter().zip(&weights).map(|(s, w)| s * w).sum();
        let weights = weights.into_iter().map(|w| w as f32).collect();
        Self {
            constant: Constant {
                weights,
                squares,
                omega: None,
            },
            input: Arc::new(input),
            features,
        }
    }

    /// With everything on `device`.
    pub fn on(self, device: &Device) -> crate::Result<Self> {
        let missing = |_| crate::Error::Internal("an input in use".into());
        let input = Arc::try_unwrap(self.input).map_err(missing)?.on(device)?;
        let omega = self.constant.omega_on(device)?;
        Ok(Self {
            input: Arc::new(input),
            constant: Constant {
                omega: Some(omega),
                ..self.constant
            },
            features: self.features.on(device)?,
        })
    }

    /// N.
    pub fn n_rows(&self) -> usize {
        self.input.n_rows()
    }
}
