#![allow(clippy::unwrap_used)]

use ndarray::{Array2, Axis};

use super::*;
use crate::preprocess::symmetric_eigen;

const CELLS: usize = 60;
const GENES_SEEN: usize = 30;

/// Cells x genes, a third of them zero.
fn counts() -> Array2<f64> {
    Array2::from_shape_fn((CELLS, GENES_SEEN), |(cell, gene)| {
        let value = (cell * 7919 + gene * 104_729 + cell * gene * 31) % 17;
        if value % 3 == 0 {
            0.0
        } else {
            value as f64 * (1.0 + (cell / 20 * gene) as f64)
        }
    })
}

/// Its slots as R holds them.
fn slots(counts: &Array2<f64>) -> (Vec<i32>, Vec<i32>, Vec<f64>) {
    let (mut p, mut i, mut x) = (vec![0], Vec::new(), Vec::new());
    for row in counts.rows() {
        for (gene, &value) in row.iter().enumerate().filter(|(_, &v)| v != 0.0) {
            i.push(gene as i32);
            x.push(value);
        }
        p.push(x.len() as i32);
    }
    (p, i, x)
}

fn dense(counts: &Array2<f64>) -> Array2<f64> {
    let mut x = counts.clone();
    for mut row in x.rows_mut() {
        let total = row.sum();
        row.mapv_inplace(|v| (v * 1e4 / total).ln_1p());
    }
    x
}

#[test]
fn the_most_variable_genes_are_those_of_the_dense_matrix() {
    let counts = counts();
    let (p, i, x) = slots(&counts);
    let view = CountsView::new(&p, &i, &x, GENES_SEEN).unwrap();
    let variance: Vec<f64> = dense(&counts)
        .columns()
        .into_iter()
        .map(|c| c.var(0.0))
        .collect();
    let mut order: Vec<u32> = (0..GENES_SEEN as u32).collect();
    order.sort_by(|&a, &b| variance[b as usize].total_cmp(&variance[a as usize]));
    assert_eq!(variable_genes(&view, 12).unwrap(), order[..12]);
}

#[test]
fn components_have_the_covariance_of_the_dense_matrix() {
    let counts = counts();
    let (p, i, x) = slots(&counts);
    let view = CountsView::new(&p, &i, &x, GENES_SEEN).unwrap();
    let genes: Vec<u32> = (0..GENES_SEEN as u32).collect();
    let found = ScaledGenes::unscaled(log_normalised(&view, &genes).unwrap())
        .pca(5)
        .unwrap();
    let centre = |x: Array2<f64>| &x - &x.mean_axis(Axis(0)).unwrap();
    let dense = centre(dense(&counts));
    let covariance = dense.t().dot(&dense) / (CELLS - 1) as f64;
    let (values, _) = symmetric_eigen(covariance).unwrap();
    let scores = centre(found.scores.mapv(f64::from));
    let product = scores.t().dot(&scores) / (CELLS - 1) as f64;
    for ((a, b), &value) in product.indexed_iter() {
        let expected = if a == b { values[a] } else { 0.0 };
        let off = (value - expected).abs();
        assert!(off < 1e-6 * values[0], "{a} {b} {value} {expected}");
    }
}

#[test]
fn features_have_no_mean_in_any_slice_and_do_not_depend_on_threads() {
    let counts = counts();
    let (p, i, x) = slots(&counts);
    let view = CountsView::new(&p, &i, &x, GENES_SEEN).unwrap();
    let coords = Array2::from_shape_fn((CELLS, 2), |(i, axis)| [i % 6, i / 6][axis] as f64);
    let slices = Slices::new((0..CELLS).map(|i| u32::from(i >= 24)).collect()).unwrap();
    let on = |threads| {
        crate::threads::install(threads, || expression(&view, coords.view(), &slices)).unwrap()
    };
    let features = on(1);
    assert_eq!(features, on(2));
    assert_eq!(features.dim(), (CELLS, COMPONENTS));
    for cells in slices.cells() {
        let rows: Vec<usize> = cells.iter().map(|&c| c as usize).collect();
        let mean = features.select(Axis(0), &rows).mean_axis(Axis(0)).unwrap();
        assert!(mean.iter().all(|m| m.abs() < 1e-6));
    }
}
