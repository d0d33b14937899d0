//! SpaCross: masked self-supervised learning on the graph of a tissue (METHODS 3).

#[cfg(any(test, feature = "check"))]
pub mod check;
#[cfg(test)]
mod conformance;
pub mod consistency;
pub mod contrast;
pub mod decoder;
pub mod draws;
mod dropout;
mod epoch;
pub mod hybrid;
pub mod imputation;
mod losses;
mod masked;
pub mod memory;
pub mod model;
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

pub use losses::EpochLosses;
pub use model::Encoder;
pub use options::Options;
pub use params::{Contrast, Params, ValidParams};
pub use trainer::Trainer;
