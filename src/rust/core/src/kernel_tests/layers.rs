//! Layers, dropout, attention and the optimiser.

use candle_core::{Device, Var};
use candle_nn::Optimizer;

use super::{close, same, tensor, values, var, weigh, with_kernels};
use crate::gpu::emulated::{with, Order};
use crate::nn::adam::{self, Adam};
use crate::nn::dropout::Dropout;
use crate::nn::gather::gather;
use crate::nn::norm_act::{moments, norm_act, Activation, Settings};
use crate::nn::running::Running;
use crate::nn::tape::Traced;
use crate::rng::{Philox, Purpose};
use crate::systems::spacross::draws::Draws;

/// Draws of every kind of row: kept, masked, replaced by others (some of them the same).
fn draws(n: usize) -> Draws {
    let draws = Draws::new(n, 0.45, 0.4, 6, 2);
    match with_kernels() {
        Some(kernels) => draws.pack().place(&kernels).unwrap(),
        None => draws,
    }
}

#[test]
fn gathered_rows() {
    for (n, width) in [(300, 64), (41, 16), (67, 3), (29, 200)] {
        let (x, token) = (var(1, n, width), var(2, 1, width));
        same("online", &[&x, &token], || {
            gather(&x, &token, &draws(n).online).unwrap()
        });
        same("target", &[&x, &token], || {
            gather(&x, &token, &draws(n).target).unwrap()
        });
        same("remasked", &[&x, &token], || {
            gather(&x, &token, &draws(n).remasked).unwrap()
        });
    }
}

fn dropout(p: f64) -> Dropout {
    Dropout::new(p, Philox::new(0x1234_5678_9abc_def0, Purpose::Dropout), 77)
}

fn settings(p: f64, activation: Activation) -> Settings {
    Settings {
        epsilon: 1e-3,
        momentum: 0.1,
        activation,
        dropout: dropout(p),
    }
}

fn normed(x: &Var, affine: &Var, p: f64, activation: Activation) -> Traced {
    let running = Running::of(0.0, 1.0, x.dim(1).unwrap()).unwrap();
    norm_act(x, affine, &running, settings(p, activation)).unwrap()
}

#[test]
fn norm_activation_and_dropout() {
    use Activation::{Elu, Identity, Relu};
    for (n, width) in [(150, 64), (33, 16), (97, 1), (40, 200), (5, 67), (260, 8)] {
        let (x, affine) = (var(1, n, width), var(2, 2, width));
        for (p, activation) in [(0.2, Elu), (0.2, Relu), (0.5, Identity), (0.0, Elu)] {
            same(
                &format!("{n} x {width}, {activation:?}"),
                &[&x, &affine],
                || normed(&x, &affine, p, activation),
            );
        }
    }
}

/// Every factor, bit by bit: a seed drops the same values on both.
#[test]
fn dropout_masks_are_the_cpus() {
    for width in [1, 16, 64, 65, 200] {
        let n = 130;
        let x = Var::from_tensor(&tensor(1, n, width)).unwrap();
        // Without scale and with shift 1 every value is 1 before dropout.
        let affine = [vec![0f32; width], vec![1f32; width]].concat();
        let affine = Var::from_vec(affine, (2, width), &Device::Cpu).unwrap();
        let ours = with(Order::Forwards, || {
            values(normed(&x, &affine, 0.3, Activation::Identity).value())
        });
        let mut theirs = vec![0f32; n * width];
        dropout(0.3).factors(0, width, &mut theirs);
        assert_eq!(ours, theirs, "width {width}");
    }
}

#[test]
fn running_moments_follow_the_batch() {
    let (n, width) = (70, 5);
    let (x, affine) = (var(1, n, width), var(2, 2, width));
    let settings = settings(0.0, Activation::Identity);
    let moved = with(Order::Forwards, || {
        let running = Running::of(0.5, 2.0, width).unwrap();
        norm_act(&x, &affine, &running, settings).unwrap();
        running.get().unwrap()
    });
    let batch = moments(&values(&x), width);
    for c in 0..width {
        let unbiased = batch.variance[c] * n as f64 / (n as f64 - 1.0);
        assert!((moved.mean[c] - (0.5 + 0.1 * (batch.mean[c] - 0.5))).abs() < 1e-12);
        assert!((moved.variance[c] - (2.0 + 0.1 * (unbiased - 2.0))).abs() < 1e-12);
    }
}

#[test]
fn adam_steps() {
    let start = [tensor(1, 7, 3), tensor(2, 1, 300), tensor(3, 2, 2)];
    let run = |clip: f64| {
        let vars: Vec<Var> = start
            .iter()
            .map(|t| Var::from_tensor(&t.copy().unwrap()).unwrap())
            .collect();
        let settings = adam::Settings {
            learning_rate: 0.1,
            weight_decay: 0.01,
            clip_norm: clip,
        };
        let mut adam = Adam::new(vars.clone(), settings).unwrap();
        let mut all = vec![];
        for _ in 0..3 {
            // The third parameter has no gradient and stays.
            let first = weigh(&vars[0].sqr().unwrap()).unwrap();
            let loss = (first + weigh(&vars[1]).unwrap()).unwrap();
            let norm = adam.step_with_norm(&loss.backward().unwrap()).unwrap();
            all.push(norm.to_scalar::<f64>().unwrap() as f32);
            all.extend(vars.iter().flat_map(|v| values(v)));
        }
        all
    };
    for clip in [1.0, 1e9] {
        let ours = with(Order::Forwards, || run(clip));
        close("adam", &ours, &run(clip));
        assert_eq!(ours, with(Order::Backwards, || run(clip)));
    }
}

#[test]
fn attention_over_embeddings() {
    for (n, m, d) in [(37, 2, 64), (9, 3, 5), (66, 2, 130)] {
        let (x, w, u) = (var(1, n, m * d), var(2, d, d), var(3, 1, d));
        same(&format!("{n} {m} {d}"), &[&x, &w, &u], || {
            crate::nn::attention::attention(&x, &w, &u).unwrap().0
        });
    }
    let x = var(1, 31, 12);
    same("columns", &[&x], || {
        crate::nn::columns::columns(&x, 5, 4).unwrap()
    });
}
