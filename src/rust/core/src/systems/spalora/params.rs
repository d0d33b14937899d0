//! Settings of SpaLORA and their check.

use crate::{Error, Result};

/// How much each gene counts in the reconstruction of the RNA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneWeights {
    /// By the rank of its mean expression, the lowest most: as described.
    Rank,
    /// By the order of the means of z-scores, taken for a rank: as published (METHODS 6 f).
    Published,
    /// All genes alike.
    None,
}

/// What the weights are before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// The modalities' principal components side by side, and even attention.
    Components,
    /// Random: as published.
    Random,
}

/// What the network sees of RNA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    /// Its components, and by them the genes.
    Components,
    /// All genes: as published.
    Genes,
}

/// Settings as a user gives them. [`Params::check`] turns them into [`ValidParams`].
///
/// The names are those of the R function `spalora_options()`.
#[derive(Clone, Debug)]
pub struct Params {
    /// d, the width of every embedding.
    pub latent: usize,
    /// Weights of the reconstructions: one for all modalities, or one each.
    pub w_recon: Vec<f64>,
    /// Weights of the consistencies: one for all modalities, or one each.
    pub w_cross: Vec<f64>,
    pub weights: GeneWeights,
    /// The option `input`.
    pub sees: Sees,
    pub init: Init,
    pub learning_rate: f64,
    /// L2 decay, added to the gradient.
    pub weight_decay: f64,
    pub epochs: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            latent: 64,
            w_recon: vec![1.0],
            w_cross: vec![1.0],
            weights: GeneWeights::Rank,
            sees: Sees::Components,
            init: Init::Components,
            learning_rate: 1e-3,
            weight_decay: 0.0,
            epochs: 50,
        }
    }
}

/// Settings that fit each other and the modalities.
#[derive(Clone, Debug)]
pub struct ValidParams {
    pub(super) params: Params,
    /// One a modality.
    pub(super) w_recon: Vec<f64>,
    /// One a modality.
    pub(super) w_cross: Vec<f64>,
}

impl Params {
    /// Checks every setting against its range and the number of modalities.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the first setting at fault.
    pub fn check(self, n_modalities: usize) -> Result<ValidParams> {
        require(
            n_modalities >= 2,
            "assays",
            "must name at least two modalities",
        )?;
        require(
            (1..=4096).contains(&self.latent),
            "latent",
            "must lie in 1 to 4096",
        )?;
        require(
            self.init == Init::Random || self.latent >= n_modalities,
            "latent",
            "must be at least the number of modalities",
        )?;
        let positive = self.learning_rate.is_finite() && self.learning_rate > 0.0;
        require(positive, "learning_rate", "must be positive")?;
        let decay = self.weight_decay.is_finite() && self.weight_decay >= 0.0;
        require(decay, "weight_decay", "must be 0 or positive")?;
        require(self.epochs > 0, "epochs", "must be at least 1")?;
        Ok(ValidParams {
            w_recon: one_each(&self.w_recon, n_modalities, "w_recon")?,
            w_cross: one_each(&self.w_cross, n_modalities, "w_cross")?,
            params: self,
        })
    }
}

fn one_each(weights: &[f64], n: usize, name: &'static str) -> Result<Vec<f64>> {
    let valid = weights.iter().all(|w| w.is_finite() && *w >= 0.0);
    require(valid, name, "must be 0 or positive")?;
    match weights {
        [one] => Ok(vec![*one; n]),
        each if each.len() == n => Ok(each.to_vec()),
        each => Err(Error::argument(
            name,
            format!(
                "`{name}` has {} weights for {n} modalities: give one for all, or one each",
                each.len()
            ),
        )),
    }
}

fn require(holds: bool, argument: &'static str, demand: &str) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Error::argument(argument, format!("`{argument}` {demand}"))),
    }
}
