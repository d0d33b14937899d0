//! SpaCross: masked self-supervised learning on the graph of a tissue (METHODS 3).

#[cfg(test)]
mod conformance;
pub mod consistency;
pub mod contrast;
pub mod hybrid;
pub mod imputation;
pub mod input;
pub mod mask;
pub mod memory;
pub mod model;
pub mod params;
pub mod reconstruction;
mod rows;
mod trainer;
mod weights;

pub use input::Input;
pub use model::Encoder;
pub use params::{Contrast, Params, ValidParams};
pub use trainer::{EpochLosses, Trainer};
