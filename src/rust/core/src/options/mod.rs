//! The options of a system have one truth: a serde struct with their default values, and a table that says which values
//! each may take and what it is for. Whoever else knows options reads these two: R checks, prints and documents from
//! them, and the example program takes its settings by them.
//!
//! Options arrive as JSON. [`parse`] lays what was given over the defaults, [`resolve`] also over a preset or the
//! published settings; both check every value against its row before serde sees it, so that an error names the option.

mod describe;
mod domains;
mod layers;
mod row;

pub use describe::describe;
pub use domains::{
    rows as domain_rows, ClusterMethod, DomainOptions, DomainSource, EmbeddingSource,
};
pub use layers::{check, parse, resolve, Base};
pub use row::{Kind, Range, Row, Section};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All options of a system, as one struct that serde reads and writes flat.
pub trait OptionSet: Clone + Default + Serialize + DeserializeOwned {
    /// The system's name as people write it.
    const SYSTEM: &'static str;
    /// A row for every option, in the order in which they are listed.
    const TABLE: &'static [Row];

    /// Named settings for a kind of data: objects that hold some of the options.
    fn presets() -> Vec<(&'static str, Value)>;

    /// What the published code does.
    fn published() -> Published;
}

/// The settings of the published code, as objects that hold some of the options.
pub struct Published {
    /// What the code fixes, whatever the defaults become.
    pub fixed: Value,
    /// What it leaves to its user, at its own defaults.
    pub free: Value,
    /// What differs from `free` with several slices.
    pub several: Value,
    /// The preset it is run with where none is named.
    pub preset: &'static str,
}

/// Who is a spatial neighbour of whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphOptions {
    /// Nearest neighbours.
    pub k: usize,
    /// All cells within this distance instead.
    pub radius: Option<f64>,
}
