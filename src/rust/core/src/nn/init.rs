//! Initial values, as PyTorch and PyTorch Geometric draw them, from our own generator.

use candle_core::{Device, Result, Var};

use crate::rng::Rng;

fn uniform(rng: &mut Rng, bound: f64, shape: (usize, usize), device: &Device) -> Result<Var> {
    let draws = (0..shape.0 * shape.1)
        .map(|_| rng.uniform_in(-bound, bound) as f32)
        .collect();
    Var::from_vec(draws, shape, device)
}

/// Kaiming-uniform with a = sqrt 5: a linear layer's weight, `outer` x `inner`.
pub fn kaiming(rng: &mut Rng, outer: usize, inner: usize, device: &Device) -> Result<Var> {
    uniform(rng, (inner as f64).sqrt().recip(), (outer, inner), device)
}

/// Uniform within 1 / sqrt(fan_in): a linear layer's bias, 1 x `outer`.
pub fn bias(rng: &mut Rng, outer: usize, inner: usize, device: &Device) -> Result<Var> {
    uniform(rng, (inner as f64).sqrt().recip(), (1, outer), device)
}

/// Glorot- (Xavier-) uniform, `outer` x `inner`.
pub fn glorot(rng: &mut Rng, outer: usize, inner: usize, device: &Device) -> Result<Var> {
    let bound = (6.0 / (outer + inner) as f64).sqrt();
    uniform(rng, bound, (outer, inner), device)
}

/// Uniform within `bound`.
pub fn within(rng: &mut Rng, bound: f64, n: usize, device: &Device) -> Result<Var> {
    uniform(rng, bound, (n, n), device)
}

/// Zeros, 1 x `width`.
pub fn zeros(width: usize, device: &Device) -> Result<Var> {
    Var::from_vec(vec![0f32; width], (1, width), device)
}

/// Scale 1 and shift 0 of a batch norm, 2 x `width`.
pub fn affine(width: usize, device: &Device) -> Result<Var> {
    let mut values = vec![1f32; width];
    values.resize(2 * width, 0.0);
    Var::from_vec(values, (2, width), device)
}
