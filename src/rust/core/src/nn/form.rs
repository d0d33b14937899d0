//! How parameters lie in the arrays of PyTorch's models.

use ndarray::{Array1, Array2, ArrayD};

use super::parameters::Arrays;
use crate::{Error, Result};

/// How a parameter lies in one array, or several.
#[derive(Clone, Copy, Debug, Default)]
pub enum Form {
    /// As we hold it.
    #[default]
    Matrix,
    /// The array is the transpose.
    Transposed,
    /// A vector, which we hold as one row.
    Row,
    /// A vector a row, each named so after the parameter.
    Rows(&'static [&'static str]),
}

impl Form {
    /// The arrays of a parameter of these values.
    ///
    /// # Errors
    /// Another number of values.
    pub fn split(
        self,
        name: &str,
        shape: (usize, usize),
        values: Vec<f64>,
    ) -> Result<Vec<(String, ArrayD<f64>)>> {
        let internal = |e: ndarray::ShapeError| Error::Internal(e.to_string());
        let matrix = Array2::from_shape_vec(shape, values).map_err(internal)?;
        let one = |array: ArrayD<f64>| vec![(name.to_owned(), array)];
        Ok(match self {
            Form::Matrix => one(matrix.into_dyn()),
            Form::Transposed => one(matrix.reversed_axes().into_dyn()),
            Form::Row => one(matrix.row(0).to_owned().into_dyn()),
            Form::Rows(parts) => {
                let rows = parts.iter().zip(matrix.rows());
                let array = |(part, row): (&&str, ndarray::ArrayView1<f64>)| {
                    (format!("{name}.{part}"), row.to_owned().into_dyn())
                };
                rows.map(array).collect()
            }
        })
    }

    /// The values of a parameter, row by row, from its arrays.
    ///
    /// # Errors
    /// Arrays that are missing or have another shape.
    pub fn join(self, name: &str, shape: (usize, usize), arrays: &dyn Arrays) -> Result<Vec<f64>> {
        match self {
            Form::Matrix => matrix(name, shape, arrays).map(|m| m.iter().copied().collect()),
            Form::Transposed => {
                let array = matrix(name, (shape.1, shape.0), arrays)?;
                Ok(array.t().iter().copied().collect())
            }
            Form::Row => Ok(vector(name, shape.1, arrays)?.to_vec()),
            Form::Rows(parts) => {
                let row = |part: &&str| vector(&format!("{name}.{part}"), shape.1, arrays);
                let rows: Vec<_> = parts.iter().map(row).collect::<Result<_>>()?;
                Ok(rows.iter().flatten().copied().collect())
            }
        }
    }
}

fn matrix(name: &str, shape: (usize, usize), arrays: &dyn Arrays) -> Result<Array2<f64>> {
    let array = arrays.array(name)?.into_dimensionality();
    let array: Array2<f64> =
        array.map_err(|_| Error::model(format!("`{name}` of the model is no matrix")))?;
    match array.dim() == shape && !array.is_empty() {
        true => Ok(array),
        false => Err(Error::model(format!(
            "The layers of the model do not fit each other (`{name}`)"
        ))),
    }
}

fn vector(name: &str, length: usize, arrays: &dyn Arrays) -> Result<Array1<f64>> {
    let array = arrays.array(name)?.into_dimensionality();
    let array: Array1<f64> =
        array.map_err(|_| Error::model(format!("`{name}` of the model is no vector")))?;
    match array.len() == length {
        true => Ok(array),
        false => Err(Error::model(format!("`{name}` of the model is damaged"))),
    }
}
