//! What SpaLORA's network and its training are told, and their check.

use serde::{Deserialize, Serialize};

use super::table::TABLE;
use crate::{options, Error, Result};

/// How much each gene counts in the reconstruction of the RNA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GeneWeights {
    /// By the rank of its mean expression, the lowest most: as described.
    Rank,
    /// By the order of the means of z-scores, taken for a rank: as published (METHODS 6 f).
    Published,
    /// All genes alike.
    None,
}

/// What the weights are before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// The modalities' principal components side by side, and even attention.
    Components,
    /// Random: as published.
    Random,
}

/// What the network sees of RNA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sees {
    /// Its components, and by them the genes.
    Components,
    /// All genes: as published.
    Genes,
}

/// The options of the network as a user gives them. [`Params::check`] turns them into [`ValidParams`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// d, the width of every embedding.
    pub latent: usize,
    /// Weights of the reconstructions, one each modality; the last repeats.
    pub w_recon: Vec<f64>,
    /// Weights of the consistencies, one each modality; the last repeats.
    pub w_cross: Vec<f64>,
    /// How much each gene counts in the reconstruction of RNA.
    pub weights: GeneWeights,
    /// What the network sees of RNA.
    #[serde(rename = "input")]
    pub sees: Sees,
    /// What training starts from.
    pub init: Init,
    /// Step size of the optimiser.
    pub learning_rate: f64,
    /// L2 decay, added to the gradient.
    pub weight_decay: f64,
    /// Steps of training, each over all cells.
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
    /// Checks every option against its row in the table, and against the number of modalities.
    ///
    /// # Errors
    /// [`Error::Option`] naming the first option at fault; [`Error::Argument`] too few modalities.
    pub fn check(self, n_modalities: usize) -> Result<ValidParams> {
        options::check(&self, TABLE)?;
        if n_modalities < 2 {
            let message = "`assays` must name at least two modalities";
            return Err(Error::argument("assays", message));
        }
        if self.init == Init::Components && self.latent < n_modalities {
            let message = "`latent` must be at least the number of modalities";
            return Err(Error::option("latent", message));
        }
        Ok(ValidParams {
            w_recon: one_each(&self.w_recon, n_modalities, "w_recon")?,
            w_cross: one_each(&self.w_cross, n_modalities, "w_cross")?,
            params: self,
        })
    }
}

/// A weight for each modality: the last repeats.
fn one_each(weights: &[f64], n: usize, name: &'static str) -> Result<Vec<f64>> {
    match weights.last() {
        Some(&last) if weights.len() <= n => {
            let repeats = std::iter::repeat(last);
            Ok(weights.iter().copied().chain(repeats).take(n).collect())
        }
        _ => Err(Error::option(
            name,
            format!(
                "the option `{name}` has {} numbers for {n} modalities: give one number, or one for each",
                weights.len()
            ),
        )),
    }
}
