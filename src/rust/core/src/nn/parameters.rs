//! The parameters of a model, made and named through candle-nn's `VarBuilder`.
//!
//! A model's constructor takes a [`Builder`] and asks it for each parameter by its name and shape; where the values
//! come from is the builder's [`Source`]: drawn ([`super::init::Drawn`]), or read from [`Arrays`] ([`Stored`]). Names
//! and layouts are PyTorch's, of the published models. What is made is registered in the order of its making, so that
//! the optimiser, model files and comparisons go over one list ([`Parameters`]) and name no parameter themselves.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Error, Result, Shape, Tensor, Var};
use candle_nn::var_builder::{Backend, VarBuilderArgs};
use ndarray::ArrayD;

use super::form::Form;
use super::init::Init;

/// candle-nn's builder over a [`Source`].
pub type Builder<'a> = VarBuilderArgs<'a, Registry<'a>>;

/// What a parameter is besides its name and shape.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kind {
    /// How it lies in arrays of its name.
    pub form: Form,
    /// Where it starts.
    pub init: Init,
    /// Whether gradients move it: not so for buffers.
    pub trained: bool,
}

impl Kind {
    /// A matrix that lies in its array as we hold it.
    pub fn matrix(init: Init) -> Self {
        Self::trained(Form::Matrix, init)
    }

    /// A trained parameter.
    pub fn trained(form: Form, init: Init) -> Self {
        Self {
            form,
            init,
            trained: true,
        }
    }
}

/// Where values of parameters come from.
pub trait Source: Send + Sync {
    /// Of one parameter, row by row as we hold it.
    ///
    /// # Errors
    /// A parameter that the source has not, or not of this shape.
    fn values(&self, name: &str, shape: (usize, usize), kind: &Kind) -> crate::Result<Vec<f64>>;
}

/// Arrays by their names: a model file, or a recorded run.
pub trait Arrays: Send + Sync {
    /// # Errors
    /// No array of this name.
    fn array(&self, name: &str) -> crate::Result<ArrayD<f64>>;
}

/// The values of a model that was kept.
pub struct Stored<'a>(pub &'a dyn Arrays);

impl Source for Stored<'_> {
    fn values(&self, name: &str, shape: (usize, usize), kind: &Kind) -> crate::Result<Vec<f64>> {
        kind.form.join(name, shape, self.0)
    }
}

/// The builder's backend: makes parameters, and keeps a list of them.
pub struct Registry<'a> {
    source: Box<dyn Source + 'a>,
    made: Arc<Mutex<Vec<Parameter>>>,
}

impl Backend for Registry<'_> {
    type Hints = Kind;

    fn get(
        &self,
        shape: Shape,
        name: &str,
        kind: Kind,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let shape = shape.dims2()?;
        let values = self.source.values(name, shape, &kind);
        let values = values.map_err(|e| Error::Msg(e.to_string()))?;
        let parameter = Parameter {
            name: name.to_owned(),
            var: variable(values, shape, dtype, device)?,
            kind,
        };
        let tensor = parameter.var.as_tensor().clone();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push(parameter);
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        candle_core::bail!("`{name}` is made only to a shape")
    }

    fn contains_tensor(&self, name: &str) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter().any(|parameter| parameter.name == name)
    }
}

fn variable(values: Vec<f64>, shape: (usize, usize), dtype: DType, device: &Device) -> Result<Var> {
    if dtype == DType::F64 {
        return Var::from_vec(values, shape, device);
    }
    let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
    Var::from_vec(values, shape, device)
}

/// Lets `make` construct a model, and gives the parameters that it asked for beside it.
///
/// # Errors
/// Those of `make` and of the source.
pub fn build<'a, T>(
    source: impl Source + 'a,
    device: &Device,
    make: impl FnOnce(Builder<'a>) -> Result<T>,
) -> Result<(T, Parameters)> {
    let made = Arc::new(Mutex::new(vec![]));
    let registry = Registry {
        source: Box::new(source),
        made: made.clone(),
    };
    let model = make(Builder::new_with_args(registry, DType::F32, device))?;
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((model, Parameters(std::mem::take(&mut *made))))
}

/// A trained parameter by its name at the builder's place.
///
/// # Errors
/// Those of the builder's source.
pub fn parameter(builder: &Builder, name: &str, shape: (usize, usize), kind: Kind) -> Result<Var> {
    Var::from_tensor(&builder.get_with_hints(shape, name, kind)?)
}

/// A parameter or buffer of a model.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// At its place in the model.
    pub name: String,
    /// Where the values are.
    pub var: Var,
    kind: Kind,
}

impl Parameter {
    /// The arrays of published names that `tensor` (the parameter itself, or its gradient) consists of.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn arrays(&self, tensor: &Tensor) -> crate::Result<Vec<(String, ArrayD<f64>)>> {
        let shape = tensor.dims2()?;
        let values = tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
        self.kind.form.split(&self.name, shape, values)
    }
}

/// The parameters of a model by their names, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<Parameter>);

impl Parameters {
    /// In the order of their making.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.0.iter()
    }

    /// Those of one part of the model, by their names in it.
    pub fn under(&self, part: &str) -> Self {
        let inside = |parameter: &Parameter| {
            let rest = parameter.name.strip_prefix(part)?;
            let name = match rest.strip_prefix('.') {
                Some(name) => name,
                None if rest.is_empty() => part,
                None => return None,
            };
            Some(Parameter {
                name: name.to_owned(),
                ..parameter.clone()
            })
        };
        Self(self.0.iter().filter_map(inside).collect())
    }

    /// Without the buffers.
    pub fn trained(&self) -> Self {
        let trained = self.0.iter().filter(|parameter| parameter.kind.trained);
        Self(trained.cloned().collect())
    }

    /// The variables, in the order of their making.
    pub fn vars(&self) -> Vec<Var> {
        self.0
            .iter()
            .map(|parameter| parameter.var.clone())
            .collect()
    }

    /// All values as arrays of the published names.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn arrays(&self) -> crate::Result<Vec<(String, ArrayD<f64>)>> {
        let mut all = vec![];
        for parameter in &self.0 {
            all.extend(parameter.arrays(&parameter.var.as_detached_tensor())?);
        }
        Ok(all)
    }

    /// Sets all values to those of `arrays`.
    ///
    /// # Errors
    /// Arrays that are missing or have another shape; a device that does not answer.
    pub fn load(&self, arrays: &dyn Arrays) -> crate::Result<()> {
        for Parameter { name, var, kind } in &self.0 {
            let shape = var.dims2()?;
            let values = kind.form.join(name, shape, arrays)?;
            var.set(variable(values, shape, var.dtype(), var.device())?.as_tensor())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashMap;

    use ndarray::array;

    use super::*;
    use crate::nn::init::{glorot, Drawn, AFFINE, ZEROS};

    impl Arrays for HashMap<String, ArrayD<f64>> {
        fn array(&self, name: &str) -> crate::Result<ArrayD<f64>> {
            let missing = || crate::Error::model(format!("no {name}"));
            self.get(name).cloned().ok_or_else(missing)
        }
    }

    /// A layer of every form.
    fn layer(builder: &Builder) -> Result<[Var; 4]> {
        let (inside, init) = (builder.pp("a"), glorot(2, 3));
        Ok([
            parameter(&inside, "weight", (2, 3), Kind::matrix(init))?,
            parameter(&inside, "u", (1, 3), Kind::trained(Form::Transposed, init))?,
            parameter(&inside, "bias", (1, 2), Kind::trained(Form::Row, ZEROS))?,
            parameter(builder, "ab", (2, 2), AFFINE)?,
        ])
    }

    fn made(source: impl Source) -> Result<Parameters> {
        Ok(build(source, &Device::Cpu, |builder| layer(&builder))?.1)
    }

    #[test]
    fn parameters_keep_their_order_names_and_layouts() {
        let (vars, all) = build(Drawn::new(1), &Device::Cpu, |builder| layer(&builder)).unwrap();
        let same = all.vars().iter().zip(&vars).all(|(a, b)| a.id() == b.id());
        assert!(same);
        let arrays = all.arrays().unwrap();
        let named = arrays
            .iter()
            .map(|(name, array)| (name.as_str(), array.shape()));
        let expected: [(&str, &[usize]); 5] = [
            ("a.weight", &[2, 3]),
            ("a.u", &[3, 1]),
            ("a.bias", &[2]),
            ("ab.weight", &[2]),
            ("ab.bias", &[2]),
        ];
        assert!(named.eq(expected));
        assert_eq!(arrays[3].1, array![1.0, 1.0].into_dyn());
        let inside: Vec<String> = all.under("a").iter().map(|p| p.name.clone()).collect();
        assert_eq!(inside, ["weight", "u", "bias"]);
    }

    #[test]
    fn arrays_give_the_parameters_back() {
        let all = made(Drawn::new(1)).unwrap();
        let kept: HashMap<_, _> = all.arrays().unwrap().into_iter().collect();
        let again = made(Stored(&kept)).unwrap();
        assert_eq!(again.arrays().unwrap(), all.arrays().unwrap());
        let other = made(Drawn::new(2)).unwrap();
        assert_ne!(other.arrays().unwrap(), all.arrays().unwrap());
        other.load(&kept).unwrap();
        assert_eq!(other.arrays().unwrap(), all.arrays().unwrap());
        for name in kept.keys() {
            let mut short = kept.clone();
            short.remove(name);
            assert!(made(Stored(&short)).is_err() && other.load(&short).is_err());
            short.insert(name.clone(), ArrayD::zeros(vec![1, 7]));
            assert!(made(Stored(&short)).is_err() && other.load(&short).is_err());
        }
    }
}
