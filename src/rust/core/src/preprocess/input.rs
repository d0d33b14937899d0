//! What preprocessing hands to training.

use super::{Columns, Features, ScaledGenes};
use crate::design::{Input, Scaled};

impl From<ScaledGenes> for Input {
    fn from(genes: ScaledGenes) -> Self {
        let (mean, scale) = (&genes.mean, &genes.scale);
        Self::scaled(Scaled::new(genes.matrix, genes.slices, mean, scale))
    }
}

impl From<&Features> for Input {
    fn from(features: &Features) -> Self {
        match &features.input {
            Columns::Dense(x) => Self::dense(x.clone()),
            Columns::Scaled(genes) => genes.clone().into(),
        }
    }
}
