//! What SpaCross's network and its training are told, and their check.

use serde::{Deserialize, Serialize};

use super::table::TABLE;
use crate::{options, Error, Result};

/// Which pairs the contrastive loss looks at (METHODS 6 a).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contrast {
    /// Each masked node and its own summary: as described.
    Node,
    /// Every masked node and every masked node's summary: as published. Quadratic in the nodes.
    AllPairs,
    /// No contrast, and no hybrid graph.
    #[serde(rename = "none")]
    Off,
}

/// The options of the network as a user gives them. [`Params::check`] turns them into [`ValidParams`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// Width of the first layer.
    pub hidden1: usize,
    /// Width of the second layer.
    pub hidden2: usize,
    /// Width of the first graph layer.
    pub gcn_hidden: usize,
    /// Width of the embedding.
    pub latent: usize,
    /// Width between encoder and projector.
    pub project: usize,
    /// Share of values dropped after each layer, in [0, 1).
    pub dropout: f64,
    /// Share of nodes masked in the online view, in (0, 1).
    pub mask_rate: f64,
    /// Share of masked nodes that take another node's features instead of the token.
    pub replace_rate: f64,
    /// m of the target encoder's moving average, in [0, 1); 0 copies the online encoder.
    pub momentum: f64,
    /// t, the exponent of the scaled cosine losses.
    pub sharpness: f64,
    /// Weight of the reconstruction loss.
    pub w_recon: f64,
    /// Weight of the latent consistency loss.
    pub w_consistency: f64,
    /// Weight of the contrastive loss.
    pub w_contrast: f64,
    /// Which pairs the contrastive loss looks at.
    pub contrast: Contrast,
    /// Most similar nodes (self first, and counted) that become candidates of the hybrid graph.
    /// Of several slices: most similar others in the own slice.
    pub top_k: usize,
    /// Most similar nodes of the other slices.
    pub top_k_inter: usize,
    /// Epochs between two hybrid graphs; the first is built after as many.
    pub update_every: usize,
    /// Whether a pair that is no spatial edge must share a cluster: as described. The published
    /// code never rejects one.
    pub cluster_test: bool,
    /// k-means runs of the hybrid graph's cluster test.
    pub kmeans_runs: usize,
    /// Step size of the optimiser.
    pub learning_rate: f64,
    /// L2 decay, added to the gradient.
    pub weight_decay: f64,
    /// Bound on the norm of all gradients together.
    pub clip_norm: f64,
    /// Steps of training, each over all cells.
    pub epochs: usize,
    /// Whether the decoder is linear and the input scaled genes. No option: what is asked for decides.
    #[serde(skip)]
    pub imputation: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            hidden1: 64,
            hidden2: 32,
            gcn_hidden: 64,
            latent: 16,
            project: 32,
            dropout: 0.2,
            mask_rate: 0.5,
            replace_rate: 0.05,
            momentum: 0.0,
            sharpness: 2.0,
            w_recon: 0.6,
            w_consistency: 0.3,
            w_contrast: 0.6,
            contrast: Contrast::Node,
            top_k: 20,
            top_k_inter: 60,
            update_every: 50,
            cluster_test: true,
            kmeans_runs: 5,
            learning_rate: 1e-3,
            weight_decay: 3e-4,
            clip_norm: 5.0,
            epochs: 300,
            imputation: false,
        }
    }
}

/// Settings that fit each other and the data.
#[derive(Clone, Debug)]
pub struct ValidParams {
    pub(crate) params: Params,
    /// K of the hybrid graph's k-means.
    pub(crate) n_domains: usize,
}

/// The largest number of cells for which [`Contrast::AllPairs`] makes sense.
pub const ALL_PAIRS_LIMIT: usize = 20_000;

impl Params {
    /// Checks every option against its row in the table, and against `n_cells` and `n_domains`.
    ///
    /// # Errors
    /// [`Error::Option`] naming the first option at fault; [`Error::Argument`] what does not fit the cells.
    pub fn check(self, n_cells: usize, n_domains: usize) -> Result<ValidParams> {
        options::check(&self, TABLE)?;
        self.check_against(n_cells, n_domains)?;
        Ok(ValidParams {
            params: self,
            n_domains,
        })
    }

    fn check_against(&self, n_cells: usize, n_domains: usize) -> Result<()> {
        require(
            n_cells < u32::MAX as usize,
            "object",
            "must have fewer than 2^32 - 1 cells",
        )?;
        require(
            (1..=n_cells).contains(&n_domains),
            "n.domains",
            "must be at least 1 and at most the number of cells",
        )?;
        let masked = (self.mask_rate * n_cells as f64).floor() as usize;
        require(
            masked >= 2 && masked < n_cells,
            "mask_rate",
            "must mask at least two cells and leave at least one: use more cells or another rate",
        )?;
        if self.contrast == Contrast::AllPairs && n_cells > ALL_PAIRS_LIMIT {
            return Err(Error::argument(
                "contrast",
                format!(
                    "the published all-pairs contrast compares every masked cell with every other: \
                     with {n_cells} cells that is out of reach (the limit is {ALL_PAIRS_LIMIT}). \
                     Leave out `published = TRUE`, or use `contrast = \"node\"`"
                ),
            ));
        }
        Ok(())
    }
}

fn require(holds: bool, argument: &'static str, demand: &str) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Error::argument(argument, format!("`{argument}` {demand}"))),
    }
}
