//! Groups of cells in an embedding.

use extendr_api::prelude::{list, *};
use ndarray::{Array2, Axis};
use spax_core::cluster::{
    agreement, by_value, confidence, consensus, gaussian_mixture, kmeans, KMeansSettings,
    MixtureSettings,
};
use spax_core::engine::domains::{ensemble, off_curve};
use spax_core::graph::{curve_order, euclidean_neighbours, shared_neighbour_edges};
use spax_core::Result;

use crate::convert::{
    count, finite_f32, from_zero_based, items, label_columns, matrix, number, seed,
    to_index_matrix, to_matrix, to_row_major_matrix,
};
use crate::error::guard;
use crate::wait;

/// The seed of the approximate search for neighbours, which draws a sample above 30,000 cells.
pub const INDEX_SEED: u64 = 1;

/// Row i is row `order[i]` of `x`.
fn in_order(x: &Array2<f32>, order: &[u32]) -> Array2<f32> {
    let rows: Vec<usize> = order.iter().map(|&row| row as usize).collect();
    x.select(Axis(0), &rows)
}

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
        let (found, order) = wait::on(&threads, || {
            let order = by_value(x.view());
            Ok((
                gaussian_mixture(in_order(&x, &order).view(), k, &settings)?,
                order,
            ))
        })?;
        Ok(list!(
            labels = from_zero_based(&off_curve(&found.labels, &order)),
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
        let (found, order) = wait::on(&threads, || {
            let order = by_value(x.view());
            Ok((kmeans(in_order(&x, &order).view(), k, &settings)?, order))
        })?;
        Ok(list!(
            labels = from_zero_based(&off_curve(&found.labels, &order)),
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

/// Many mixtures of each of the matrices `x`, the best of which are put together. `coords`: NULL, or where the cells
/// lie: then their order does not matter.
/// @noRd
#[extendr]
fn core_ensemble(x: Robj, k: Robj, starts: Robj, seed: Robj, coords: Robj, threads: Robj) -> Robj {
    guard(|| {
        let given = items(&x, "object")?;
        let matrices = given.iter().map(|x| finite_f32(x, "object"));
        let matrices = matrices.collect::<Result<Vec<_>>>()?;
        let (k, starts) = (count(&k, "n.domains")?, count(&starts, "starts")?);
        let seed = self::seed(&seed)?;
        let coords = match coords.is_null() {
            true => None,
            false => Some(matrix(&coords, "coords")?),
        };
        let (labels, sure) = wait::on(&threads, || {
            let order = match (coords, matrices.first()) {
                (Some(coords), _) => curve_order(coords)?,
                (None, Some(x)) => by_value(x.view()),
                (None, None) => Vec::new(),
            };
            let ordered: Vec<_> = matrices.iter().map(|x| in_order(x, &order)).collect();
            let views: Vec<_> = ordered.iter().map(|x| x.view()).collect();
            let members = ensemble(&views, k, starts, seed)?;
            let labels = agreement(&members, k, None)?;
            let sure = confidence(&members, &labels, k);
            Ok((off_curve(&labels, &order), off_curve(&sure, &order)))
        })?;
        Ok(list!(labels = from_zero_based(&labels), confidence = sure).into())
    })
}

extendr_module! {
    mod cluster;
    fn core_gmm;
    fn core_consensus;
    fn core_ensemble;
    fn core_snn_edges;
    fn core_kmeans;
    fn core_embedding_knn;
}
