//! Settings from JSON.

use serde_json::Value;
use spax_core::preprocess;
use spax_core::systems::spacross::{Contrast, Params};
use spax_core::Result;

use crate::fault;

/// Everything that a run is told.
pub struct Settings {
    pub params: Params,
    pub features: preprocess::Settings,
    pub n_domains: usize,
    pub seed: u64,
    pub k: usize,
}

/// The settings in a file, or the defaults. A name that is not known is an error.
pub fn read(path: Option<&str>) -> Result<Settings> {
    let mut settings = Settings {
        params: Params::default(),
        features: preprocess::Settings::default(),
        n_domains: 7,
        seed: 1,
        k: 12,
    };
    let Some(path) = path else {
        return Ok(settings);
    };
    let text = std::fs::read_to_string(path).map_err(|e| fault(format!("{path}: {e}")))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| fault(format!("{path}: {e}")))?;
    let Value::Object(entries) = value else {
        return Err(fault(format!("{path} holds no JSON object")));
    };
    for (name, value) in &entries {
        let known = count(&mut settings, name, value)
            || number(&mut settings, name, value)
            || other(&mut settings, name, value);
        if !known {
            return Err(fault(format!("{path}: `{name}: {value}` is not known")));
        }
    }
    Ok(settings)
}

fn count(settings: &mut Settings, name: &str, value: &Value) -> bool {
    let Some(number) = value.as_u64() else {
        return false;
    };
    let (p, f) = (&mut settings.params, &mut settings.features);
    let place = match name {
        "hidden1" => &mut p.hidden1,
        "hidden2" => &mut p.hidden2,
        "gcn_hidden" => &mut p.gcn_hidden,
        "latent" => &mut p.latent,
        "project" => &mut p.project,
        "top_k" => &mut p.top_k,
        "update_every" => &mut p.update_every,
        "kmeans_runs" => &mut p.kmeans_runs,
        "epochs" => &mut p.epochs,
        "n_genes" => &mut f.n_genes,
        "min_cells" => &mut f.min_cells,
        "n_components" => &mut f.n_components,
        "n_domains" => &mut settings.n_domains,
        "k" => &mut settings.k,
        "seed" => {
            settings.seed = number;
            return true;
        }
        _ => return false,
    };
    *place = number as usize;
    true
}

fn number(settings: &mut Settings, name: &str, value: &Value) -> bool {
    let Some(number) = value.as_f64() else {
        return false;
    };
    let (p, f) = (&mut settings.params, &mut settings.features);
    let place = match name {
        "dropout" => &mut p.dropout,
        "mask_rate" => &mut p.mask_rate,
        "replace_rate" => &mut p.replace_rate,
        "momentum" => &mut p.momentum,
        "sharpness" => &mut p.sharpness,
        "w_recon" => &mut p.w_recon,
        "w_consistency" => &mut p.w_consistency,
        "w_contrast" => &mut p.w_contrast,
        "learning_rate" => &mut p.learning_rate,
        "weight_decay" => &mut p.weight_decay,
        "clip_norm" => &mut p.clip_norm,
        "min_counts" => &mut f.min_counts,
        "target_sum" => &mut f.target_sum,
        _ => return false,
    };
    *place = number;
    true
}

fn other(settings: &mut Settings, name: &str, value: &Value) -> bool {
    match (name, value) {
        ("contrast", Value::String(kind)) => {
            settings.params.contrast = match kind.as_str() {
                "node" => Contrast::Node,
                "all_pairs" => Contrast::AllPairs,
                "none" => Contrast::Off,
                _ => return false,
            };
        }
        ("cluster_test", Value::Bool(flag)) => settings.params.cluster_test = *flag,
        ("log1p", Value::Bool(flag)) => settings.features.log1p = *flag,
        ("imputation", Value::Bool(flag)) => {
            settings.params.imputation = *flag;
            settings.features.scaled_genes = *flag;
        }
        _ => return false,
    }
    true
}
