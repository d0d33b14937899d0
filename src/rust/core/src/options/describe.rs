//! An option set as a document, for whoever lists options.

use serde_json::{json, Value};

use super::layers::value_of;
use super::{OptionSet, Row};
use crate::Result;

/// The system's name, the presets' names, and for each option its row, its default, and in words what it must be.
///
/// # Errors
/// None in a set whose table and struct agree.
pub fn describe<T: OptionSet>() -> Result<Value> {
    let defaults = value_of(&T::default())?;
    let rows = T::TABLE.iter().map(|row| described(row, &defaults));
    let presets: Vec<&str> = T::presets().into_iter().map(|(name, _)| name).collect();
    Ok(json!({
        "system": T::SYSTEM,
        "options": rows.collect::<Result<Vec<_>>>()?,
        "presets": presets,
    }))
}

fn described(row: &Row, defaults: &Value) -> Result<Value> {
    let mut all = value_of(row)?;
    all["default"] = defaults[row.name].clone();
    all["demand"] = row.demand().into();
    Ok(all)
}
