//! Readers of the published numbers, and what several tests are made of.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::path::PathBuf;

use ndarray::Array2;
use spax_core::sparse::CountsView;

/// A conformance file: in the folder that `SPAX_CONFORMANCE_DIR` names, else the copy beside the tests.
pub fn conformance(name: &str) -> PathBuf {
    let copy = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    std::env::var_os("SPAX_CONFORMANCE_DIR")
        .map_or_else(copy, PathBuf::from)
        .join(name)
}

pub fn json(name: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(conformance(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn tensors(name: &str) -> HashMap<String, candle_core::Tensor> {
    candle_core::safetensors::load(conformance(name), &candle_core::Device::Cpu).unwrap()
}

/// The slots of a dgCMatrix, of which a column is a cell.
pub struct Slots {
    pub indptr: Vec<i32>,
    pub genes: Vec<i32>,
    pub values: Vec<f64>,
    pub n_genes: usize,
}

impl Slots {
    /// Of cells x genes.
    pub fn new(dense: &Array2<f64>) -> Self {
        let (mut indptr, mut genes, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in dense.rows() {
            for (gene, &value) in row.iter().enumerate().filter(|(_, v)| **v != 0.0) {
                genes.push(gene as i32);
                values.push(value);
            }
            indptr.push(genes.len() as i32);
        }
        Self {
            indptr,
            genes,
            values,
            n_genes: dense.ncols(),
        }
    }

    pub fn view(&self) -> CountsView<'_> {
        CountsView::new(&self.indptr, &self.genes, &self.values, self.n_genes).unwrap()
    }
}
