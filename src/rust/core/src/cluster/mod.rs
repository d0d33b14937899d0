//! Domains from an embedding: k-means, a Gaussian mixture with one shared covariance, and the
//! consensus of several labellings (METHODS 5).
//!
//! Every function takes cells x columns and gives labels `0..k`, in an order of its own. The same
//! seed gives the same labels for any number of threads: sums run over chunks of fixed size, whose
//! results are added in their order.

mod centred;
mod classifier;
mod consensus;
mod distinct;
mod em;
mod gaussians;
mod input;
mod kmeans;
mod linkage;
mod members;
mod mixture;
mod row_order;
mod sampling;
mod seeding;
mod starts;
mod tied;
mod tiles;
mod votes;
mod ward;

pub use classifier::Classifier;
pub use consensus::{agreement, confidence, consensus};
pub use distinct::count_nonempty;
pub use kmeans::{kmeans, kmeans_on, KMeans, KMeansSettings};
pub use members::{members, Member, MemberSettings};
pub use mixture::{gaussian_mixture, Mixture, MixtureSettings};
pub use row_order::by_value;
