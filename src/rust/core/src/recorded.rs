//! The published code's recorded runs: files of arrays and settings (their README says how they were made).

use std::collections::HashMap;
use std::path::Path;

use candle_core::{safetensors, DType, Device, Tensor};
use ndarray::{Array2, ArrayD};
use serde_json::Value;

use crate::nn::parameters::Arrays;
use crate::{Error, Result};

pub(crate) fn unreadable(what: impl std::fmt::Display) -> Error {
    Error::Internal(format!("the recorded run: {what}"))
}

/// A recorded run.
pub(crate) struct Recorded {
    pub tensors: HashMap<String, Tensor>,
    pub settings: Value,
}

impl Recorded {
    pub fn load(folder: &Path, name: &str) -> Result<Self> {
        let path = |ext: &str| folder.join(format!("{name}.{ext}"));
        let settings = std::fs::read_to_string(path("json")).map_err(unreadable)?;
        Ok(Self {
            tensors: safetensors::load(path("safetensors"), &Device::Cpu)?,
            settings: serde_json::from_str(&settings).map_err(unreadable)?,
        })
    }

    pub fn tensor(&self, name: &str) -> Result<&Tensor> {
        let missing = || unreadable(format!("no {name}"));
        self.tensors.get(name).ok_or_else(missing)
    }

    pub fn floats(&self, name: &str) -> Result<Vec<f32>> {
        let tensor = self.tensor(name)?.to_dtype(DType::F32)?;
        Ok(tensor.flatten_all()?.to_vec1()?)
    }

    pub fn array(&self, name: &str) -> Result<ArrayD<f64>> {
        let tensor = self.tensor(name)?.to_dtype(DType::F64)?;
        let values = tensor.flatten_all()?.to_vec1()?;
        ArrayD::from_shape_vec(tensor.dims(), values).map_err(unreadable)
    }

    pub fn nodes(&self, name: &str) -> Result<Vec<u32>> {
        let values = self.tensor(name)?.flatten_all()?.to_vec1::<i64>()?;
        Ok(values.into_iter().map(|v| v as u32).collect())
    }

    pub fn matrix(&self, name: &str) -> Result<Array2<f32>> {
        let dims = self.tensor(name)?.dims2()?;
        Array2::from_shape_vec(dims, self.floats(name)?).map_err(unreadable)
    }

    pub fn number(&self, path: &str) -> Result<f64> {
        let value = self.settings.pointer(path).and_then(Value::as_f64);
        value.ok_or_else(|| unreadable(format!("no {path}")))
    }

    pub fn count(&self, path: &str) -> Result<usize> {
        Ok(self.number(path)? as usize)
    }
}

/// The parameters that a run had at one of its states (`init`, `step0.after`, ...).
pub(crate) struct State<'a> {
    pub run: &'a Recorded,
    pub name: &'a str,
}

impl Arrays for State<'_> {
    fn array(&self, name: &str) -> Result<ArrayD<f64>> {
        self.run.array(&format!("{}.{name}", self.name))
    }
}
