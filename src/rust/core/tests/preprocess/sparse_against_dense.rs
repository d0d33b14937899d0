//! Against the direct formulas on dense arrays.

use ndarray::Array2;
use spax_core::preprocess::*;
use spax_core::rng::{Purpose, Rng};

use super::{dense_z, distance, norm, random_counts, scaled, Slots};

#[test]
fn scaling_and_products() {
    for (cells, genes) in [(40, 25), (3, 7), (2, 1), (130, 64)] {
        let scaled = scaled(&random_counts(cells, genes, 3));
        let z = dense_z(&scaled);
        let error = norm(&(scaled.to_dense().mapv(f64::from) - &z));
        assert!(error < 1e-5 * norm(&z).max(1.0), "{error:e}");
        let mut rng = Rng::new(4, Purpose::Data, 0);
        let w = Array2::from_shape_fn((genes, 6), |_| rng.normal() as f32);
        let product = scaled.matmul(&w).unwrap().mapv(f64::from);
        let error = norm(&(product - z.dot(&w.mapv(f64::from))));
        assert!(error < 1e-5 * norm(&z).max(1.0), "{error:e}");
    }
}

/// Both sides of the eigenproblem: more cells than genes, and fewer.
#[test]
fn components_are_eigenvectors_of_the_dense_covariance() {
    for (cells, genes) in [(90, 30), (25, 60), (30, 30), (900, 300), (280, 500)] {
        let scaled = scaled(&random_counts(cells, genes, 7));
        let z = dense_z(&scaled);
        let covariance = z.t().dot(&z) / (cells as f64 - 1.0);
        let pca = scaled.pca(20).unwrap();
        assert_eq!(pca.scores.dim(), (cells, 20));
        let size = pca.explained_variance[0];
        let image = covariance.dot(&pca.loadings);
        for j in 0..20 {
            let loading = pca.loadings.column(j);
            let residual = &image.column(j) - &(&loading * pca.explained_variance[j]);
            assert!(norm(&residual) < 1e-9 * size, "{cells} x {genes}, {j}");
        }
        let gram = pca.loadings.t().dot(&pca.loadings);
        assert!(norm(&(gram - Array2::<f64>::eye(20))) < 1e-9);
        let scores = z.dot(&pca.loadings);
        assert!(distance(&pca.scores.mapv(f64::from), &scores) < 1e-6);
        // The leading ones: what remains has no direction of more variance.
        let rest = covariance.diag().sum() - pca.explained_variance.iter().sum::<f64>();
        assert!(rest > -1e-9 * size);
        assert!(pca.explained_variance.windows(2).all(|w| w[0] >= w[1]));
    }
}

#[test]
fn some_components_are_the_first_of_all() {
    let scaled = scaled(&random_counts(900, 300, 8));
    let (some, all) = (scaled.pca(60).unwrap(), scaled.pca(300).unwrap());
    assert_eq!(all.loadings.ncols(), 300);
    let first = all.loadings.slice(ndarray::s![.., ..60]).to_owned();
    assert!(distance(&some.loadings, &first) < 1e-8);
    for (a, b) in some.explained_variance.iter().zip(&all.explained_variance) {
        assert!((a / b - 1.0).abs() < 1e-11);
    }
}

#[test]
fn moments_are_those_of_the_dense_counts_and_the_ranking_falls() {
    let dense = random_counts(200, 80, 9);
    let slots = Slots::new(&dense);
    let kept: Vec<u32> = (0..80).filter(|g| g % 3 != 0).collect();
    let ranking = variable_genes(&slots.view(), &kept);
    for (place, &gene) in kept.iter().enumerate() {
        let counts = dense.column(gene as usize);
        assert!((ranking.mean[place] - counts.mean().unwrap()).abs() < 1e-12);
        assert!((ranking.variance[place] - counts.var(1.0)).abs() < 1e-9);
    }
    let top = ranking.top(80);
    let value = &ranking.standardised_variance;
    assert_eq!(top.len(), kept.len());
    assert!(top.windows(2).all(|w| value[w[0]] >= value[w[1]]));
    let mut order = ranking.top(10);
    order.sort_unstable();
    assert_eq!(order, ranking.top_in_gene_order(10));
}
