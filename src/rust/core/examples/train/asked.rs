//! What a run is told, from JSON.

use serde_json::{json, Map, Value};
use spax_core::engine::{Asked, Tissue};
use spax_core::options::Base;
use spax_core::preprocess::ModalityKind;
use spax_core::systems;
use spax_core::Result;

use crate::fault;

/// One matrix of the input.
pub struct Modality {
    pub name: String,
    pub kind: ModalityKind,
    /// Whether its arrays are named after it: where there are several.
    named: bool,
}

impl Modality {
    /// The name of its array `part` in the input file.
    pub fn array(&self, part: &str) -> String {
        match self.named {
            true => format!("{}/{part}", self.name),
            false => part.into(),
        }
    }
}

/// Everything that a run is told.
pub struct Told {
    /// The system's name.
    pub system: String,
    pub asked: Asked,
    /// Whether several slices lie on each other.
    pub stacked: bool,
    pub modalities: Vec<Modality>,
    /// Options by name.
    given: Value,
    preset: Option<String>,
}

impl Told {
    /// All options of the system.
    pub fn options(&self, tissue: &Tissue) -> Result<Value> {
        let base = Base {
            preset: self.preset.as_deref(),
            published: self.asked.published,
            several: tissue.slices().n_slices() > 1,
        };
        (systems::find(&self.system)?.resolve)(&self.given, base)
    }
}

/// The settings in a file, or the defaults.
pub fn read(path: Option<&str>) -> Result<Told> {
    let Some(path) = path else {
        return told(Map::new());
    };
    let text = std::fs::read_to_string(path).map_err(|e| fault(format!("{path}: {e}")))?;
    let entries = serde_json::from_str(&text).map_err(|e| fault(format!("{path}: {e}")))?;
    told(entries).map_err(|e| fault(format!("{path}: {e}")))
}

fn told(mut entries: Map<String, Value>) -> Result<Told> {
    let mut take = |name: &str, default: Value| entries.remove(name).unwrap_or(default);
    let system = text("system", &take("system", json!("spacross")))?;
    let asked = Asked {
        n_domains: whole("n_domains", &take("n_domains", json!(7)))? as usize,
        seed: whole("seed", &take("seed", json!(1)))?,
        published: flag("published", &take("published", json!(false)))?,
        impute: flag("impute", &take("impute", json!(false)))?,
    };
    let stacked = flag("stacked", &take("stacked", json!(true)))?;
    let modalities = modalities(&take("modalities", Value::Null))?;
    let preset = match take("preset", Value::Null) {
        Value::Null => None,
        name => Some(text("preset", &name)?),
    };
    Ok(Told {
        system,
        asked,
        stacked,
        modalities,
        given: Value::Object(entries),
        preset,
    })
}

/// `[{"name": "RNA", "kind": "rna"}, ...]`, or one matrix of RNA.
fn modalities(given: &Value) -> Result<Vec<Modality>> {
    let Some(list) = given.as_array() else {
        let (name, kind) = ("counts".into(), ModalityKind::Rna);
        return Ok(vec![Modality {
            name,
            kind,
            named: false,
        }]);
    };
    let each = list.iter().map(|one| {
        Ok(Modality {
            name: text("name", &one["name"])?,
            kind: kind(&text("kind", &one["kind"])?)?,
            named: true,
        })
    });
    each.collect()
}

fn kind(name: &str) -> Result<ModalityKind> {
    ModalityKind::named(name).ok_or_else(|| fault(format!("there is no kind \"{name}\"")))
}

fn text(name: &str, value: &Value) -> Result<String> {
    let wrong = || fault(format!("`{name}` must be a text, not {value}"));
    value.as_str().map(str::to_owned).ok_or_else(wrong)
}

fn flag(name: &str, value: &Value) -> Result<bool> {
    let wrong = || fault(format!("`{name}` must be true or false, not {value}"));
    value.as_bool().ok_or_else(wrong)
}

fn whole(name: &str, value: &Value) -> Result<u64> {
    let wrong = || fault(format!("`{name}` must be a whole number, not {value}"));
    value.as_u64().ok_or_else(wrong)
}
