//! On the CPU.

use ndarray::Array2;

use super::pairs::{select_pairs, select_pairs_across, Pairs, Reach};
use super::{normalise_rows, Basis};
use crate::cluster::kmeans;
use crate::nn::view::to_host;
use crate::systems::spacross::model::Encoder;
use crate::{Error, Result};

/// The pairs of one slice, or of several.
pub fn pairs(basis: &Basis) -> Result<Pairs> {
    let online = unit_embedding(basis, &basis.model.online)?;
    match basis.slices.n_slices() {
        1 => within(basis, &online),
        _ => across(basis, &online),
    }
}

fn within(basis: &Basis, online: &Array2<f32>) -> Result<Pairs> {
    let target = unit_embedding(basis, &basis.model.target)?;
    let clusters = clusters(basis, &target)?;
    select_pairs(
        online.view(),
        target.view(),
        basis.params.params.top_k,
        basis.spatial,
        clusters.as_deref(),
        basis.seed,
    )
}

fn across(basis: &Basis, online: &Array2<f32>) -> Result<Pairs> {
    let clusters = clusters(basis, online)?;
    let reach = Reach {
        within: basis.params.params.top_k,
        across: basis.params.params.top_k_inter,
    };
    select_pairs_across(
        online.view(),
        basis.slices,
        reach,
        basis.spatial,
        clusters.as_deref(),
        basis.seed,
    )
}

/// What the cluster test looks at, if it is applied.
fn clusters(basis: &Basis, embedding: &Array2<f32>) -> Result<Option<Vec<Vec<u32>>>> {
    let k = basis.params.n_domains;
    let labels =
        || basis.cluster_labels(|settings| Ok(kmeans(embedding.view(), k, settings)?.labels));
    basis.params.params.cluster_test.then(labels).transpose()
}

/// The evaluation-mode embedding, rows of length 1, in the order of the nodes.
fn unit_embedding(basis: &Basis, encoder: &Encoder) -> Result<Array2<f32>> {
    let embedding = encoder.embed(basis.input, basis.propagation)?;
    let mut values = to_host(&embedding)?;
    let shape = embedding.dims2()?;
    normalise_rows(&mut values, shape.1);
    Array2::from_shape_vec(shape, values).map_err(|e| Error::Internal(e.to_string()))
}
