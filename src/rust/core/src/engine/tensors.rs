//! Named arrays, as safetensors bytes: what a trained model consists of.
//!
//! Matrices are kept in f32 (they come from f32, or are the bulk), vectors in f64.

use std::collections::{BTreeMap, HashMap};

use ndarray::{Array1, Array2, ArrayD};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::SafeTensors;

use crate::nn::parameters::Arrays;
use crate::preprocess::Projection;
use crate::{Error, Result};

/// Arrays by name, in the order of the names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(BTreeMap<String, ArrayD<f64>>);

impl FromIterator<(String, ArrayD<f64>)> for Tensors {
    fn from_iter<I: IntoIterator<Item = (String, ArrayD<f64>)>>(arrays: I) -> Self {
        Self(arrays.into_iter().collect())
    }
}

impl Arrays for Tensors {
    fn array(&self, name: &str) -> Result<ArrayD<f64>> {
        self.get(name).cloned()
    }
}

/// One array, ready to be written.
struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensors {
    /// Adds an array, or takes the place of the one of this name.
    pub fn insert(&mut self, name: impl Into<String>, array: ArrayD<f64>) {
        self.0.insert(name.into(), array);
    }

    /// All arrays, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &ArrayD<f64>)> {
        self.0.iter()
    }

    /// Whether there is an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// With the arrays of `other`, which replace those of the same names.
    pub fn extend(&mut self, other: Tensors) {
        self.0.extend(other.0);
    }

    /// The arrays of a projection, named from `prefix` on: mean, scale, rotation and turn of the features, those that
    /// it has.
    pub fn insert_projection(&mut self, prefix: &str, projection: &Projection) {
        let matrices = [
            ("rotation", &projection.rotation),
            ("turn", &projection.turn),
        ];
        for (part, matrix) in matrices {
            if let Some(matrix) = matrix {
                self.insert(format!("{prefix}.{part}"), matrix.clone().into_dyn());
            }
        }
        for (part, values) in [("mean", &projection.mean), ("scale", &projection.scale)] {
            let values = Array1::from_vec(values.clone());
            self.insert(format!("{prefix}.{part}"), values.into_dyn());
        }
    }

    /// Which of the genes that add up to a cell's total a projection uses, where these are not the network's.
    pub fn insert_genes(&mut self, prefix: &str, projection: &Projection) {
        let places = projection.genes.iter().map(|&gene| f64::from(gene));
        self.insert(
            format!("{prefix}.genes"),
            Array1::from_iter(places).into_dyn(),
        );
    }

    fn get(&self, name: &str) -> Result<&ArrayD<f64>> {
        let missing = || Error::model(format!("The model has no array `{name}`"));
        self.0.get(name).ok_or_else(missing)
    }

    /// # Errors
    /// No array of this name, or none with one dimension.
    pub fn vector(&self, name: &str) -> Result<Array1<f64>> {
        let array = self.get(name)?.clone().into_dimensionality();
        array.map_err(|_| Error::model(format!("`{name}` of the model is no vector")))
    }

    /// # Errors
    /// No array of this name, or none with two dimensions.
    pub fn matrix(&self, name: &str) -> Result<Array2<f64>> {
        let array = self.get(name)?.clone().into_dimensionality();
        array.map_err(|_| Error::model(format!("`{name}` of the model is no matrix")))
    }

    /// The safetensors bytes, with `metadata`.
    ///
    /// # Errors
    /// Arrays that the format cannot hold.
    pub fn write(&self, metadata: Option<HashMap<String, String>>) -> Result<Vec<u8>> {
        let stored: Vec<(&String, Stored)> = self.iter().map(|(n, a)| (n, store(a))).collect();
        let views = stored
            .iter()
            .map(|(name, s)| {
                let view = TensorView::new(s.dtype, s.shape.clone(), &s.bytes)?;
                Ok((name.as_str(), view))
            })
            .collect::<std::result::Result<Vec<_>, _>>();
        let bytes = views.and_then(|views| safetensors::serialize(views, metadata));
        bytes.map_err(|e| Error::Internal(e.to_string()))
    }

    /// The arrays of safetensors bytes.
    ///
    /// # Errors
    /// Bytes of another kind, cut off, or with numbers that are not finite.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|e| Error::model(format!("These are no safetensors: {e}")))?;
        let arrays = file.iter().map(|(name, view)| {
            let array = load(&view).ok_or_else(|| {
                Error::model(format!("The array `{name}` of the model is damaged"))
            })?;
            Ok((name.to_owned(), array))
        });
        arrays.collect::<Result<_>>().map(Self)
    }
}

fn store(array: &ArrayD<f64>) -> Stored {
    let bytes = match array.ndim() {
        0 | 1 => array.iter().flat_map(|v| v.to_le_bytes()).collect(),
        _ => array
            .iter()
            .flat_map(|&v| (v as f32).to_le_bytes())
            .collect(),
    };
    Stored {
        dtype: if array.ndim() < 2 {
            Dtype::F64
        } else {
            Dtype::F32
        },
        shape: array.shape().to_vec(),
        bytes,
    }
}

fn load(view: &TensorView) -> Option<ArrayD<f64>> {
    let values: Vec<f64> = match view.dtype() {
        Dtype::F32 => numbers(view.data(), |b| f32::from_le_bytes(b).into()),
        Dtype::F64 => numbers(view.data(), f64::from_le_bytes),
        _ => return None,
    };
    let finite = values.iter().all(|v| v.is_finite());
    let array = ArrayD::from_shape_vec(view.shape().to_vec(), values).ok()?;
    finite.then_some(array)
}

fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let chunks = bytes.chunks_exact(N);
    chunks
        .filter_map(|c| c.try_into().ok().map(&read))
        .collect()
}
