//! A trained model: its arrays, what it makes of further cells, and its file.

use extendr_api::prelude::*;
use ndarray::{Array1, ArrayD};
use serde_json::Value;
use spax_core::engine::model_file;
use spax_core::engine::tensors::Tensors;
use spax_core::Result;

use crate::convert::{doubles, expected, list, matrix, to_matrix};
use crate::error::guard;
use crate::json;

/// R's named list of double vectors and matrices.
pub fn tensors(x: &Robj) -> Result<Tensors> {
    let mut all = Tensors::default();
    for (name, value) in list(x, "tensors")?.iter() {
        let array = match value.dim() {
            Some(_) => matrix(value, name)?.to_owned().into_dyn(),
            None => Array1::from_vec(doubles(value, name)?.to_vec()).into_dyn(),
        };
        all.insert(name, array);
    }
    Ok(all)
}

/// R's named list of the arrays.
pub fn to_list(tensors: &Tensors) -> Robj {
    let pairs: Vec<(&String, Robj)> = tensors.iter().map(|(n, a)| (n, to_r(a))).collect();
    List::from_pairs(pairs).into()
}

fn to_r(array: &ArrayD<f64>) -> Robj {
    match array.view().into_dimensionality() {
        Ok(matrix) => to_matrix(matrix),
        Err(_) => array.iter().collect_robj(),
    }
}

pub fn raw(x: &Robj) -> Result<&[u8]> {
    x.as_raw_slice()
        .ok_or_else(|| expected("tensors", "a raw vector"))
}

fn to_raw(bytes: &[u8]) -> Robj {
    Raw::from_bytes(bytes).into()
}

/// @noRd
#[extendr]
fn core_tensors_write(tensors: Robj) -> Robj {
    guard(|| Ok(to_raw(&self::tensors(&tensors)?.write(None)?)))
}

/// @noRd
#[extendr]
fn core_tensors_read(bytes: Robj) -> Robj {
    guard(|| Ok(to_list(&Tensors::read(raw(&bytes)?)?)))
}

/// @noRd
#[extendr]
fn core_model_write(bytes: Robj, document: Robj) -> Robj {
    guard(|| {
        let tensors = Tensors::read(raw(&bytes)?)?;
        Ok(to_raw(&model_file::write(
            &tensors,
            &json::from_r(&document)?,
        )?))
    })
}

/// @noRd
#[extendr]
fn core_model_read(bytes: Robj) -> Robj {
    guard(|| {
        let (tensors, document): (Tensors, Value) = model_file::read(raw(&bytes)?)?;
        let tensors = to_raw(&tensors.write(None)?);
        Ok(list!(document = json::to_r(&document), tensors = tensors).into())
    })
}

extendr_module! {
    mod model;
    fn core_tensors_write;
    fn core_tensors_read;
    fn core_model_write;
    fn core_model_read;
}
