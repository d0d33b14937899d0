//! CPU seconds of one epoch and peak memory, on a simulated slice.
//!
//! `bench CELLS [COLUMNS] [THREADS] [EPOCHS]`: cells on a jittered grid in random order, `COLUMNS`
//! inputs, k = 12. Prints one line: sizes, wall and CPU milliseconds an epoch without and with the
//! contrast, CPU seconds of one hybrid graph, peak memory.

#[path = "measure/mod.rs"]
mod measure;

use std::time::Instant;

use candle_core::Device;
use measure::{cpu_seconds, peak_megabytes};
use ndarray::Array2;
use spax_core::design::Input;
use spax_core::graph::{curve_order, Graph};
use spax_core::rng::{Purpose, Rng};
use spax_core::systems::spacross::{Params, Trainer};
use spax_core::{threads, Result};

/// A smooth field with noise, so that embeddings have something to find.
fn simulate(n: usize, columns: usize) -> (Array2<f64>, Array2<f32>) {
    let mut rng = Rng::new(1, Purpose::Data, 0);
    let side = (n as f64).sqrt();
    let coords = Array2::from_shape_fn((n, 2), |_| rng.uniform_in(0.0, side));
    let x = Array2::from_shape_fn((n, columns), |(i, c)| {
        let wave = (coords[[i, c % 2]] / side * (3.0 + (c % 7) as f64)).sin();
        (wave * 10.0 / (1.0 + c as f64) + rng.normal()) as f32
    });
    (coords, x)
}

/// Wall and CPU milliseconds of each of `epochs` epochs.
fn time(trainer: &mut Trainer, epochs: usize) -> Result<(f64, f64)> {
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    for _ in 0..epochs {
        trainer.step()?;
    }
    let each = 1e3 / epochs as f64;
    Ok((
        wall.elapsed().as_secs_f64() * each,
        (cpu_seconds() - cpu) * each,
    ))
}

fn main() -> Result<()> {
    let arguments: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let argument = |i: usize, default: usize| arguments.get(i).copied().unwrap_or(default);
    let (n, columns, n_threads, epochs) = (
        argument(0, 3639),
        argument(1, 200),
        argument(2, 1),
        argument(3, 10),
    );
    let (coords, x) = simulate(n, columns);
    let (graph, order) = threads::install(n_threads, || {
        Ok((Graph::knn(coords.view(), 12)?, curve_order(coords.view())?))
    })?;
    let before = peak_megabytes();
    let params = Params {
        update_every: epochs + 2,
        ..Params::default()
    };
    let params = params.check(n, 7)?;
    let device = Device::Cpu;
    let mut trainer = Trainer::new(
        Input::dense(x),
        &graph,
        order,
        params,
        1,
        n_threads,
        &device,
    )?;
    time(&mut trainer, 2)?;
    let plain = time(&mut trainer, epochs)?;
    let start = cpu_seconds();
    trainer.step()?;
    let hybrid = cpu_seconds() - start - plain.1 / 1e3;
    let contrast = time(&mut trainer, epochs)?;
    println!(
        "{n} cells x {columns}, {n_threads} threads: epoch {:.1} ms wall {:.1} ms CPU; with contrast \
         {:.1} / {:.1}; hybrid graph {hybrid:.2} s CPU; peak {:.0} MB (before training {before:.0})",
        plain.0,
        plain.1,
        contrast.0,
        contrast.1,
        peak_megabytes()
    );
    Ok(())
}
