//! Graphs over cells: nearest neighbours in the tissue or in an embedding, and their normalisation.

mod adjacency;
mod best;
mod curve;
mod embedding;
mod found;
mod lists;
mod shared;
pub(crate) mod sites;
mod smooth;
mod spatial;

pub use adjacency::Graph;
pub use curve::curve_order;
pub use embedding::{euclidean_neighbours, inner_product_neighbours};
pub use shared::{shared_neighbour_edges, Edges};
pub use smooth::smooth;
pub use spatial::{spatial_knn, Neighbours};
