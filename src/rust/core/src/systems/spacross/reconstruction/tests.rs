//! The fused form against the direct one.
#![allow(clippy::unwrap_used)]

use candle_core::{Device, Result, Tensor, Var};
use ndarray::Array2;

use super::{reconstruction, ReconstructionTarget};
use crate::design::Input;
use crate::engine::place::Place;
use crate::nn::dropout::Dropout;
use crate::nn::linear::linear;
use crate::nn::norm_act::{norm_act, Activation, Settings};
use crate::nn::running::Running;
use crate::nn::tape::{by_candle, Traced};
use crate::rng::{Philox, Purpose, Rng};
use crate::systems::spacross::draws::Draws;

fn random(seed: u32, rows: usize, columns: usize) -> Vec<f32> {
    let mut rng = Rng::new(8, Purpose::Data, seed);
    (0..rows * columns).map(|_| rng.normal() as f32).collect()
}

/// The same loss by the direct route: the N x p output, the generic batch norm, then cosines.
#[test]
fn equals_the_direct_form_with_its_gradients() {
    let (n, d, p) = (150, 16, 37);
    let var = |s, r, c| Var::from_vec(random(s, r, c), (r, c), &Device::Cpu).unwrap();
    let (h, v, affine) = (var(1, n, d), var(2, p, d), var(3, 2, p));
    let x = random(4, n, p);
    let masked: Vec<u32> = (0..n as u32).filter(|i| i % 3 != 1).collect();
    let dropout = Dropout::new(0.2, Philox::new(1, Purpose::Dropout), 5);
    let settings = Settings {
        epsilon: 1e-5,
        momentum: 0.1,
        activation: Activation::Identity,
        dropout,
    };
    let draws = Draws::from_parts(n, &masked, &[], &[], &[], vec![], [vec![], vec![]]);
    let target = ReconstructionTarget {
        input: &Input::dense(Array2::from_shape_vec((n, p), x.clone()).unwrap()),
        draws: &draws,
        sharpness: 2.0,
        settings,
    };
    let running = || Running::of(0.0, 1.0, p).unwrap();
    let (moved, direct_moved) = (running(), running());
    let parts = [&h, &v, &affine].map(Traced::from);
    let fused = reconstruction(&Place::Host, parts.each_ref(), &moved, &target).unwrap();

    let y = linear(&h, &v).unwrap();
    let out = norm_act(y, &affine, &direct_moved, settings).unwrap();
    let index = Tensor::from_slice(&masked, masked.len(), &Device::Cpu).unwrap();
    let x = Tensor::from_slice(&x, (n, p), &Device::Cpu).unwrap();
    let x = x.index_select(&index, 0).unwrap();
    let norm = |t: &Tensor| t.sqr()?.sum(1)?.sqrt();
    let cosines = |out: &Tensor| -> Result<Tensor> {
        let out = out.index_select(&index, 0)?;
        let cos = ((&out * &x)?.sum(1)? / (norm(&out)? * norm(&x)?)?)?;
        ((cos + 1.0)? / 2.0)?.log()?.mean(0)? * -2.0
    };
    let direct = by_candle(&out, cosines).unwrap();

    let number = |loss: &Traced| loss.value().to_scalar::<f32>().unwrap();
    let (a, b) = (number(&fused), number(&direct));
    assert!((a - b).abs() < 1e-5 * b.abs(), "{a} {b}");
    let (moments, direct_moments) = (moved.get().unwrap(), direct_moved.get().unwrap());
    for c in 0..p {
        assert!((moments.mean[c] - direct_moments.mean[c]).abs() < 1e-6);
        assert!((moments.variance[c] - direct_moments.variance[c]).abs() < 1e-5);
    }
    let (fused, direct) = (fused.backward().unwrap(), direct.backward().unwrap());
    for variable in [&h, &v, &affine] {
        let a = fused.get(variable).unwrap();
        let b = direct.get(variable).unwrap();
        let length = |t: &Tensor| norm(&t.flatten_all()?.unsqueeze(0)?);
        let (gap, size) = (length(&(a - b).unwrap()), length(b));
        let ratio = (gap.unwrap() / size.unwrap())
            .unwrap()
            .to_vec1::<f32>()
            .unwrap()[0];
        assert!(ratio < 1e-5, "gradients differ by {ratio}");
    }
}
