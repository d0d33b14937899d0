//! SpaLORA: several modalities of one tissue, by attention over graphs and modalities (METHODS 4).

#[cfg(test)]
mod conformance;
pub mod loss;
pub mod memory;
mod model;
pub mod params;
mod trainer;
pub mod weights;

pub use params::{GeneWeights, Params, ValidParams};
pub use trainer::{Embedding, EpochLosses, Trainer};
