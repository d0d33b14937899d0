//! The defaults of SpaLORA.

use extendr_api::prelude::*;
use spax_core::systems::spalora::{GeneWeights, Init, Params, Sees};

use crate::error::guard;

const WEIGHTS: [(&str, GeneWeights); 3] = [
    ("rank", GeneWeights::Rank),
    ("published", GeneWeights::Published),
    ("none", GeneWeights::None),
];

const INITS: [(&str, Init); 2] = [("components", Init::Components), ("random", Init::Random)];

const INPUTS: [(&str, Sees); 2] = [("components", Sees::Components), ("genes", Sees::Genes)];

fn name_of(weights: GeneWeights) -> &'static str {
    let found = WEIGHTS.iter().find(|(_, known)| *known == weights);
    found.map_or("none", |(name, _)| name)
}

/// The options of the network.
///
/// @noRd
#[extendr]
fn core_spalora_defaults() -> Robj {
    guard(|| {
        let p = Params::default();
        Ok(list!(
            latent = p.latent as i32,
            w_recon = p.w_recon,
            w_cross = p.w_cross,
            weights = name_of(p.weights),
            input = INPUTS
                .iter()
                .find(|(_, sees)| *sees == p.sees)
                .map_or("genes", |(name, _)| name),
            init = INITS
                .iter()
                .find(|(_, init)| *init == p.init)
                .map_or("random", |(name, _)| name),
            learning_rate = p.learning_rate,
            weight_decay = p.weight_decay,
            epochs = p.epochs as i32
        )
        .into())
    })
}

extendr_module! {
    mod spalora;
    fn core_spalora_defaults;
}
