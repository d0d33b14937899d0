//! The systems that find domains. Each is a folder with what makes it what it is: parameters, model, schedule, losses;
//! and a line in [`ALL`]. No system knows another.

use serde_json::Value;

use crate::engine::{Asked, Opened, Tissue};
use crate::options::{self, Base, OptionSet};
use crate::{Error, Result};

pub mod baseline;
pub mod predictive;
pub mod spacross;
pub mod spalora;

/// A system as those find it who know its name only.
pub struct Entry {
    /// In lower case, as in model files.
    pub name: &'static str,
    /// Makes it ready for a run.
    pub open: fn(&Value, &Asked, &Tissue) -> Result<Opened>,
    /// All its options, those that were given over a preset or the published settings over the defaults.
    pub resolve: fn(&Value, Base) -> Result<Value>,
    /// Its options as a document (see [`options::describe`]).
    pub options: fn() -> Result<Value>,
}

/// Every system.
pub const ALL: [Entry; 4] = [
    entry::<spacross::Options>("spacross", spacross::system::open),
    entry::<spalora::Options>("spalora", spalora::system::open),
    entry::<predictive::Options>("ppca", predictive::open),
    entry::<baseline::Options>("baseline", baseline::open),
];

const fn entry<T: OptionSet>(
    name: &'static str,
    open: fn(&Value, &Asked, &Tissue) -> Result<Opened>,
) -> Entry {
    Entry {
        name,
        open,
        resolve: resolve::<T>,
        options: options::describe::<T>,
    }
}

fn resolve<T: OptionSet>(given: &Value, base: Base) -> Result<Value> {
    let all: T = options::resolve(given, base)?;
    serde_json::to_value(all).map_err(|e| Error::Internal(e.to_string()))
}

/// The system of that name.
///
/// # Errors
/// A name that none has.
pub fn find(name: &str) -> Result<&'static Entry> {
    let known = ALL.iter().find(|entry| entry.name == name);
    known.ok_or_else(|| Error::model(format!("there is no system \"{name}\"")))
}
