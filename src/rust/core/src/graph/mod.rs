//! Graphs over cells: nearest neighbours in the tissue or in an embedding, and their normalisation.

mod adjacency;
mod curve;
mod sites;
mod spatial;

pub use adjacency::Graph;
pub use curve::curve_order;
pub use spatial::{spatial_knn, Neighbours};
