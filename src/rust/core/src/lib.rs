//! The core of spaxR: graphs, training and clustering for the spatial domains of a tissue.
//!
//! Nothing here knows R. Matrices are cells x features, row-major; graphs are square, in compressed
//! sparse rows; every random draw comes from [`rng`]; every parallel loop runs in the pool of
//! [`threads`] and sums in an order that does not depend on the number of threads.
//!
//! A run, from what was measured of cells to their domains:
//!
//! ```
//! use std::sync::Arc;
//!
//! use ndarray::Array2;
//! use spax_core::engine::{Asked, Part, Run, Settings, Stage, Tissue, Values};
//! use spax_core::preprocess::ModalityKind;
//! use spax_core::rng::{Purpose, Rng};
//! use spax_core::slices::Slices;
//! use spax_core::systems;
//!
//! # fn main() -> spax_core::Result<()> {
//! // 30 x 20 cells, of which the first 15 rows differ from the others in every column.
//! let mut rng = Rng::new(1, Purpose::Data, 0);
//! let coords = Array2::from_shape_fn((600, 2), |(i, a)| [i / 20, i % 20][a] as f64);
//! let columns = Array2::from_shape_fn((600, 4), |(i, _)| {
//!     (if i < 300 { 2.0 } else { 0.0 } + rng.normal()) as f32
//! });
//! let tissue = Arc::new(Tissue::new(coords, Slices::one(600), true, 2)?);
//! let asked = Asked {
//!     n_domains: 2,
//!     seed: 1,
//!     published: false,
//!     impute: false,
//! };
//! let ppca = systems::find("ppca")?;
//! let opened = (ppca.open)(&serde_json::json!({}), &asked, &tissue)?;
//! let settings = Settings::new(&asked, "cpu", &opened.domains);
//! let mut run = Run::new(tissue, opened.system, settings);
//! let parts = [Part {
//!     name: "columns".into(),
//!     kind: ModalityKind::Features,
//!     values: Values::Columns(columns),
//! }];
//! while run.stage() != Stage::Done {
//!     run.advance(&parts)?;
//! }
//! assert_eq!(run.domains().len(), 600);
//! assert_ne!(run.domains()[0], run.domains()[599]);
//! # Ok(())
//! # }
//! ```

// A loop over an index reads several arrays at once, and vectorises.
#![allow(clippy::needless_range_loop)]
#![warn(missing_docs)]

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
