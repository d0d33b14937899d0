//! Graphs over cells: nearest neighbours in the tissue or in an embedding, and their normalisation.

mod adjacency;

pub use adjacency::Graph;
