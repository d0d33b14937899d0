//! Preprocessing against published numbers, direct formulas and degenerate inputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
#[path = "../common/mod.rs"]
mod common;
mod degenerate;
mod projection;
mod published;
mod several_slices;
mod sparse_against_dense;

use common::Slots;
use ndarray::Array2;
use spax_core::preprocess::*;
use spax_core::rng::{Purpose, Rng};
use spax_core::sparse::Csr;
use spax_core::threads::install;

fn random_counts(cells: usize, genes: usize, seed: u64) -> Array2<f64> {
    let mut rng = Rng::new(seed, Purpose::Data, 0);
    let level: Vec<f64> = (0..genes)
        .map(|_| 2.0 + (2.0 * rng.normal()).exp())
        .collect();
    Array2::from_shape_fn((cells, genes), |(_, g)| {
        (level[g] * rng.uniform() * (0.5 * rng.normal()).exp()).floor()
    })
}

fn settings() -> Settings {
    Settings {
        min_cells: 1,
        min_counts: 1.0,
        n_genes: 2000,
        target_sum: 1e4,
        log1p: true,
        n_components: 5,
        scaled_genes: false,
        ..Settings::default()
    }
}

fn all_genes(n: usize) -> Vec<u32> {
    (0..n as u32).collect()
}

fn scaled(dense: &Array2<f64>) -> ScaledGenes {
    let slots = Slots::new(dense);
    let genes = all_genes(dense.ncols());
    ScaledGenes::new(normalise(&slots.view(), &genes, &genes, 1e4, true).unwrap()).unwrap()
}

/// z-scores by the direct formula, from what `scaled` starts from.
fn dense_z(scaled: &ScaledGenes) -> Array2<f64> {
    let mut z = dense_of(&scaled.matrix);
    for mut gene in z.columns_mut() {
        let mean = gene.mean().unwrap();
        let sd = gene.std(1.0);
        gene.mapv_inplace(|v| (v - mean) / if sd > 1e-9 { sd } else { 1.0 });
    }
    z
}

fn dense_of(matrix: &Csr) -> Array2<f64> {
    let mut dense = Array2::zeros((matrix.n_rows(), matrix.n_cols()));
    for row in 0..matrix.n_rows() {
        let (columns, values) = matrix.row(row);
        for (&c, &v) in columns.iter().zip(values) {
            dense[(row, c as usize)] = f64::from(v);
        }
    }
    dense
}

fn norm<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    values.into_iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// |a - b| / |b|.
fn distance(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    assert_eq!(a.dim(), b.dim());
    norm(&(a - b)) / norm(b)
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let slots = Slots::new(&random_counts(700, 300, 1));
    let run = |threads| install(threads, || prepare(&slots.view(), &settings())).unwrap();
    let one = run(1);
    assert_eq!(one.kind, FeatureKind::Pca);
    for threads in [2, 4] {
        assert_eq!(one, run(threads));
    }
}
