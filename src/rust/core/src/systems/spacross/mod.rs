//! SpaCross: masked self-supervised learning on the graph of a tissue (METHODS 3).

mod ahead;
#[cfg(any(test, feature = "check"))]
pub mod check;
#[cfg(test)]
mod conformance;
pub mod consistency;
pub mod contrast;
pub mod hybrid;
pub mod imputation;
pub mod mask;
pub mod memory;
pub mod model;
pub(crate) mod on;
pub mod options;
pub mod params;
pub mod reconstruction;
#[cfg(any(test, feature = "check"))]
mod reference;
mod rows;
pub mod system;
mod table;
mod trainer;
mod weights;

pub use model::Encoder;
pub use options::Options;
pub use params::{Contrast, Params, ValidParams};
pub use trainer::{EpochLosses, Trainer};
