//! R values to Rust and back. A value of the wrong type is a fault of the R code, which has checked
//! the user's input before: an [`Error::Internal`] that names it.

use std::collections::HashMap;

use extendr_api::prelude::*;
use ndarray::{Array2, ArrayView2, ShapeBuilder};
use spax_core::slices::Slices;
use spax_core::{Error, Result};

/// What R's NA is among integers.
const NA_INTEGER: i32 = i32::MIN;

pub fn expected(name: &str, what: &str) -> Error {
    Error::Internal(format!("`{name}` must be {what}"))
}

pub fn flags(x: &Robj, what: &'static str) -> Result<Vec<bool>> {
    let values = x.as_logical_slice();
    let values = values.ok_or_else(|| expected(what, "a logical vector"))?;
    Ok(values.iter().map(|b| b.is_true()).collect())
}

/// A double vector, not copied.
pub fn doubles<'a>(x: &'a Robj, name: &str) -> Result<&'a [f64]> {
    x.as_real_slice()
        .ok_or_else(|| expected(name, "a double vector"))
}

/// An integer vector, not copied.
pub fn integers<'a>(x: &'a Robj, name: &str) -> Result<&'a [i32]> {
    x.as_integer_slice()
        .ok_or_else(|| expected(name, "an integer vector"))
}

/// One number, integer or double; None for NA.
pub fn optional_number(x: &Robj, name: &str) -> Result<Option<f64>> {
    let value = match (
        x.as_real_slice(),
        x.as_integer_slice(),
        x.as_logical_slice(),
    ) {
        (Some([value]), _, _) => *value,
        (_, Some([NA_INTEGER]), _) => f64::NAN,
        (_, Some([value]), _) => f64::from(*value),
        (_, _, Some([value])) if value.is_na() => f64::NAN,
        _ => return Err(expected(name, "one number")),
    };
    Ok((!value.is_nan()).then_some(value))
}

/// One number, integer or double.
pub fn number(x: &Robj, name: &str) -> Result<f64> {
    optional_number(x, name)?.ok_or_else(|| expected(name, "one number that is not missing"))
}

/// One whole number, not negative, exact in a double.
pub fn count(x: &Robj, name: &str) -> Result<usize> {
    whole(number(x, name)?, name)
}

fn whole(value: f64, name: &str) -> Result<usize> {
    if value >= 0.0 && value <= 2f64.powi(53) && value.fract() == 0.0 {
        return Ok(value as usize);
    }
    Err(expected(name, "one whole number that is not negative"))
}

/// A seed. R's whole numbers below 0 are as good as any: their 64 bits are taken as they are.
pub fn seed(x: &Robj) -> Result<u64> {
    let value = number(x, "seed")?;
    if value.fract() != 0.0 || value.abs() > 2f64.powi(53) {
        return Err(Error::argument("seed", "`seed` must be one whole number"));
    }
    Ok(value as i64 as u64)
}

/// `TRUE` or `FALSE`.
pub fn flag(x: &Robj, name: &str) -> Result<bool> {
    x.as_bool().ok_or_else(|| expected(name, "TRUE or FALSE"))
}

/// One string.
pub fn string<'a>(x: &'a Robj, name: &str) -> Result<&'a str> {
    x.as_str().ok_or_else(|| expected(name, "one string"))
}

/// Rows and columns of an R matrix.
fn dimensions(x: &Robj, name: &str) -> Result<(usize, usize)> {
    let dim = x.dim().ok_or_else(|| expected(name, "a matrix"))?;
    let dim: Vec<usize> = dim.iter().map(|d| d.0.max(0) as usize).collect();
    match dim[..] {
        [rows, columns] => Ok((rows, columns)),
        _ => Err(expected(name, "a matrix")),
    }
}

/// A double matrix, not copied: R's columns are the columns of the view.
pub fn matrix<'a>(x: &'a Robj, name: &str) -> Result<ArrayView2<'a, f64>> {
    let shape = dimensions(x, name)?;
    ArrayView2::from_shape(shape.f(), doubles(x, name)?)
        .map_err(|_| expected(name, "a double matrix"))
}

/// A double matrix as f32, row by row in memory. `argument` is the user's name for it.
///
/// # Errors
/// Values that are missing, infinite or beyond f32.
pub fn finite_f32(x: &Robj, argument: &'static str) -> Result<Array2<f32>> {
    let view = matrix(x, argument)?;
    let array = Array2::from_shape_fn(view.dim(), |at| view[at] as f32);
    if array.iter().all(|v| v.is_finite()) {
        return Ok(array);
    }
    let message = format!("`{argument}` has missing or infinite values: remove or replace them");
    Err(Error::argument(argument, message))
}

/// R's double matrix with the values of `array`.
pub fn to_matrix<T: Copy + Into<f64>>(array: ArrayView2<T>) -> Robj {
    RMatrix::new_matrix(array.nrows(), array.ncols(), |row, column| {
        array[[row, column]].into()
    })
    .into()
}

/// R's matrix of 1-based integers, `n x k`, from row-major 0-based ones.
pub fn to_index_matrix(index: &[u32], k: usize) -> Robj {
    RMatrix::new_matrix(index.len() / k.max(1), k, |row, column| {
        index[row * k + column] as i32 + 1
    })
    .into()
}

/// R's matrix of doubles, `n x k`, from row-major ones.
pub fn to_row_major_matrix(values: &[f64], k: usize) -> Robj {
    RMatrix::new_matrix(values.len() / k.max(1), k, |row, column| {
        values[row * k + column]
    })
    .into()
}

/// R's labels (from 1) as the core's (from 0).
pub fn labels(x: &Robj, name: &str) -> Result<Vec<u32>> {
    zero_based(integers(x, name)?, name)
}

/// The slice of each cell, from 1; NULL: one for all `n_cells`.
pub fn slices(x: &Robj, n_cells: usize) -> Result<Slices> {
    let slices = match x.is_null() {
        true => Slices::one(n_cells),
        false => Slices::new(labels(x, "slices")?)?,
    };
    match slices.n_cells() == n_cells {
        true => Ok(slices),
        false => Err(expected("slices", "one number a cell")),
    }
}

/// The columns of R's matrix of labels, one labelling each.
pub fn label_columns(x: &Robj) -> Result<Vec<Vec<u32>>> {
    let (rows, _) = dimensions(x, "labels")?;
    integers(x, "labels")?
        .chunks(rows.max(1))
        .map(|run| zero_based(run, "labels"))
        .collect()
}

fn zero_based(labels: &[i32], name: &str) -> Result<Vec<u32>> {
    labels
        .iter()
        .map(|&label| match label {
            1.. => Ok(label as u32 - 1),
            _ => Err(expected(name, "labels from 1, none missing")),
        })
        .collect()
}

/// The core's numbers (from 0) as R's (from 1).
pub fn from_zero_based(labels: &[u32]) -> Robj {
    labels.iter().map(|&label| label as i32 + 1).collect_robj()
}

/// A named list by its names.
pub fn list(x: &Robj, name: &str) -> Result<HashMap<String, Robj>> {
    x.as_list()
        .and_then(|list| HashMap::try_from(&list).ok())
        .ok_or_else(|| expected(name, "a named list"))
}

/// The values of a list.
pub fn items(x: &Robj, name: &str) -> Result<Vec<Robj>> {
    let list = x.as_list().ok_or_else(|| expected(name, "a list"))?;
    Ok(list.values().collect())
}

/// A named list.
pub struct Options(HashMap<String, Robj>);

impl Options {
    pub fn new(x: &Robj) -> Result<Self> {
        list(x, "options").map(Self)
    }

    pub fn get(&self, name: &str) -> Result<&Robj> {
        self.0
            .get(name)
            .ok_or_else(|| Error::Internal(format!("the option `{name}` is not in the list")))
    }

    pub fn number(&self, name: &str) -> Result<f64> {
        number(self.get(name)?, name)
    }

    pub fn count(&self, name: &str) -> Result<usize> {
        count(self.get(name)?, name)
    }

    pub fn flag(&self, name: &str) -> Result<bool> {
        flag(self.get(name)?, name)
    }

    pub fn string(&self, name: &str) -> Result<&str> {
        string(self.get(name)?, name)
    }
}

/// What an external pointer of `T` holds.
///
/// # Errors
/// Another object, or a pointer that was saved and read again: R writes NULL for it.
pub fn pointer<'a, T: 'static>(x: &'a Robj, what: &str) -> Result<&'a T> {
    let pointer: &ExternalPtr<T> = x.try_into().map_err(|error| match error {
        extendr_api::error::Error::ExpectedExternalNonNullPtr(_) => Error::Internal(format!(
            "this {what} lives in the R session that made it, and cannot be saved: make it anew"
        )),
        _ => expected(what, "an external pointer of that kind"),
    })?;
    Ok(pointer)
}
