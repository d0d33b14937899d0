//! The options of a system, as its core knows them.

use extendr_api::prelude::*;
use serde_json::Value;
use spax_core::options::Base;
use spax_core::systems;
use spax_core::Result;

use crate::convert::{flag, string};
use crate::error::guard;
use crate::json;

/// Its name in messages, its presets, and a row for every option.
/// @noRd
#[extendr]
fn core_option_table(system: Robj) -> Robj {
    guard(|| {
        let entry = systems::find(string(&system, "system")?)?;
        Ok(json::to_r(&(entry.options)()?))
    })
}

/// Every option of the system: those in the list `given`, and the others as `preset` (NULL for none), the published
/// code (with `several` slices, or one) or the defaults have them.
/// @noRd
#[extendr]
fn core_options_resolved(
    system: Robj,
    given: Robj,
    preset: Robj,
    published: Robj,
    several: Robj,
) -> Robj {
    guard(|| {
        let entry = systems::find(string(&system, "system")?)?;
        let preset = (!preset.is_null()).then(|| string(&preset, "preset"));
        let base = Base {
            preset: preset.transpose()?,
            published: flag(&published, "published")?,
            several: flag(&several, "several")?,
        };
        let all = (entry.resolve)(&object(&given)?, base)?;
        Ok(json::to_r(&all))
    })
}

/// A list without entries has no names that would make it an object.
fn object(given: &Robj) -> Result<Value> {
    let value = json::from_r(given)?;
    Ok(match value.as_array().is_some_and(Vec::is_empty) {
        true => Value::Object(Default::default()),
        false => value,
    })
}

extendr_module! {
    mod options;
    fn core_option_table;
    fn core_options_resolved;
}
