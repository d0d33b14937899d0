//! The kernels of `cuda/` against the CPU's operations, run by the emulator (feature `emulate`).
#![cfg(feature = "emulate")]
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use candle_core::Device;
use ndarray::Array2;
use spax_core::gpu::emulated::{launches, with, Order};
use spax_core::graph::{curve_order, Graph};
use spax_core::rng::{Purpose, Rng};
use spax_core::spacross::{EpochLosses, Input, Params, Trainer};

/// While one test emulates, tensors of the CPU are on the "device" for all: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn numbers(seed: u32, n: usize) -> Vec<f32> {
    let mut rng = Rng::new(3, Purpose::Data, seed);
    (0..n).map(|_| rng.normal() as f32).collect()
}

fn trainer(n: usize, p: usize, params: Params) -> Trainer {
    let mut rng = Rng::new(2, Purpose::Data, 0);
    let coords = Array2::from_shape_fn((n, 2), |_| rng.uniform());
    let x = Array2::from_shape_vec((n, p), numbers(1, n * p)).unwrap();
    let graph = Graph::knn(coords.view(), 6).unwrap();
    let order = curve_order(coords.view()).unwrap();
    let params = params.check(n, 4).unwrap();
    Trainer::new(Input::dense(x), &graph, order, params, 7, 1, &Device::Cpu).unwrap()
}

fn train(n: usize, p: usize, params: Params, epochs: usize) -> (Vec<EpochLosses>, Array2<f32>) {
    let mut trainer = trainer(n, p, params);
    let losses = trainer.steps(epochs).unwrap();
    (losses, trainer.embedding().unwrap())
}

fn gap(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares = |x: f64| x * x;
    let gap: f64 = a.iter().zip(b).map(|(a, b)| squares(f64::from(a - b))).sum();
    let size: f64 = b.iter().map(|&b| squares(b.into())).sum();
    (gap / size).sqrt()
}

#[test]
fn training_agrees_with_the_cpu() {
    let _alone = ALONE.lock();
    let params = Params { update_every: 4, top_k: 5, ..Params::default() };
    let (losses, embedding) = train(150, 21, params.clone(), 10);
    let before = launches();
    let start = std::time::Instant::now();
    let (placed, placed_embedding) = with(Order::Forwards, || train(150, 21, params.clone(), 10));
    eprintln!("{} launches, {:?}", launches() - before, start.elapsed());
    for (a, b) in placed.iter().zip(&losses) {
        eprintln!("{a:?}\n{b:?}");
    }
    eprintln!("{}", gap(placed_embedding.as_slice().unwrap(), embedding.as_slice().unwrap()));
}
