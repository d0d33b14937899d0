//! A trainer that stands where a recorded run of SpaCross started.

use candle_core::{Device, Tensor, Var};

use super::hybrid::Pairs;
use super::mask::Draws;
use super::model::{Block, Decoder, Encoder, Model};
use super::trainer::Trainer;
use super::{Contrast, Params};
use crate::design::Input;
use crate::graph::Graph;
use crate::nn::norm_act::Moments;
use crate::nn::running::Running;
use crate::preprocess::ScaledGenes;
use crate::recorded::unreadable;
pub(super) use crate::recorded::Recorded as Reference;
use crate::slices::Slices;
use crate::sparse::Csr;
use crate::Result;

impl Reference {
    fn imputes(&self) -> bool {
        self.settings["imputation"].as_bool().unwrap_or(false)
    }

    pub fn graph(&self) -> Result<Graph> {
        let (from, to) = (self.nodes("edge_row")?, self.nodes("edge_col")?);
        Graph::from_edges(self.count("/n")?, from.into_iter().zip(to))
    }

    fn params(&self, contrast: Contrast) -> Result<Params> {
        Ok(Params {
            dropout: 0.0,
            mask_rate: self.number("/config/mask_rate")?,
            momentum: self.number("/config/momentum_rate")?,
            sharpness: self.number("/config/t")?,
            w_recon: self.number("/loss_weights/w_recon")?,
            w_consistency: self.number("/loss_weights/w_mean")?,
            w_contrast: self.number("/loss_weights/w_tri")?,
            learning_rate: self.number("/lr")?,
            weight_decay: self.number("/weight_decay")?,
            clip_norm: self.number("/clip_norm")?,
            imputation: self.imputes(),
            contrast,
            ..Params::default()
        })
    }

    pub fn draws(&self, step: usize) -> Result<Draws> {
        let nodes = |name: &str| self.nodes(&format!("step{step}.{name}"));
        let negative = match self.tensors.contains_key("step0.dgi_negative") {
            true => nodes("dgi_negative")?,
            false => vec![],
        };
        Ok(Draws::from_parts(
            self.count("/n")?,
            &nodes("mask_nodes")?,
            &nodes("token_nodes")?,
            &nodes("noise_nodes")?,
            &nodes("noise_source")?,
            negative,
            [nodes("match_neg_online")?, nodes("match_neg_target")?],
        ))
    }

    pub fn pairs(&self) -> Result<Option<Pairs>> {
        if !self.tensors.contains_key("sampler.anchor") {
            return Ok(None);
        }
        Ok(Some(Pairs {
            anchor: self.nodes("sampler.anchor")?,
            positive: self.nodes("sampler.positive")?,
        }))
    }

    /// The contrast that the published code trained on, where the run has one.
    pub fn contrast(&self) -> Contrast {
        match self.tensors.contains_key("sampler.anchor") {
            true => Contrast::AllPairs,
            false => Contrast::Off,
        }
    }

    /// Parameters and buffers of one block, as [weight, bias, affine] and its moments.
    fn fill_block(&self, block: &mut Block, linear: &str, norm: &str) -> Result<()> {
        let weight = [format!("{linear}.weight"), format!("{linear}.lin.weight")];
        let weight = weight
            .iter()
            .find(|w| self.tensors.contains_key(*w))
            .ok_or_else(|| unreadable(format!("no weight of {linear}")))?;
        set(&block.weight, self.floats(weight)?)?;
        let scale = self.floats(&format!("{norm}.weight"))?;
        let shift = self.floats(&format!("{norm}.bias"))?;
        set(&block.norm.affine, [scale, shift].concat())?;
        let moments = |part: &str| -> Result<Vec<f64>> {
            Ok(self.floats(part)?.into_iter().map(f64::from).collect())
        };
        let bias = moments(&format!("{linear}.bias"))?;
        // The published layer's bias is in its running mean.
        let running = Moments {
            mean: moments(&format!("{norm}.running_mean"))?
                .into_iter()
                .zip(bias)
                .map(|(mean, bias)| mean - bias)
                .collect(),
            variance: moments(&format!("{norm}.running_var"))?,
        };
        block.norm.running = Running::with(running, block.weight.device())?;
        Ok(())
    }

    fn fill_encoder(&self, encoder: &mut Encoder, prefix: &str) -> Result<()> {
        let [l1, l2, g1, g2] = &mut encoder.blocks;
        let node = |layer: &str, part: &str| format!("{prefix}.encoder.encoder_{layer}.{part}");
        self.fill_block(l1, &node("L1", "0"), &node("L1", "1"))?;
        self.fill_block(l2, &node("L2", "0"), &node("L2", "1"))?;
        self.fill_block(
            g1,
            &format!("{prefix}.gc1.conv"),
            &format!("{prefix}.gc1.bn"),
        )?;
        self.fill_block(
            g2,
            &format!("{prefix}.gc2.conv"),
            &format!("{prefix}.gc2.bn"),
        )
    }

    /// All parameters of a state (`init`, `step0.after`, ...).
    pub fn fill(&self, model: &mut Model, state: &str) -> Result<()> {
        let name = |part: &str| format!("{state}.{part}");
        let fill = |var: &Var, part: &str| set(var, self.floats(&name(part))?);
        self.fill_encoder(&mut model.online, &name("online_encoder"))?;
        self.fill_encoder(&mut model.target, &name("target_encoder"))?;
        fill(&model.token, "enc_mask_token")?;
        fill(&model.expand, "encoder_to_decoder.weight")?;
        fill(&model.bilinear, "weight")?;
        let [conv, bn] = ["projector.conv", "projector.bn"].map(name);
        self.fill_block(&mut model.projector, &conv, &bn)?;
        match &mut model.decoder {
            Decoder::Graph(block) => {
                let [conv, bn] = ["decoder.layer1.conv", "decoder.layer1.bn"].map(name);
                self.fill_block(block, &conv, &bn)
            }
            Decoder::Linear { weight, bias } => {
                fill(weight, "decoder.layer1.weight")?;
                fill(bias, "decoder.layer1.bias")
            }
        }
    }

    /// x as scaled genes: entries v = 1 + 2 x of mean 1 and standard deviation 2.
    fn genes(&self) -> Result<ScaledGenes> {
        let x = self.matrix("x")?;
        let (n, p) = x.dim();
        let values = x.iter().map(|v| 1.0 + 2.0 * v).collect();
        let indptr = (0..=n).map(|i| i * p).collect();
        let indices = (0..n * p).map(|e| (e % p) as u32).collect();
        Ok(ScaledGenes {
            matrix: Csr::new(p, indptr, indices, values)?,
            slices: Slices::one(n),
            mean: vec![1.0; p],
            sd: vec![2.0; p],
            scale: vec![0.5; p],
        })
    }

    /// A trainer with the recorded initial values and pairs.
    pub fn trainer(&self, contrast: Contrast, device: &Device) -> Result<Trainer> {
        let n = self.count("/n")?;
        let params = self.params(contrast)?.check(n, 4)?;
        let input = match self.imputes() {
            true => Input::scaled(self.genes()?),
            false => Input::dense(self.matrix("x")?),
        };
        let order = (0..n as u32).collect();
        let mut trainer = Trainer::new(input, &self.graph()?, order, params, 1, 1, device)?;
        self.fill(&mut trainer.model, "init")?;
        if let Some(pairs) = self.pairs()? {
            trainer.set_pairs(&pairs)?;
        }
        Ok(trainer)
    }
}

fn set(var: &Var, values: Vec<f32>) -> Result<()> {
    let tensor = Tensor::from_vec(values, var.shape(), var.device())?;
    Ok(var.set(&tensor)?)
}
