//! Held to the model on candle's tape, and to finite differences.
#![allow(clippy::unwrap_used)]

use candle_core::{Device, Tensor};
use ndarray::Array2;

use super::{Epoch, Task};
use crate::design::Input;
use crate::graph::Graph;
use crate::nn::init::Drawn;
use crate::nn::parameters::{self, Parameters};
use crate::nn::propagate::Operator;
use crate::nn::tape::Traced;
use crate::nn::view::to_vec;
use crate::preprocess::{Centre, ScaledGenes};
use crate::rng::{Purpose, Rng};
use crate::slices::Slices;
use crate::sparse::Csr;
use crate::systems::spalora::model::{ModalityData, Model};
use crate::systems::spalora::{Params, ValidParams};
use crate::threads;

const CELLS: usize = 600;
const WIDTH: usize = 12;

fn graph(seed: u32) -> Operator {
    let mut rng = Rng::new(1, Purpose::Data, seed);
    let mut node = || rng.below(CELLS) as u32;
    let edges: Vec<_> = (0..5 * CELLS).map(|_| (node(), node())).collect();
    let graph = Graph::from_edges(CELLS, edges.into_iter()).unwrap();
    Operator::symmetric(graph.symmetric_union().normalised())
}

fn dense(seed: u32, columns: usize) -> Input {
    let mut rng = Rng::new(2, Purpose::Data, seed);
    Input::dense(Array2::from_shape_fn((CELLS, columns), |_| {
        rng.normal() as f32
    }))
}

/// Genes with means of their own in two slices.
fn genes(n: usize) -> Input {
    let mut rng = Rng::new(3, Purpose::Data, 0);
    let rows = (0..CELLS).map(|_| {
        let entries = (0..n as u32).filter(|_| rng.uniform() < 0.1);
        entries.map(|g| (g, 1.0 + g as f32 % 3.0)).collect()
    });
    let matrix = Csr::from_rows(n, rows.collect()).unwrap();
    let slices = Slices::new((0..CELLS).map(|cell| (cell % 2) as u32).collect()).unwrap();
    Input::from(ScaledGenes::centred(matrix, &slices, Centre::Means).unwrap())
}

/// Sparse genes, fewer columns than the embeddings have, and more.
fn sources() -> Vec<ModalityData> {
    let inputs = [genes(70), dense(1, 5), dense(2, 20)];
    let sources = inputs.into_iter().zip(10..).map(|(input, seed)| {
        let columns = input.n_columns();
        let weights = (0..columns).map(|c| 1.0 + (c % 4) as f64).collect();
        ModalityData::new(input, graph(seed), weights)
    });
    sources.collect()
}

fn model() -> crate::Result<(Model, Parameters)> {
    let made = parameters::build(Drawn::new(1), &Device::Cpu, |builder| {
        Model::new(&builder, &[70, 5, 20], WIDTH)
    });
    Ok(made?)
}

fn close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let most = expected.iter().fold(0f32, |most, e| most.max(e.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < 1e-4 * most, "{what}: {a} for {b}");
    }
}

fn params() -> ValidParams {
    let params = Params {
        w_recon: vec![1.0, 2.0, 0.5],
        w_cross: vec![0.7, 1.5, 3.0],
        ..Params::default()
    };
    params.check(3).unwrap()
}

#[test]
fn three_modalities_agree_with_the_tape() {
    let params = params();
    threads::install(2, || {
        let spatial = graph(9);
        let sources = sources();
        let (model, parameters) = model()?;
        let mut epoch = Epoch::new(&sources, &spatial, WIDTH);
        let task = Task {
            model: &model,
            sources: &sources,
            spatial: &spatial,
            params: &params,
        };
        let found = epoch.pass(task)?;
        let forward = model.forward(&sources, &spatial)?;
        let losses = model.losses(&forward, &sources, &spatial)?;
        let total = losses.total(&params)?;
        let numbers = |list: &[Traced]| -> Vec<f32> {
            list.iter()
                .map(|t| t.value().to_scalar().unwrap())
                .collect()
        };
        close(
            "total",
            &[found.total],
            &numbers(std::slice::from_ref(&total)),
        );
        close(
            "terms",
            &found.reconstruction,
            &numbers(&losses.reconstruction),
        );
        close("cross", &found.cross, &numbers(&losses.cross));
        let gradients = total.backward()?;
        for (i, (parameter, own)) in parameters.vars().iter().zip(&found.gradients).enumerate() {
            let expected = gradients.get(parameter).unwrap().contiguous()?;
            close(&format!("gradient {i}"), own, &to_vec(&expected)?);
        }
        let arrays = epoch.embed(task)?;
        close("joint", &arrays.joint, &to_vec(forward.joint.value())?);
        close(
            "second",
            &arrays.modality[1],
            &to_vec(forward.modality[1].value())?,
        );
        close("within", &arrays.within[0], &to_vec(&forward.within[0])?);
        Ok(())
    })
    .unwrap();
}

fn norm(x: &[f32]) -> f32 {
    x.iter().map(|v| v * v).sum::<f32>().sqrt()
}

/// Along its gradient each parameter changes the loss by the gradient's length: differences of the fourth order over
/// fiftieths of the parameter's own length, which moves the loss thousands of times more than f32 rounds it.
#[test]
fn gradients_agree_with_finite_differences() {
    let params = params();
    threads::install(2, || {
        let (spatial, sources) = (graph(9), sources());
        let (model, parameters) = model()?;
        let mut epoch = Epoch::new(&sources, &spatial, WIDTH);
        let task = Task {
            model: &model,
            sources: &sources,
            spatial: &spatial,
            params: &params,
        };
        let found = epoch.pass(task)?;
        for (i, (parameter, gradient)) in parameters.vars().iter().zip(&found.gradients).enumerate()
        {
            let length = norm(gradient);
            let (start, step) = (to_vec(parameter)?, 0.02 * norm(&to_vec(parameter)?));
            let mut loss_at = |sign: f32| -> crate::Result<f64> {
                let moved = start.iter().zip(gradient);
                let moved: Vec<f32> = moved.map(|(w, g)| w + sign * step * g / length).collect();
                parameter.set(&Tensor::from_vec(moved, parameter.shape(), &Device::Cpu)?)?;
                let task = Task {
                    model: &model,
                    sources: &sources,
                    spatial: &spatial,
                    params: &params,
                };
                let found = epoch.pass(task)?;
                Ok(f64::from(found.total))
            };
            let near = loss_at(1.0)? - loss_at(-1.0)?;
            let far = loss_at(2.0)? - loss_at(-2.0)?;
            let slope = (8.0 * near - far) / (12.0 * f64::from(step));
            parameter.set(&Tensor::from_vec(start, parameter.shape(), &Device::Cpu)?)?;
            let ratio = slope / f64::from(length);
            assert!((ratio - 1.0).abs() < 2e-3, "parameter {i}: {ratio}");
        }
        Ok(())
    })
    .unwrap();
}
