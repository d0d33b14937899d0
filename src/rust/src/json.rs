//! R's lists and vectors as JSON and back.
//!
//! A vector of one value becomes a value, a longer one an array, a named list an object. Back, an array
//! of texts or of numbers becomes a vector, any other a list of its values.

use extendr_api::prelude::*;
use serde_json::{Map, Number, Value};
use spax_core::{Error, Result};

/// # Errors
/// Values other than lists, NULL, logical, integer, double and character vectors.
pub fn from_r(x: &Robj) -> Result<Value> {
    if x.is_null() {
        return Ok(Value::Null);
    }
    if let Some(list) = x.as_list() {
        return from_list(&list);
    }
    let values: Vec<Value> = if let Some(texts) = x.as_str_vector() {
        texts.into_iter().map(Value::from).collect()
    } else if let Some(flags) = x.as_logical_slice() {
        flags.iter().map(|b| Value::from(b.is_true())).collect()
    } else if let Some(whole) = x.as_integer_slice() {
        whole.iter().map(|&i| Value::from(i)).collect()
    } else if let Some(numbers) = x.as_real_slice() {
        numbers.iter().map(|&v| number(v)).collect()
    } else {
        return Err(Error::Internal("a value that JSON cannot hold".into()));
    };
    Ok(match <[Value; 1]>::try_from(values) {
        Ok([value]) => value,
        Err(values) => Value::Array(values),
    })
}

fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn from_list(list: &List) -> Result<Value> {
    let named = list.names().is_some();
    if !named {
        return list.values().map(|v| from_r(&v)).collect::<Result<_>>();
    }
    let pairs = list
        .iter()
        .map(|(name, v)| Ok((name.to_owned(), from_r(&v)?)));
    pairs.collect::<Result<Map<_, _>>>().map(Value::Object)
}

pub fn to_r(value: &Value) -> Robj {
    match value {
        Value::Null => ().into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64().map(i32::try_from) {
            Some(Ok(whole)) => whole.into(),
            _ => number.as_f64().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(values) => match (texts(values), wholes(values), numbers(values)) {
            (Some(texts), ..) => texts.into(),
            (_, Some(wholes), _) => wholes.into(),
            (_, _, Some(numbers)) => numbers.into(),
            _ => List::from_values(values.iter().map(to_r)).into(),
        },
        Value::Object(pairs) => {
            List::from_pairs(pairs.iter().map(|(name, value)| (name, to_r(value)))).into()
        }
    }
}

/// The whole numbers of an array that holds nothing else.
fn wholes(values: &[Value]) -> Option<Vec<i32>> {
    let whole = |v: &Value| v.as_i64().and_then(|i| i32::try_from(i).ok());
    let all: Option<Vec<i32>> = values.iter().map(whole).collect();
    all.filter(|all| !all.is_empty())
}

/// The numbers of an array that holds nothing else.
fn numbers(values: &[Value]) -> Option<Vec<f64>> {
    let all: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
    all.filter(|all| !all.is_empty())
}

/// The strings of an array that holds nothing else.
fn texts(values: &[Value]) -> Option<Vec<&str>> {
    let all: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
    all.filter(|texts| !texts.is_empty())
}
