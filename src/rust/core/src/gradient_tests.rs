//! Every op's gradient against finite differences, along random directions.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var};
use ndarray::Array2;

use crate::design::Input;
use crate::engine::place::Place;
use crate::graph::Graph;
use crate::nn::attention::attention;
use crate::nn::columns::columns;
use crate::nn::dropout::Dropout;
use crate::nn::gather::{gather, TOKEN};
use crate::nn::linear::{linear, project};
use crate::nn::norm_act::{norm_act, Activation, Settings};
use crate::nn::propagate::Operator;
use crate::nn::running::Running;
use crate::nn::tape::{by_candle, Traced};
use crate::rng::{Philox, Purpose, Rng};
use crate::sparse::Csr;
use crate::systems::spacross::consistency::consistency;
use crate::systems::spacross::contrast::{contrast, Terms};
use crate::systems::spacross::draws::Draws;
use crate::systems::spacross::imputation::imputation;
use crate::systems::spalora::loss::{mean_squared, reconstruction, Constant};

fn numbers(seed: u32, n: usize) -> Vec<f32> {
    let mut rng = Rng::new(21, Purpose::Data, seed);
    (0..n).map(|_| rng.normal() as f32).collect()
}

fn var(seed: u32, rows: usize, columns: usize) -> Var {
    Var::from_vec(numbers(seed, rows * columns), (rows, columns), &Device::Cpu).unwrap()
}

/// A scalar of a matrix that treats every entry differently; in f64, so that adding up loses nothing.
fn weighed(x: &Tensor) -> Result<Tensor> {
    let weights = numbers(99, x.elem_count());
    let weights = Tensor::from_vec(weights, x.shape(), &Device::Cpu)?;
    let double = |t: &Tensor| t.to_dtype(DType::F64);
    (double(x)? * double(&weights)?)?.sum_all()
}

fn weigh(x: &Traced) -> Traced {
    by_candle(x, weighed).unwrap()
}

fn number(x: &Tensor) -> f64 {
    x.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

/// Compares the gradient of `f` at `variables` with central differences along a random direction of
/// each.
fn check(what: &str, variables: &[&Var], f: impl Fn() -> Traced) {
    let gradients = f().backward().unwrap();
    for (v, variable) in variables.iter().enumerate() {
        let direction = numbers(500 + v as u32, variable.elem_count());
        let direction = Tensor::from_vec(direction, variable.shape(), &Device::Cpu).unwrap();
        let slope = (gradients.get(variable).unwrap() * &direction).unwrap();
        let slope = number(&slope.sum_all().unwrap());
        let start = variable.as_detached_tensor().copy().unwrap();
        let value = |step: f64| {
            variable
                .set(&(&start + (&direction * step).unwrap()).unwrap())
                .unwrap();
            number(f().value())
        };
        // Five points: the error is of fourth order, so a step that drowns f32's rounding will do.
        let h = 4e-3;
        let [a, b, c, d] = [-2.0, -1.0, 1.0, 2.0].map(|s| value(s * h));
        let difference = (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
        variable.set(&start).unwrap();
        let size = slope.abs().max(1e-2);
        assert!(
            (slope - difference).abs() < 1e-2 * size,
            "{what}, variable {v}: {slope} by gradient, {difference} by difference"
        );
    }
}

fn graph(n: usize) -> Graph {
    let edges = (0..n as u32).flat_map(|i| [(i, (i + 1) % n as u32), (i, (i * 7 + 3) % n as u32)]);
    Graph::from_edges(n, edges).unwrap().symmetric_union()
}

/// Rows of a matrix that is not symmetric.
fn lopsided(n: usize) -> Csr {
    let indptr = (0..=n).map(|i| 2 * i.min(n)).collect();
    let pairs = (0..n as u32).flat_map(|i| {
        let (a, b) = ((i * 5 + 1) % n as u32, (i * 5 + 2) % n as u32);
        [a.min(b), a.max(b)]
    });
    Csr::new(n, indptr, pairs.collect(), numbers(3, 2 * n)).unwrap()
}

#[test]
fn linear_layers() {
    let (x, w) = (var(1, 40, 7), var(2, 5, 7));
    check("linear", &[&x, &w], || weigh(&linear(&x, &w).unwrap()));
    let values = Array2::from_shape_vec((40, 7), numbers(3, 280)).unwrap();
    let design = Arc::new(Input::dense(values));
    check("project", &[&w], || weigh(&project(&design, &w).unwrap()));
}

#[test]
fn propagation() {
    let x = var(1, 30, 16);
    let symmetric = Operator::symmetric(graph(30).normalised());
    check("symmetric", &[&x], || weigh(&symmetric.apply(&x).unwrap()));
    let directed = Operator::new(lopsided(30));
    check("directed", &[&x], || weigh(&directed.apply(&x).unwrap()));
}

fn normed(x: &Var, affine: &Var, activation: Activation, p: f64) -> Traced {
    let settings = Settings {
        epsilon: 1e-3,
        momentum: 0.1,
        activation,
        dropout: Dropout::new(p, Philox::new(1, Purpose::Dropout), 2),
    };
    let running = Running::of(0.0, 1.0, x.dim(1).unwrap()).unwrap();
    norm_act(x, affine, &running, settings).unwrap()
}

#[test]
fn norm_activation_and_dropout() {
    let (x, affine) = (var(1, 200, 6), var(2, 2, 6));
    for p in [0.0, 0.3] {
        for activation in [Activation::Identity, Activation::Elu] {
            check("norm", &[&x, &affine], || {
                weigh(&normed(&x, &affine, activation, p))
            });
        }
    }
}

/// ReLU has a kink, which finite differences over many values always cross: it is compared with
/// candle's own operations instead, away from 0.
#[test]
fn relu_agrees_with_composed_operations() {
    let (x, affine) = (var(1, 200, 6), var(2, 2, 6));
    let fused = normed(&x, &affine, Activation::Relu, 0.3);
    let linear = normed(&x, &affine, Activation::Identity, 0.3);
    let composed = linear.value().relu().unwrap();
    let rows: (Vec<Vec<f32>>, Vec<Vec<f32>>) = (
        fused.value().to_vec2().unwrap(),
        composed.to_vec2().unwrap(),
    );
    assert_eq!(rows.0, rows.1);
    let composed = by_candle(&linear, |x| weighed(&x.relu()?)).unwrap();
    let (a, b) = (weigh(&fused), composed);
    let (a, b) = (a.backward().unwrap(), b.backward().unwrap());
    for variable in [&x, &affine] {
        let gap = (a.get(variable).unwrap() - b.get(variable).unwrap()).unwrap();
        let gap = gap.abs().unwrap().max_all().unwrap();
        assert!(gap.to_scalar::<f32>().unwrap() < 1e-3);
    }
}

#[test]
fn gathered_rows() {
    let (x, token) = (var(1, 8, 5), var(2, 1, 5));
    let rows = vec![0, TOKEN, 2, 2, 4, 0, TOKEN, 7].into();
    check("gather", &[&x, &token], || {
        weigh(&gather(&x, &token, &rows).unwrap())
    });
}

/// Six masked nodes of twenty, and whom they are compared with.
fn draws() -> Draws {
    let others = vec![5, 5, 1, 19, 3, 3];
    let pairs = [others.clone(), vec![0, 1, 2, 3, 4, 5]];
    Draws::from_parts(20, &[3, 17, 5, 9, 11, 0], &[], &[], &[], others, pairs)
}

#[test]
fn consistency_loss() {
    let (r, z) = (var(1, 20, 8), var(2, 20, 8));
    check("consistency", &[&r], || {
        consistency(&Place::Host, &(&r).into(), &z, &draws(), 2.0).unwrap()
    });
}

#[test]
fn contrastive_losses() {
    let (z, mean, b) = (var(1, 20, 8), var(2, 20, 8), var(3, 8, 8));
    for terms in [Terms::PerNode, Terms::AllPairs] {
        check(&format!("{terms:?}"), &[&z, &mean, &b], || {
            let inputs = [&z, &mean, &b].map(Traced::from);
            contrast(&Place::Host, terms, inputs.each_ref(), &draws()).unwrap()
        });
    }
}

#[test]
fn imputation_loss() {
    let (z, v, b) = (var(1, 20, 8), var(2, 13, 8), var(3, 1, 13));
    let values = Array2::from_shape_vec((20, 13), numbers(4, 260)).unwrap();
    let input = Input::dense(values);
    check("imputation", &[&z, &v, &b], || {
        let inputs = [&z, &v, &b].map(Traced::from);
        imputation(&Place::Host, inputs.each_ref(), &input, &draws(), 2.0).unwrap()
    });
}

#[test]
fn attention_of_two_and_three() {
    for m in [2, 3] {
        let (x, w, u) = (var(1, 9, m * 4), var(2, 4, 4), var(3, 1, 4));
        check("attention", &[&x, &w, &u], || {
            weigh(&attention(&x, &w, &u).unwrap().0)
        });
    }
}

#[test]
fn blocks_of_columns() {
    let x = var(1, 5, 7);
    check("columns", &[&x], || weigh(&columns(&x, 2, 3).unwrap()));
}

#[test]
fn losses_of_spalora() {
    let (p, y, v) = (var(1, 12, 3), var(2, 12, 3), var(3, 3, 5));
    let constant = Constant {
        weights: numbers(4, 5).iter().map(|w| 1.0 + w * w).collect(),
        squares: 200.0,
        omega: None,
    };
    check("collapsed reconstruction", &[&p, &y, &v], || {
        reconstruction(&p, &y, &v, &constant).unwrap()
    });
    let other = var(5, 12, 3);
    check("mean squared", &[&p, &other], || {
        mean_squared(&p, &other).unwrap()
    });
}
