//! From raw counts to the model's input (METHODS 1.1), without a dense cells x genes array.
//!
//! Genes are filtered, each cell is scaled to one total, the genes that vary most are kept and
//! z-scored, and their principal components are the features.

mod atac;
mod check;
mod cross_products;
mod directions;
mod eigen;
mod features;
mod gene_choice;
mod genes;
mod gram;
mod input;
mod inverse_iteration;
mod krylov;
mod loess;
mod modality;
mod normalise;
mod pca;
mod projection;
mod protein;
mod scaled;
mod spatial_components;
mod subspace;
mod svd;
mod variance;

pub use atac::{lsi, tf_idf, Lsi};
pub use check::{check_counts, CountSummary};
pub use directions::Directions;
pub(crate) use eigen::symmetric_eigen;
pub use features::{
    prepare, prepare_components, prepare_slices, Columns, FeatureKind, Features, Settings,
    ALL_GENES,
};
pub use gene_choice::{GeneChoice, FEWEST_SHARED};
pub use genes::{kept_genes, min_cells_for};
pub use loess::loess;
pub use modality::{Modality, ModalityKind};
pub use normalise::{median_totals, normalise, normalise_slices};
pub use pca::Pca;
pub use projection::{Projection, Scaling};
pub use protein::centred_log_ratio;
pub use scaled::{Centre, ScaledGenes};
pub use variance::{variable_genes, VarianceRanking};
