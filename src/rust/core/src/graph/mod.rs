//! Graphs over cells: nearest neighbours in the tissue or in an embedding, and their normalisation.

mod adjacency;
mod best;
mod curve;
mod embedding;
mod found;
mod lists;
mod sites;
mod spatial;

pub use adjacency::Graph;
pub use curve::curve_order;
pub use embedding::{euclidean_neighbours, inner_product_neighbours};
pub use spatial::{spatial_knn, Neighbours};
