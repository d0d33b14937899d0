//! The tape, and the backward pass along it.
//!
//! An operation gives a [`Traced`]: its result and, where a parameter is behind it, the step that takes the gradient of
//! the result to those of what it was made from. candle's own tape makes zeros for every gradient and adds to them; here
//! the first gradient that reaches a step is moved, and only further ones are added, in candle's order. A step holds what
//! its gradient needs, and not every tensor that went into it. What comes out is candle's store of gradients, which
//! optimisers take.

use std::collections::hash_map::{Entry, HashMap};
use std::collections::HashSet;
use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, TensorId, Var};

/// Takes the gradient of a result to the gradients of the inputs.
type Backward = Box<dyn Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync>;

struct Step {
    /// Of the result, or of the parameter.
    id: TensorId,
    /// The steps that led here; None for constants.
    inputs: Vec<Option<Arc<Step>>>,
    /// None for a parameter.
    backward: Option<Backward>,
}

/// A tensor, and how it came from parameters.
#[derive(Clone)]
pub struct Traced {
    value: Tensor,
    step: Option<Arc<Step>>,
}

impl Traced {
    /// A new tensor `value` as a function of `inputs`; `backward` gives their gradients, None where an input needs none.
    pub fn of<const N: usize>(
        inputs: [&Traced; N],
        value: Tensor,
        backward: impl Fn(&Tensor) -> Result<[Option<Tensor>; N]> + Send + Sync + 'static,
    ) -> Self {
        Self::of_all(&inputs, value, move |gradient| {
            Ok(backward(gradient)?.into())
        })
    }

    /// The same for any number of inputs.
    pub fn of_all(
        inputs: &[&Traced],
        value: Tensor,
        backward: impl Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
    ) -> Self {
        if !inputs.iter().any(|input| input.is_traced()) {
            return Self { value, step: None };
        }
        let step = Step {
            id: value.id(),
            inputs: inputs.iter().map(|input| input.step.clone()).collect(),
            backward: Some(Box::new(backward)),
        };
        Self {
            value,
            step: Some(Arc::new(step)),
        }
    }

    /// The result.
    pub fn value(&self) -> &Tensor {
        &self.value
    }

    /// The result, off the tape.
    pub fn into_value(self) -> Tensor {
        self.value
    }

    /// Whether a parameter is behind it.
    pub fn is_traced(&self) -> bool {
        self.step.is_some()
    }

    /// The gradients of this number with respect to the parameters behind it.
    ///
    /// # Errors
    /// Those of the steps.
    pub fn backward(&self) -> Result<GradStore> {
        // To candle the number is a constant: the store holds no more than its gradient with respect to itself.
        let mut store = self.value.backward()?;
        let Some(last) = &self.step else {
            return Ok(store);
        };
        let mut waiting = Waiting::default();
        if let Some(ones) = store.remove(&self.value) {
            waiting.add(last.id, ones)?;
        }
        for step in last.sorted() {
            let Some(gradient) = waiting.0.remove(&step.id) else {
                continue;
            };
            let Some(backward) = &step.backward else {
                store.insert_id(step.id, gradient);
                continue;
            };
            let gradients = backward(&gradient.contiguous()?)?;
            for (input, gradient) in step.inputs.iter().zip(gradients) {
                if let (Some(input), Some(gradient)) = (input, gradient) {
                    waiting.add(input.id, gradient)?;
                }
            }
        }
        Ok(store)
    }
}

/// A constant.
impl From<Tensor> for Traced {
    fn from(value: Tensor) -> Self {
        Self { value, step: None }
    }
}

/// A constant.
impl From<&Tensor> for Traced {
    fn from(value: &Tensor) -> Self {
        value.clone().into()
    }
}

/// A parameter.
impl From<&Var> for Traced {
    fn from(parameter: &Var) -> Self {
        let step = Step {
            id: parameter.id(),
            inputs: Vec::new(),
            backward: None,
        };
        Self {
            value: parameter.as_detached_tensor(),
            step: Some(Arc::new(step)),
        }
    }
}

impl From<&Traced> for Traced {
    fn from(traced: &Traced) -> Self {
        traced.clone()
    }
}

impl Step {
    /// All steps that lead here, each before those that it was made from.
    fn sorted(&self) -> Vec<&Step> {
        fn walk<'a>(step: &'a Step, seen: &mut HashSet<TensorId>, sorted: &mut Vec<&'a Step>) {
            if seen.insert(step.id) {
                for input in step.inputs.iter().flatten() {
                    walk(input, seen, sorted);
                }
                sorted.push(step);
            }
        }
        let mut sorted = Vec::new();
        walk(self, &mut HashSet::new(), &mut sorted);
        sorted.reverse();
        sorted
    }
}

/// The gradients of steps that come later.
#[derive(Default)]
struct Waiting(HashMap<TensorId, Tensor>);

impl Waiting {
    fn add(&mut self, id: TensorId, gradient: Tensor) -> Result<()> {
        match self.0.entry(id) {
            Entry::Vacant(free) => {
                free.insert(gradient);
            }
            Entry::Occupied(mut sum) => {
                let both = sum.get().add(&gradient)?;
                sum.insert(both);
            }
        }
        Ok(())
    }
}

/// A function in candle's own operations, with the gradient that candle finds: what ours are held to.
#[cfg(test)]
pub fn by_candle(x: &Traced, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Traced> {
    let copy = Var::from_tensor(&x.value().copy()?)?;
    let out = f(&copy)?;
    let gradient = out.backward()?.get(&copy).cloned();
    Ok(Traced::of([x], out.detach(), move |upstream| {
        let factor = upstream.to_dtype(candle_core::DType::F64)?.to_scalar()?;
        let scaled = gradient.as_ref().map(|g: &Tensor| g.affine(factor, 0.0));
        Ok([scaled.transpose()?])
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use candle_core::Device;

    use super::*;

    fn var(value: f32) -> Var {
        Var::new(&[value], &Device::Cpu).unwrap()
    }

    fn product(a: &Traced, b: &Traced) -> Traced {
        let (x, y) = (a.value().clone(), b.value().clone());
        Traced::of([a, b], (&x * &y).unwrap(), move |g| {
            Ok([Some((g * &y)?), Some((g * &x)?)])
        })
    }

    fn gradient(gradients: &GradStore, of: &Var) -> f32 {
        gradients.get(of).unwrap().to_vec1().unwrap()[0]
    }

    /// (a b) (a b) a: a step that two others use, and a parameter that is reached on several ways.
    #[test]
    fn gradients_of_several_uses_add_up() {
        let (a, b) = (var(3.0), var(2.0));
        let both = product(&(&a).into(), &(&b).into());
        let all = product(&product(&both, &both), &(&a).into());
        let gradients = all.backward().unwrap();
        assert_eq!(gradient(&gradients, &a), 3.0 * 9.0 * 4.0);
        assert_eq!(gradient(&gradients, &b), 2.0 * 27.0 * 2.0);
    }

    /// The tensor that a step gave is the gradient, not a sum of it with zeros.
    #[test]
    fn the_first_gradient_is_moved() {
        let a = var(1.0);
        let given = Tensor::new(&[5f32], &Device::Cpu).unwrap();
        let id = given.id();
        let out = Traced::of([&(&a).into()], a.as_detached_tensor(), move |_| {
            Ok([Some(given.clone())])
        });
        assert_eq!(out.backward().unwrap().get(&a).unwrap().id(), id);
    }

    #[test]
    fn constants_are_left_alone() {
        let (a, c) = (var(3.0), var(2.0));
        let constant = Traced::from(c.as_detached_tensor());
        let untraced = product(&constant, &constant);
        assert!(!untraced.is_traced());
        assert!(untraced.backward().unwrap().get(&c).is_none());
        let gradients = product(&(&a).into(), &untraced).backward().unwrap();
        assert_eq!(gradient(&gradients, &a), 4.0);
        assert!(gradients.get(&c).is_none());
    }
}
