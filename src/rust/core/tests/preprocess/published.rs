//! Against the numbers of scanpy, recorded.

use std::collections::HashMap;

use candle_core::{DType, Tensor};
use ndarray::Array2;
use spax_core::preprocess::*;

use super::{common, dense_of, distance, settings, Slots};

struct Published(HashMap<String, Tensor>);

impl Published {
    fn read() -> Self {
        Self(common::tensors("preprocess.safetensors"))
    }

    fn vector(&self, name: &str) -> Vec<f64> {
        let tensor = self.0[name].to_dtype(DType::F64).unwrap();
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn matrix(&self, name: &str) -> Array2<f64> {
        let shape = self.0[name].dims2().unwrap();
        Array2::from_shape_vec(shape, self.vector(name)).unwrap()
    }

    fn kept(&self) -> Vec<u32> {
        self.vector("kept_genes")
            .iter()
            .map(|&g| g as u32)
            .collect()
    }

    /// The highly variable genes among all.
    fn variable(&self) -> Vec<u32> {
        let chosen = self.vector("highly_variable");
        let pairs = self.kept().into_iter().zip(chosen);
        pairs.filter(|p| p.1 != 0.0).map(|p| p.0).collect()
    }

    fn scaled(&self) -> ScaledGenes {
        let slots = Slots::new(&self.matrix("counts"));
        let selected = self.variable();
        let matrix = normalise(&slots.view(), &self.kept(), &selected, 1e4, true);
        ScaledGenes::new(matrix.unwrap()).unwrap()
    }
}

#[test]
fn kept_genes_are_scanpys() {
    let published = Published::read();
    let slots = Slots::new(&published.matrix("counts"));
    assert_eq!(kept_genes(&slots.view(), 20, 10.0), published.kept());
}

#[test]
fn normalised_counts_are_scanpys() {
    let published = Published::read();
    let slots = Slots::new(&published.matrix("counts"));
    let kept = published.kept();
    let normalised = normalise(&slots.view(), &kept, &kept, 1e4, false).unwrap();
    let error = distance(&dense_of(&normalised), &published.matrix("normalized_1e4"));
    assert!(error < 1e-6, "{error:e}");
}

#[test]
fn variances_and_choice_of_genes_are_scanpys() {
    let published = Published::read();
    let slots = Slots::new(&published.matrix("counts"));
    let kept = published.kept();
    let ranking = variable_genes(&slots.view(), &kept);
    let wanted = published.vector("variances_norm");
    for (found, wanted) in ranking.standardised_variance.iter().zip(&wanted) {
        assert!((found / wanted - 1.0).abs() < 1e-6, "{found} {wanted}");
    }
    let top = ranking.top_in_gene_order(100);
    let genes: Vec<u32> = top.into_iter().map(|p| kept[p]).collect();
    assert_eq!(genes, published.variable());
}

#[test]
fn scaled_genes_are_scanpys() {
    let published = Published::read();
    let dense = published.scaled().to_dense().mapv(f64::from);
    let error = distance(&dense, &published.matrix("scaled_hvg"));
    assert!(error < 1e-6, "{error:e}");
}

#[test]
fn components_are_scanpys() {
    let published = Published::read();
    let pca = published.scaled().pca(15).unwrap();
    let scores = pca.scores.mapv(|v| f64::from(v).abs());
    let error = distance(&scores, &published.matrix("pca_abs_scores"));
    assert!(error < 1e-6, "{error:e}");
    let wanted = published.vector("pca_explained_variance");
    for (found, wanted) in pca.explained_variance.iter().zip(&wanted) {
        assert!((found / wanted - 1.0).abs() < 1e-6, "{found} {wanted}");
    }
}

#[test]
fn the_whole_preparation_agrees_with_its_parts() {
    let published = Published::read();
    let slots = Slots::new(&published.matrix("counts"));
    let wanted = Settings {
        min_cells: 20,
        min_counts: 10.0,
        n_genes: 100,
        n_components: 15,
        ..settings()
    };
    let features = prepare(&slots.view(), &wanted).unwrap();
    assert_eq!(features.kind, FeatureKind::Pca);
    assert_eq!(features.genes, published.variable());
    let scores = features.to_dense().mapv(|v| f64::from(v).abs());
    assert!(distance(&scores, &published.matrix("pca_abs_scores")) < 1e-6);
}
