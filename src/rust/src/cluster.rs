//! Groups of cells in an embedding.

use extendr_api::prelude::*;
use spax_core::cluster::{consensus, gaussian_mixture, kmeans, KMeansSettings, MixtureSettings};
use spax_core::graph::{euclidean_neighbours, shared_neighbour_edges};

use crate::convert::{
    count, finite_f32, from_zero_based, label_columns, number, seed, to_index_matrix, to_matrix,
    to_row_major_matrix,
};
use crate::error::guard;
use crate::wait;

/// The seed of the approximate search for neighbours, which draws a sample above 30,000 cells.
pub const INDEX_SEED: u64 = 1;

/// @noRd
#[extendr]
fn core_gmm(x: Robj, k: Robj, starts: Robj, seed: Robj, threads: Robj) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "object")?;
        let k = count(&k, "n.domains")?;
        let settings = MixtureSettings {
            starts: count(&starts, "starts")?,
            seed: self::seed(&seed)?,
            ..MixtureSettings::default()
        };
        let found = wait::on(&threads, || gaussian_mixture(x.view(), k, &settings))?;
        Ok(list!(
            labels = from_zero_based(&found.labels),
            means = to_matrix(found.means.view()),
            log_likelihood = found.log_likelihood,
            bic = found.bic,
            n_nonempty = found.n_nonempty as i32
        )
        .into())
    })
}

/// @noRd
#[extendr]
fn core_kmeans(x: Robj, k: Robj, starts: Robj, seed: Robj, threads: Robj) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "object")?;
        let k = count(&k, "n.domains")?;
        let settings = KMeansSettings {
            starts: count(&starts, "starts")?,
            seed: self::seed(&seed)?,
            ..KMeansSettings::default()
        };
        let found = wait::on(&threads, || kmeans(x.view(), k, &settings))?;
        Ok(list!(
            labels = from_zero_based(&found.labels),
            centres = to_matrix(found.centres.view()),
            inertia = found.inertia
        )
        .into())
    })
}

/// @noRd
#[extendr]
fn core_embedding_knn(x: Robj, k: Robj, threads: Robj) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "object")?;
        let k = count(&k, "k")?;
        let found = wait::on(&threads, || euclidean_neighbours(x.view(), k, INDEX_SEED))?;
        Ok(list!(
            index = to_index_matrix(&found.index, found.k),
            distance = to_row_major_matrix(&found.distance, found.k)
        )
        .into())
    })
}

/// @noRd
#[extendr]
fn core_snn_edges(x: Robj, k: Robj, prune: Robj, threads: Robj) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "object")?;
        let k = count(&k, "k")?;
        let prune = number(&prune, "prune")? as f32;
        let edges = wait::on(&threads, || {
            shared_neighbour_edges(x.view(), k, prune, INDEX_SEED)
        })?;
        let weights: Vec<f64> = edges.weight.iter().map(|&w| w.into()).collect();
        Ok(list!(
            from = from_zero_based(&edges.from),
            to = from_zero_based(&edges.to),
            weight = weights
        )
        .into())
    })
}

/// @noRd
#[extendr]
fn core_consensus(labels: Robj, k: Robj) -> Robj {
    guard(|| {
        let runs = label_columns(&labels)?;
        let k = count(&k, "n.domains")?;
        let agreed = wait::alone(|| consensus(&runs, k))?;
        Ok(list!(labels = from_zero_based(&agreed)).into())
    })
}

extendr_module! {
    mod cluster;
    fn core_gmm;
    fn core_consensus;
    fn core_snn_edges;
    fn core_kmeans;
    fn core_embedding_knn;
}
