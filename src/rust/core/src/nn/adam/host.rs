//! On the CPU.

use candle_core::Var;

use super::{rate, root, BETA1, BETA2, EPSILON};

/// First and second moments of one parameter.
pub struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

impl Moments {
    pub fn of(parameter: &Var) -> Self {
        Self {
            first: vec![0.0; parameter.elem_count()],
            second: vec![0.0; parameter.elem_count()],
        }
    }

    pub fn update(&mut self, gradient: &[f32], values: &mut [f32], learning_rate: f64, step: i32) {
        let (rate, root) = (rate(learning_rate, step), root(step));
        let (b1, b2) = (BETA1 as f32, BETA2 as f32);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((value, &g), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
            *first = b1 * *first + (1.0 - b1) * g;
            *second = b2 * *second + (1.0 - b2) * g * g;
            *value -= rate * *first / (second.sqrt() / root + EPSILON as f32);
        }
    }
}
