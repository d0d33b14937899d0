//! On the CPU.

use std::sync::Mutex;

use candle_core::{bail, Result, Shape, Tensor};

use crate::nn::tape::Traced;

/// The scalar `value` as a function of `inputs`, whose gradients are `gradients` (of their shapes).
pub fn given<const N: usize>(
    inputs: [&Traced; N],
    value: f32,
    gradients: [Vec<f32>; N],
) -> Result<Traced> {
    let device = inputs[0].value().device().clone();
    let value = Tensor::new(value, &device)?;
    let shapes: [Shape; N] = inputs.map(|input| input.value().shape().clone());
    let held = Mutex::new(Some(gradients));
    Ok(Traced::of(inputs, value, move |upstream| {
        let taken = held.lock().ok().and_then(|mut held| held.take());
        let Some(gradients) = taken else {
            bail!("a second backward pass");
        };
        let factor = upstream.to_scalar::<f32>()?;
        let mut scaled = [const { None }; N];
        for ((scaled, mut gradient), shape) in scaled.iter_mut().zip(gradients).zip(&shapes) {
            gradient.iter_mut().for_each(|g| *g *= factor);
            *scaled = Some(Tensor::from_vec(gradient, shape.clone(), &device)?);
        }
        Ok(scaled)
    }))
}
