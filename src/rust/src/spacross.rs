//! The defaults of SpaCross.

use extendr_api::prelude::*;
use spax_core::preprocess::Settings;
use spax_core::systems::spacross::{Contrast, Params};

use crate::error::guard;

/// Neighbours of the spatial graph on a Visium grid (METHODS 1.2).
const NEIGHBOURS: i32 = 12;

const CONTRASTS: [(&str, Contrast); 3] = [
    ("node", Contrast::Node),
    ("all_pairs", Contrast::AllPairs),
    ("none", Contrast::Off),
];

fn name_of(contrast: Contrast) -> &'static str {
    let found = CONTRASTS.iter().find(|(_, known)| *known == contrast);
    found.map_or("none", |(name, _)| name)
}

/// @noRd
#[extendr]
fn core_spacross_defaults() -> Robj {
    guard(|| {
        let (s, p) = (Settings::default(), Params::default());
        let pairs: Vec<(&str, Robj)> = vec![
            ("n_genes", (s.n_genes as i32).into()),
            ("min_cells", (s.min_cells as i32).into()),
            ("min_counts", (s.min_counts as i32).into()),
            ("target_sum", s.target_sum.into()),
            ("log1p", s.log1p.into()),
            ("slice_center", "mean".into()),
            ("n_components", (s.n_components as i32).into()),
            ("k", NEIGHBOURS.into()),
            ("radius", ().into()),
            ("hidden1", (p.hidden1 as i32).into()),
            ("hidden2", (p.hidden2 as i32).into()),
            ("gcn_hidden", (p.gcn_hidden as i32).into()),
            ("latent", (p.latent as i32).into()),
            ("project", (p.project as i32).into()),
            ("dropout", p.dropout.into()),
            ("mask_rate", p.mask_rate.into()),
            ("replace_rate", p.replace_rate.into()),
            ("momentum", p.momentum.into()),
            ("sharpness", p.sharpness.into()),
            ("w_recon", p.w_recon.into()),
            ("w_consistency", p.w_consistency.into()),
            ("w_contrast", p.w_contrast.into()),
            ("contrast", name_of(p.contrast).into()),
            ("top_k", (p.top_k as i32).into()),
            ("top_k_inter", (p.top_k_inter as i32).into()),
            ("update_every", (p.update_every as i32).into()),
            ("cluster_test", p.cluster_test.into()),
            ("kmeans_runs", (p.kmeans_runs as i32).into()),
            ("learning_rate", p.learning_rate.into()),
            ("weight_decay", p.weight_decay.into()),
            ("clip_norm", p.clip_norm.into()),
            ("epochs", (p.epochs as i32).into()),
        ];
        Ok(List::from_pairs(pairs).into())
    })
}

extendr_module! {
    mod spacross;
    fn core_spacross_defaults;
}
