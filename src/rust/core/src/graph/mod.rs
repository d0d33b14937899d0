//! Graphs over cells: nearest neighbours in the tissue or in an embedding, and their normalisation.

mod adjacency;
mod best;
mod curve;
mod embedding;
mod found;
mod lists;
mod shared;
mod sites;
mod smooth;
mod spatial;

pub use adjacency::Graph;
pub use curve::curve_order;
pub use embedding::{euclidean_neighbours, inner_product_neighbours};
pub use shared::{shared_neighbour_edges, WeightedEdges};
pub(crate) use sites::check as check_coords;
pub use smooth::smooth;
pub(crate) use spatial::nearest;
pub use spatial::{spatial_knn, Neighbours};
