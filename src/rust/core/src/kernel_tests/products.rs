//! Products with sparse and dense matrices.

use candle_core::Device;
use ndarray::Array2;

use super::{genes, numbers, same, sparse, tensor, values, var};
use crate::design::Input;
use crate::gpu::emulated::{with, Order};
use crate::gpu::{Kernels, Matrix};
use crate::nn::linear::{linear, project, small_times};
use crate::nn::propagate::Operator;
use crate::sparse::Csr;

#[test]
fn propagation_at_every_width() {
    let matrix = sparse(37, 37, 9);
    for width in [1, 3, 4, 16, 17, 20, 64, 200, 1028] {
        let x = var(1, 37, width);
        same(&format!("width {width}"), &[&x], || {
            let operator = Operator::new(matrix.clone()).on(&Device::Cpu).unwrap();
            operator.apply(&x).unwrap()
        });
    }
}

#[test]
fn propagation_of_long_rows() {
    // More than 128 entries a row on average, so that a block shares each.
    let matrix = sparse(11, 700, 690);
    assert!(matrix.nnz() > 128 * 11);
    for width in [4, 16, 64, 200, 1028] {
        let x = var(1, 700, width);
        same(&format!("width {width}"), &[&x], || {
            let operator = Operator::new(matrix.clone()).on(&Device::Cpu).unwrap();
            operator.apply(&x).unwrap()
        });
    }
}

#[test]
fn an_empty_matrix_gives_zeros() {
    let empty = Csr::new(6, vec![0; 5], vec![], vec![]).unwrap();
    with(Order::Forwards, || {
        let kernels = Kernels::of(&Device::Cpu).unwrap().unwrap();
        let matrix = Matrix::new(&kernels, &empty).unwrap();
        let out = matrix
            .times(&kernels, &tensor(1, 6, 3))
            .unwrap()
            .into_tensor();
        assert_eq!(values(&out), vec![0.0; 12]);
    });
}

#[test]
fn dense_products() {
    for (n, p, q) in [(1, 1, 1), (53, 7, 5), (4100, 3, 2), (9000, 2, 3)] {
        let (x, w) = (var(1, n, p), var(2, q, p));
        same(&format!("linear {n}"), &[&x, &w], || {
            linear(&x, &w).unwrap()
        });
    }
    let (a, b) = (var(1, 6, 9), var(2, 9, 4));
    same("small", &[&a, &b], || small_times(&a, &b).unwrap());
}

#[test]
fn projections_of_the_input() {
    let w = var(2, 8, 23);
    type Make = Box<dyn Fn() -> Input>;
    let x = Array2::from_shape_vec((61, 23), numbers(1, 61 * 23)).unwrap();
    let inputs: [(&str, Make); 3] = [
        ("dense", Box::new(move || Input::dense(x.clone()))),
        ("genes", Box::new(|| Input::from(genes(61, 23, 1)))),
        (
            "genes of three slices",
            Box::new(|| Input::from(genes(61, 23, 3))),
        ),
    ];
    for (what, input) in inputs {
        same(what, &[&w], || {
            let input = std::sync::Arc::new(input().on(&Device::Cpu).unwrap());
            project(&input, &w).unwrap()
        });
    }
}
