//! What was given, over a preset or the published settings, over the defaults.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{OptionSet, Row};
use crate::{Error, Result};

/// What the options that were not given by name follow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Base<'a> {
    /// A preset by name.
    pub preset: Option<&'a str>,
    /// Whether to run as the published code does.
    pub published: bool,
    /// Whether there are several slices.
    pub several: bool,
}

/// The options in an object, the others at their defaults.
///
/// # Errors
/// [`Error::Option`]: a value that is not allowed; [`Error::Argument`]: a name that is no option.
pub fn parse<T: OptionSet>(given: &Value) -> Result<T> {
    resolve(given, Base::default())
}

/// The options in an object, the others as `base` says.
///
/// # Errors
/// As [`parse`]; a preset that there is not, or an option that the published code fixes otherwise.
pub fn resolve<T: OptionSet>(given: &Value, base: Base) -> Result<T> {
    let given = taken::<T>(given)?;
    let mut all = taken::<T>(&value_of(&T::default())?)?;
    if base.published {
        let published = T::published();
        let fixed = taken::<T>(&published.fixed)?;
        check_fixed(&given, &fixed)?;
        all.extend(taken::<T>(&published.free)?);
        if base.several {
            all.extend(taken::<T>(&published.several)?);
        }
        all.extend(preset::<T>(base.preset.unwrap_or(published.preset))?);
        all.extend(given);
        all.extend(fixed);
    } else {
        all.extend(
            base.preset
                .map(preset::<T>)
                .transpose()?
                .unwrap_or_default(),
        );
        all.extend(given);
    }
    serde_json::from_value(Value::Object(all)).map_err(disagreement)
}

/// Checks options that a program put together, whole or in part.
///
/// # Errors
/// [`Error::Option`]: the first that is not allowed.
pub fn check(options: &impl Serialize, table: &[Row]) -> Result<()> {
    let values = object(value_of(options)?)?;
    let mut rows = table.iter();
    rows.try_for_each(|row| match values.get(row.name) {
        Some(value) => row.take(value).map(drop),
        None => Ok(()),
    })
}

/// The entries of an object, checked, in the types of the struct.
fn taken<T: OptionSet>(given: &Value) -> Result<Map<String, Value>> {
    let take = |(name, value): (String, Value)| {
        let row = T::TABLE.iter().find(|row| row.name == name);
        let row = row.ok_or_else(|| unknown::<T>(&name))?;
        Ok((name, row.take(&value)?))
    };
    object(given.clone())?.into_iter().map(take).collect()
}

fn preset<T: OptionSet>(name: &str) -> Result<Map<String, Value>> {
    let presets = T::presets();
    match presets.iter().find(|(known, _)| *known == name) {
        Some((_, values)) => taken::<T>(values),
        None => {
            let known: Vec<&str> = presets.iter().map(|(known, _)| *known).collect();
            let known = known.join("\", \"");
            let message = format!("`preset` must be one of \"{known}\", not \"{name}\"");
            Err(Error::argument("preset", message))
        }
    }
}

fn check_fixed(given: &Map<String, Value>, fixed: &Map<String, Value>) -> Result<()> {
    let differs = |name: &&String| fixed.get(*name).is_some_and(|value| given[*name] != *value);
    let clash: Vec<&str> = given.keys().filter(differs).map(String::as_str).collect();
    if clash.is_empty() {
        return Ok(());
    }
    let several = if clash.len() > 1 { "s" } else { "" };
    let names = clash.join("`, `");
    let message = format!(
        "`published = TRUE` fixes the option{several} `{names}`: leave it out of the options, or leave out `published = TRUE`"
    );
    Err(Error::argument("published", message))
}

fn unknown<T: OptionSet>(name: &str) -> Error {
    let message = format!("`{name}` is not an option of {}", T::SYSTEM);
    Error::argument("options", message)
}

fn object(value: Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(entries) => Ok(entries),
        other => Err(Error::argument(
            "options",
            format!("the options must be an object with a name for each, not {other}"),
        )),
    }
}

pub(super) fn value_of(options: &impl Serialize) -> Result<Value> {
    serde_json::to_value(options).map_err(disagreement)
}

/// The table allows what the struct does not: a fault of this program.
fn disagreement(error: serde_json::Error) -> Error {
    Error::Internal(format!("an option of another type: {error}"))
}
