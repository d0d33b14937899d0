//! Numbers on the tape: losses that were computed together with their gradients, and their weighted sums.
//!
//! A loss over rows costs hardly more with its gradient than without, so the two are computed in one pass and the gradient
//! waits here for the backward pass.

mod device;
mod host;

use candle_core::Result;

use super::tape::Traced;

pub use device::placed;
pub use host::given;

/// The sum of numbers, each with its weight. What has weight 0 has no gradient, so that the optimiser leaves alone the
/// parameters that nothing else depends on.
///
/// # Errors
/// A sum of nothing.
pub fn weighted_sum(terms: &[(&Traced, f64)]) -> Result<Traced> {
    let weighted = terms.iter().map(|(term, weight)| term.value() * *weight);
    let sum = weighted.reduce(|sum, term| sum? + term?);
    let sum = sum.unwrap_or_else(|| candle_core::bail!("a sum of nothing"))?;
    let (inputs, weights): (Vec<_>, Vec<_>) = terms.iter().copied().unzip();
    Ok(Traced::of_all(&inputs, sum, move |upstream| {
        let each = weights
            .iter()
            .map(|&weight| (weight != 0.0).then(|| upstream * weight).transpose());
        each.collect()
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn what_has_no_weight_has_no_gradient() {
        let [a, b] = [2f32, 5.0].map(|value| Var::new(value, &Device::Cpu).unwrap());
        let sum = weighted_sum(&[(&(&a).into(), 3.0), (&(&b).into(), 0.0)]).unwrap();
        assert_eq!(sum.value().to_scalar::<f32>().unwrap(), 6.0);
        let gradients = sum.backward().unwrap();
        let gradient = gradients.get(&a).unwrap();
        assert_eq!(gradient.to_scalar::<f32>().unwrap(), 3.0);
        assert!(gradients.get(&b).is_none());
    }
}
