//! Graphs over cells: nearest neighbours in the tissue or in an embedding, and their normalisation.

mod across;
mod adjacency;
mod around;
mod best;
mod best_items;
mod correlation;
mod curve;
mod embedding;
mod lists;
mod reach;
mod shared;
pub(crate) mod sites;
mod smooth;
mod spatial;
mod within;

pub use across::nearest_across;
pub use adjacency::Graph;
pub use around::{around, Around};
pub use correlation::correlation_knn;
pub use curve::curve_order;
pub use embedding::{euclidean_neighbours, inner_product_neighbours};
pub use reach::{reach, ring_scores, WIDEST};
pub use shared::{shared_neighbour_edges, Edges};
pub use smooth::smooth;
pub use spatial::{spatial_knn, Neighbours};
pub use within::{curve_order_within, knn_within, radius_within};
