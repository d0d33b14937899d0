//! Initial values, as PyTorch and PyTorch Geometric draw them, from our own generator.

use std::sync::{Mutex, PoisonError};

use super::form::Form;
use super::parameters::{Kind, Source};
use crate::rng::{Purpose, Rng};
use crate::Result;

/// Where a parameter starts.
#[derive(Clone, Copy, Debug)]
pub enum Init {
    /// Uniform within this bound of 0.
    Uniform(f64),
    /// These constants, one a row, over and over.
    Rows(&'static [f64]),
}

impl Default for Init {
    fn default() -> Self {
        ZEROS
    }
}

/// All 0.
pub const ZEROS: Init = Init::Rows(&[0.0]);

/// Kaiming-uniform with a = sqrt 5, for so many inputs: weight and bias of a linear layer, in both of which it is
/// uniform within 1 / sqrt(inputs).
pub fn kaiming(inner: usize) -> Init {
    Init::Uniform((inner as f64).sqrt().recip())
}

/// Glorot- (Xavier-) uniform.
pub fn glorot(outer: usize, inner: usize) -> Init {
    Init::Uniform((6.0 / (outer + inner) as f64).sqrt())
}

/// Scale and shift of a batch norm.
pub const AFFINE: Kind = Kind {
    form: Form::Rows(&["weight", "bias"]),
    init: Init::Rows(&[1.0, 0.0]),
    trained: true,
};

/// Running moments of a batch norm.
pub const MOMENTS: Kind = Kind {
    form: Form::Rows(&["running_mean", "running_var"]),
    init: Init::Rows(&[0.0, 1.0]),
    trained: false,
};

/// Draws parameters one after the other: the same values for the same order of making.
pub struct Drawn(Mutex<Rng>);

impl Drawn {
    /// Of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Rng::new(seed, Purpose::Init, 0)))
    }
}

impl Source for Drawn {
    fn values(&self, _: &str, (rows, columns): (usize, usize), kind: &Kind) -> Result<Vec<f64>> {
        Ok(match kind.init {
            Init::Uniform(bound) => {
                let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let draw = |_| rng.uniform_in(-bound, bound);
                (0..rows * columns).map(draw).collect()
            }
            Init::Rows(values) => {
                let rows = values.iter().cycle().take(rows);
                rows.flat_map(|&v| std::iter::repeat_n(v, columns))
                    .collect()
            }
        })
    }
}
