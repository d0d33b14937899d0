//! Held to the published code's numbers (METHODS 4; the files' README says how they were made).
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use candle_core::{Device, Tensor};

use super::check::{first_pass, three_steps, trainer, RUNS};
use super::weights::{by_order, by_rank};
use crate::check::{Gaps, TOLERANCE};
use crate::recorded::Recorded;
use crate::threads;

fn folder() -> PathBuf {
    match std::env::var_os("SPAX_CONFORMANCE_DIR") {
        Some(folder) => folder.into(),
        None => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance").into(),
    }
}

fn all_close(
    check: impl Fn(&std::path::Path, &str, &Device) -> crate::Result<Vec<crate::check::Gap>>,
) {
    for name in RUNS {
        let gaps = check(&folder(), name, &Device::Cpu).unwrap();
        assert!(gaps.len() > 10);
        for gap in gaps {
            assert!(gap.gap <= TOLERANCE, "{name}: {gap:?}");
        }
    }
}

#[test]
fn first_pass_and_its_gradients() {
    all_close(first_pass);
}

#[test]
fn three_steps_of_every_run() {
    all_close(three_steps);
}

/// The pass that trains on the CPU; the first pass above is candle's.
#[test]
fn gradients_of_the_pass_on_the_cpu() {
    for name in RUNS {
        let recorded = Recorded::load(&folder(), name).unwrap();
        let mut trainer = trainer(&recorded, &Device::Cpu).unwrap();
        let found = threads::install(2, || trainer.pass_on_host()).unwrap();
        let mut gaps = Gaps::default();
        for (parameter, gradient) in trainer.parameters.iter().zip(found.gradients) {
            let gradient = Tensor::from_vec(gradient, parameter.var.shape(), &Device::Cpu);
            for (what, ours) in parameter.arrays(&gradient.unwrap()).unwrap() {
                let ours: Vec<f32> = ours.iter().map(|&g| g as f32).collect();
                let theirs = recorded.floats(&format!("step0.grad.{what}")).unwrap();
                gaps.add(what, &ours, &theirs, 0.0);
            }
        }
        assert_eq!(gaps.0.len(), 10);
        for gap in gaps.0 {
            assert!(gap.gap <= TOLERANCE, "{name}: {gap:?}");
        }
    }
}

/// The same by the kernels of a device, in either order of a block's threads.
#[cfg(feature = "emulate")]
#[test]
fn the_same_by_the_kernels() {
    use crate::gpu::emulated::{with, Order};
    with(Order::Forwards, || {
        all_close(first_pass);
        all_close(three_steps);
    });
    with(Order::Backwards, || all_close(three_steps));
}

#[test]
fn weights_of_genes() {
    for name in RUNS {
        let recorded = Recorded::load(&folder(), name).unwrap();
        let floats = |what: &str| recorded.floats(what).unwrap();
        let near = |ours: Vec<f64>, theirs: Vec<f32>| {
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.into_iter().zip(theirs) {
                assert!((ours - f64::from(theirs)).abs() <= TOLERANCE * ours.abs());
            }
        };
        let mean: Vec<f64> = floats("gene_mean_lognorm")
            .into_iter()
            .map(f64::from)
            .collect();
        near(by_rank(&mean), floats("gene_weight.ranked_lognorm"));
        // Which gene gets which published weight is rounding in the published code; the weights are the same ones.
        let mut ours = by_order(&mean);
        ours.sort_by(f64::total_cmp);
        let mut theirs = floats("gene_weight.published");
        theirs.sort_by(f32::total_cmp);
        near(ours, theirs);
    }
}
