//! SpaLORA: several modalities of one tissue, by attention over graphs and modalities (METHODS 4).

mod averages;
mod cells;
#[cfg(any(test, feature = "check"))]
pub mod check;
#[cfg(test)]
mod conformance;
mod embedding;
mod encoder;
mod epoch;
mod init;
pub mod loss;
pub mod memory;
mod model;
mod network_input;
pub mod options;
pub mod params;
mod prepare;
pub mod system;
mod table;
mod trainer;
mod training;
pub mod weights;

pub use cells::Cells;
pub use embedding::Embedding;
pub use encoder::Encoder;
pub use epoch::EpochLosses;
pub use options::Options;
pub use params::{GeneWeights, Init, Params, Sees, ValidParams};
pub use trainer::Trainer;
