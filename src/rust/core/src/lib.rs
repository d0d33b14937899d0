//! The core of spaxR: graphs, training and clustering for the spatial domains of a tissue.
//!
//! Nothing here knows R. Matrices are cells x features, row-major; graphs are square, in compressed
//! sparse rows; every random draw comes from [`rng`]; every parallel loop runs in the pool of
//! [`threads`] and sums in an order that does not depend on the number of threads.

// A loop over an index reads several arrays at once, and vectorises.
#![allow(clippy::needless_range_loop)]

pub mod align;
#[cfg(any(test, feature = "check"))]
pub mod check;
pub mod cluster;
pub mod dense;
pub mod design;
pub mod device;
pub mod engine;
pub mod error;
pub mod gpu;
#[cfg(test)]
mod gradient_tests;
pub mod graph;
#[cfg(all(test, feature = "emulate"))]
mod kernel_tests;
pub mod metrics;
pub mod nn;
pub mod options;
pub mod predictive;
pub mod preprocess;
pub mod progress;
#[cfg(any(test, feature = "check"))]
mod recorded;
pub mod rng;
pub mod simd;
pub mod slices;
pub mod sparse;
pub mod systems;
pub mod threads;

pub use error::{Error, Result};
