//! A trainer that stands where a recorded run of SpaCross started.

use candle_core::Device;
use ndarray::ArrayD;

use super::draws::Draws;
use super::hybrid::{operator, Pairs};
use super::trainer::Trainer;
use super::{Contrast, Params};
use crate::design::Input;
use crate::graph::Graph;
use crate::nn::parameters::Arrays;
use crate::preprocess::ScaledGenes;
pub(super) use crate::recorded::Recorded as Reference;
use crate::recorded::State;
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

    /// The parameters of a state (`init`, `step0.after`, ...).
    pub(super) fn state<'a>(&'a self, name: &'a str) -> WithoutBiases<'a> {
        WithoutBiases(State { run: self, name })
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
            evened: Vec::new(),
        })
    }

    /// A trainer with the recorded initial values and pairs.
    pub fn trainer(&self, contrast: Contrast, device: &Device) -> Result<Trainer> {
        let n = self.count("/n")?;
        let params = self.params(contrast)?.check(n, 4)?;
        let input = match self.imputes() {
            true => Input::from(self.genes()?),
            false => Input::dense(self.matrix("x")?),
        };
        let order = (0..n as u32).collect();
        let mut trainer = Trainer::new(input, &self.graph()?, order, params, 1, 1, device)?;
        trainer.parameters.load(&self.state("init"))?;
        if let Some(pairs) = self.pairs()? {
            trainer.summaries = Some(operator(&pairs, n, device)?);
        }
        Ok(trainer)
    }
}

/// A state of a run, as arrays of our model: the published layers have biases, which are in our running means.
pub(super) struct WithoutBiases<'a>(pub State<'a>);

impl Arrays for WithoutBiases<'_> {
    fn array(&self, name: &str) -> Result<ArrayD<f64>> {
        let array = self.0.array(name)?;
        let Some(norm) = name.strip_suffix(".running_mean") else {
            return Ok(array);
        };
        let layer = match norm.strip_suffix(".bn") {
            Some(layer) => format!("{layer}.conv"),
            None => norm.replace(".1", ".0"),
        };
        Ok(array - self.0.array(&format!("{layer}.bias"))?)
    }
}
