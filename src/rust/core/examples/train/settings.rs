//! What a run is told, from JSON.

use serde_json::{json, Map, Value};
use spax_core::options::{resolve, Base};
use spax_core::preprocess;
use spax_core::systems::spacross::{Options, Params};
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

/// The settings in a file, or the defaults: `n_domains`, `seed`, `imputation` and `preset`, and the options of the system.
pub fn read(path: Option<&str>) -> Result<Settings> {
    let Some(path) = path else {
        return told(Map::new());
    };
    let text = std::fs::read_to_string(path).map_err(|e| fault(format!("{path}: {e}")))?;
    let entries = serde_json::from_str(&text).map_err(|e| fault(format!("{path}: {e}")))?;
    told(entries).map_err(|e| fault(format!("{path}: {e}")))
}

fn told(mut entries: Map<String, Value>) -> Result<Settings> {
    let mut take = |name: &str, default: Value| entries.remove(name).unwrap_or(default);
    let n_domains = whole("n_domains", take("n_domains", json!(7)))?;
    let seed = whole("seed", take("seed", json!(1)))?;
    let imputation = take("imputation", json!(false));
    let imputation = imputation
        .as_bool()
        .ok_or_else(|| fault("`imputation` must be true or false"))?;
    let preset = take("preset", Value::Null);
    let base = Base {
        preset: preset.as_str(),
        ..Base::default()
    };
    let options: Options = resolve(&Value::Object(entries), base)?;
    Ok(Settings {
        params: Params {
            imputation,
            ..options.network.clone()
        },
        features: preprocess::Settings {
            scaled_genes: imputation,
            ..options.features()
        },
        n_domains: n_domains as usize,
        seed,
        k: options.graph.k,
    })
}

fn whole(name: &str, value: Value) -> Result<u64> {
    let wrong = || fault(format!("`{name}` must be a whole number, not {value}"));
    value.as_u64().ok_or_else(wrong)
}
