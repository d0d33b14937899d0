//! What the checks of both systems share: arrays compared, and a training followed to be held to another.

mod rounding;

use candle_core::backprop::GradStore;
use candle_core::Tensor;

use crate::nn::parameters::{Parameter, Parameters};
use crate::Result;

#[cfg(any(test, feature = "check"))]
pub(crate) use rounding::epochs;
pub use rounding::{Judged, Rounding};

/// How far numbers may be apart, relative to their length.
pub const TOLERANCE: f64 = 1e-4;

/// Two arrays compared.
#[derive(Clone, Debug)]
pub struct Gap {
    /// What is compared.
    pub what: String,
    /// The length of the difference over that of what was expected.
    pub gap: f64,
}

/// `floor`: arrays shorter than it count as that long.
fn gap(what: String, ours: &[f32], theirs: &[f32], floor: f64) -> Gap {
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let pairs = ours.iter().zip(theirs);
    let difference = length(&mut pairs.map(|(a, b)| f64::from(a - b)));
    let size = length(&mut theirs.iter().map(|&v| f64::from(v))).max(floor);
    let gap = match (ours.len() == theirs.len(), difference == 0.0) {
        (false, _) => f64::INFINITY,
        (true, true) => 0.0,
        (true, false) => difference / size,
    };
    Gap { what, gap }
}

/// What was compared so far.
#[derive(Default)]
pub(crate) struct Gaps(pub Vec<Gap>);

impl Gaps {
    /// Two arrays, whose size is taken as `floor` at least.
    pub fn add(&mut self, what: String, ours: &[f32], theirs: &[f32], floor: f64) {
        self.0.push(gap(what, ours, theirs, floor));
    }

    /// Two numbers.
    pub fn number(&mut self, what: String, ours: f64, theirs: f64) {
        self.add(what, &[ours as f32], &[theirs as f32], 0.0);
    }
}

/// Arrays by their published names.
pub(crate) type Named = Vec<(String, Vec<f32>)>;

/// What gradients move.
pub(crate) fn values(parameters: &Parameters) -> Result<Named> {
    named(parameters, |p| Ok(p.var.as_detached_tensor()))
}

/// The gradients of the same; zeros where the loss does not depend on a parameter.
pub(crate) fn gradients(parameters: &Parameters, store: &GradStore) -> Result<Named> {
    named(parameters, |p| match store.get(&p.var) {
        Some(gradient) => Ok(gradient.clone()),
        None => Ok(p.var.zeros_like()?),
    })
}

fn named(parameters: &Parameters, tensor: impl Fn(&Parameter) -> Result<Tensor>) -> Result<Named> {
    let mut all = vec![];
    for parameter in parameters.trained().iter() {
        for (name, array) in parameter.arrays(&tensor(parameter)?)? {
            all.push((name, array.iter().map(|&v| v as f32).collect()));
        }
    }
    Ok(all)
}

/// How long a training is followed: after `steps` epochs parameters and losses, after `epochs` the embedding.
#[derive(Clone, Copy, Debug)]
pub struct Spans {
    /// Steps after which parameters are compared.
    pub steps: usize,
    /// Epochs after which embeddings are compared.
    pub epochs: usize,
}

/// What a training gave: gradients of the first step, losses and parameters after some steps, the embedding at the end.
pub struct Record {
    pub(crate) gradients: Named,
    pub(crate) losses: Vec<(String, f64)>,
    pub(crate) parameters: Named,
    pub(crate) embedding: Vec<f32>,
    pub(crate) spans: Spans,
}

impl Record {
    /// How far this training is from another of the same seed, and on its own the embedding at the end: by then
    /// rounding may have taken other ways.
    pub fn against(&self, other: &Record) -> (Vec<Gap>, Gap) {
        let mut gaps = Gaps::default();
        let Spans { steps, epochs } = self.spans;
        for ((name, ours), (_, theirs)) in self.gradients.iter().zip(&other.gradients) {
            gaps.add(format!("gradient of {name}"), ours, theirs, 1e-3);
        }
        for ((name, ours), (_, theirs)) in self.losses.iter().zip(&other.losses) {
            gaps.number(name.clone(), *ours, *theirs);
        }
        for ((name, ours), (_, theirs)) in self.parameters.iter().zip(&other.parameters) {
            gaps.add(format!("{name} after {steps} steps"), ours, theirs, 1e-2);
        }
        let what = format!("embedding after {epochs} epochs");
        let last = gap(what, &self.embedding, &other.embedding, 0.0);
        (gaps.0, last)
    }

    /// Whether every number is the same to the last bit.
    pub fn repeats(&self, other: &Record) -> bool {
        let bits = |record: &Record| -> Vec<u64> {
            let arrays = record.gradients.iter().chain(&record.parameters);
            let arrays = arrays
                .flat_map(|(_, values)| values)
                .chain(&record.embedding);
            let arrays = arrays.map(|v| v.to_bits().into());
            arrays
                .chain(record.losses.iter().map(|(_, v)| v.to_bits()))
                .collect()
        };
        bits(self) == bits(other)
    }
}
