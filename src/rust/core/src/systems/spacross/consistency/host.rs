//! On the CPU.

use candle_core::{Result, Tensor};

use crate::nn::scalar::given;
use crate::nn::tape::Traced;
use crate::nn::view::with_slices;
use crate::systems::spacross::draws::Draws;
use crate::systems::spacross::rows::{add_rows, alike, apart, row, sum_terms, Cosine};

pub fn consistency(projected: &Traced, target: &Tensor, draws: &Draws, t: f32) -> Result<Traced> {
    let (_, width) = projected.value().dims2()?;
    let (value, gradient) = with_slices([projected.value(), target], |[r, z]| {
        Ok(value_and_gradient(r, z, draws, t, width))
    })?;
    given([projected], value, [gradient])
}

fn value_and_gradient(
    r: &[f32],
    z: &[f32],
    draws: &Draws,
    t: f32,
    width: usize,
) -> (f32, Vec<f32>) {
    let [online, target] = &draws.consistency;
    let (positives, negatives) = (draws.masked.len(), online.len());
    let share = |n: usize| 0.5 / n.max(1) as f32;
    let (agree, d_agree) = sum_terms(positives, width, |p, out| {
        let (a, b) = (
            row(r, draws.masked[p], width),
            row(z, draws.masked[p], width),
        );
        let cosine = Cosine::new(a, b);
        let (loss, slope) = apart(cosine.value, t);
        cosine.gradient(a, b, slope * share(positives), out);
        loss
    });
    let (differ, d_differ) = sum_terms(negatives, width, |p, out| {
        let (a, b) = (row(r, online[p], width), row(z, target[p], width));
        let cosine = Cosine::new(a, b);
        let (loss, slope) = alike(cosine.value, t);
        cosine.gradient(a, b, slope * share(negatives), out);
        loss
    });
    let mut gradient = vec![0f32; r.len()];
    add_rows(&mut gradient, &draws.masked, &d_agree, width);
    add_rows(&mut gradient, online, &d_differ, width);
    let value = agree * f64::from(share(positives)) + differ * f64::from(share(negatives));
    (value as f32, gradient)
}
