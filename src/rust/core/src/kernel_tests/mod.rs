//! The kernels of `cuda/` and what launches them, run by the emulator and held to the CPU's operations: values,
//! gradients, whole trainings. Sizes are no multiples of warps, groups or tiles.
#![allow(clippy::unwrap_used, clippy::panic)]

mod layers;
mod products;
mod rounding;
mod search;
mod trainings;

use candle_core::{Device, Result, Tensor, Var};

use crate::gpu::emulated::{with, Order};
use crate::gpu::Kernels;
use crate::nn::tape::{by_candle, Traced};
use crate::preprocess::ScaledGenes;
use crate::rng::{Purpose, Rng};
use crate::slices::Slices;
use crate::sparse::Csr;

const BOTH: [Order; 2] = [Order::Forwards, Order::Backwards];

fn numbers(seed: u32, n: usize) -> Vec<f32> {
    let mut rng = Rng::new(3, Purpose::Data, seed);
    (0..n).map(|_| rng.normal() as f32).collect()
}

fn tensor(seed: u32, rows: usize, columns: usize) -> Tensor {
    Tensor::from_vec(numbers(seed, rows * columns), (rows, columns), &Device::Cpu).unwrap()
}

fn var(seed: u32, rows: usize, columns: usize) -> Var {
    Var::from_tensor(&tensor(seed, rows, columns)).unwrap()
}

fn values(x: &Tensor) -> Vec<f32> {
    x.contiguous()
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap()
}

/// A scalar of a matrix that treats every entry differently.
fn weigh(x: &Tensor) -> Result<Tensor> {
    let weights = Tensor::from_vec(numbers(99, x.elem_count()), x.shape(), &Device::Cpu)?;
    (x * weights)?.sum_all()
}

fn close(what: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let square = |x: f32| f64::from(x).powi(2);
    let gap: f64 = ours.iter().zip(theirs).map(|(a, b)| square(a - b)).sum();
    let size: f64 = theirs.iter().map(|&b| square(b)).sum();
    assert!(
        gap.sqrt() <= 1e-5 * size.sqrt().max(1e-6),
        "{what}: {} of {}",
        gap.sqrt(),
        size.sqrt()
    );
}

/// A result and the gradients of its weighted sum, on the CPU and by the kernels with the threads of a block in either
/// order: the two orders give the same bytes, and both the CPU's numbers.
fn same(what: &str, variables: &[&Var], f: impl Fn() -> Traced) {
    let run = || {
        let out = f();
        let gradients = by_candle(&out, weigh).unwrap().backward().unwrap();
        let gradient = |v: &&Var| values(gradients.get(v).unwrap());
        let mut all = vec![values(out.value())];
        all.extend(variables.iter().map(gradient));
        all
    };
    let expected = run();
    let [forwards, backwards] = BOTH.map(|order| with(order, run));
    let bits =
        |all: &[Vec<f32>]| -> Vec<u32> { all.iter().flatten().map(|v| v.to_bits()).collect() };
    assert_eq!(bits(&forwards), bits(&backwards), "{what}: a race");
    for (i, (ours, theirs)) in forwards.iter().zip(&expected).enumerate() {
        close(&format!("{what}, array {i}"), ours, theirs);
    }
}

/// Rows of 0 to `most` entries.
fn sparse(rows: usize, columns: usize, most: usize) -> Csr {
    let mut rng = Rng::new(4, Purpose::Data, rows as u32);
    let (mut starts, mut indices) = (vec![0], vec![]);
    for row in 0..rows {
        let n = if row % 5 == 0 { 0 } else { rng.below(most + 1) };
        let mut chosen: Vec<u32> = rng.permutation(columns).into_iter().take(n).collect();
        chosen.sort_unstable();
        indices.extend(chosen);
        starts.push(indices.len());
    }
    let values = numbers(5, indices.len());
    Csr::new(columns, starts, indices, values).unwrap()
}

fn genes(n: usize, p: usize, n_slices: usize) -> ScaledGenes {
    let ids: Vec<u32> = (0..n).map(|i| (i % n_slices) as u32).collect();
    ScaledGenes {
        matrix: sparse(n, p, p),
        slices: Slices::new(ids).unwrap(),
        mean: (0..n_slices * p).map(|g| 0.1 + 0.01 * g as f64).collect(),
        sd: vec![1.0; p],
        scale: (0..p).map(|g| 0.5 + 0.1 * g as f64).collect(),
        evened: Vec::new(),
    }
}

fn with_kernels() -> Option<Kernels> {
    Kernels::of(&Device::Cpu).unwrap()
}
