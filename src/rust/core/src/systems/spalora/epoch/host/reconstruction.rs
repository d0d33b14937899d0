//! The reconstructions of all modalities from one P = A Z (METHODS 7).

use crate::dense::{gram, multiply, product, times_into, View};
use crate::systems::spalora::model::ModalityData;

/// One modality's share.
pub struct Term {
    /// mean over N x p of omega_g (X - P V)^2
    pub loss: f32,
    /// Gradient of V', p x d.
    pub dv: Vec<f32>,
}

/// The terms of all modalities, their V' (p x d) given; `dp` (N x d) receives the gradient of `p`.
///
/// With G = P'P and K = X'P a term is [sum omega |X_g|^2 - 2 <K, Omega V'> + <G, V Omega V'>] / (N p). Its gradients
/// are 2 (P V Omega V' - X Omega V') / (N p) of P and 2 Omega (V' G - K) / (N p) of V'.
pub fn reconstructions(
    sources: &[ModalityData],
    decoders: &[&[f32]],
    weights: &[f64],
    p: &[f32],
    dp: &mut [f32],
    d: usize,
) -> Vec<Term> {
    let products = gram(p, p, d, d);
    let mut inner = vec![0f32; d * d];
    let mut terms = vec![];
    for (m, (source, v)) in sources.iter().zip(decoders).enumerate() {
        let weight = 2.0 * weights[m] / (source.n_rows() * source.constant.weights.len()) as f64;
        let mut weighted = v.to_vec();
        weigh_rows(&mut weighted, &source.constant.weights, d);
        terms.push(term(source, v, &weighted, p, &products, weight as f32));
        weighted.iter_mut().for_each(|v| *v *= weight as f32);
        source.input.multiply_into(&weighted, d, dp, m > 0);
        let rows = v.len() / d;
        multiply(
            View::new(v, rows, d).t(),
            View::new(&weighted, rows, d),
            &mut inner,
            1.0,
            1.0,
        );
    }
    times_into(p, View::new(&inner, d, d), dp, -1.0, 1.0);
    terms
}

/// `weighted` is Omega V', `factor` that of the gradient.
fn term(
    source: &ModalityData,
    v: &[f32],
    weighted: &[f32],
    p: &[f32],
    products: &[f32],
    factor: f32,
) -> Term {
    let d = p.len() / source.n_rows();
    let (rows, x) = (v.len() / d, &source.constant);
    let mut inner = vec![0f32; d * d];
    product(
        View::new(v, rows, d).t(),
        View::new(weighted, rows, d),
        &mut inner,
    );
    let mut dv = source.input.transposed_times(p, d);
    let sum = x.squares - 2.0 * inner_product(&dv, weighted) + inner_product(products, &inner);
    multiply(
        View::new(v, rows, d),
        View::new(products, d, d),
        &mut dv,
        -factor,
        factor,
    );
    weigh_rows(&mut dv, &x.weights, d);
    Term {
        loss: (sum / (source.n_rows() * rows) as f64) as f32,
        dv,
    }
}

fn weigh_rows(x: &mut [f32], weights: &[f32], d: usize) {
    for (row, &weight) in x.chunks_exact_mut(d).zip(weights) {
        row.iter_mut().for_each(|value| *value *= weight);
    }
}

fn inner_product(a: &[f32], b: &[f32]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}
