//! Adam with L2 decay added to the gradient (not decoupled), after clipping of the global norm.

mod device;
mod host;

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};
use candle_nn::Optimizer;

use self::device::{PlacedMoments, Rates};
use self::host::Moments;
use super::view::{to_host, to_vec};
use crate::gpu::Kernels;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

enum State {
    Host(Vec<Moments>),
    Placed(PlacedMoments),
}

/// The optimiser of a list of parameters.
pub struct Adam {
    parameters: Vec<Var>,
    state: State,
    settings: Settings,
    steps: i32,
}

/// What steps go by.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The size of a step.
    pub learning_rate: f64,
    /// The part of a parameter that is added to its gradient.
    pub weight_decay: f64,
    /// Bounds the norm of all gradients together; infinity leaves them.
    pub clip_norm: f64,
}

impl Optimizer for Adam {
    type Config = Settings;

    fn new(parameters: Vec<Var>, settings: Settings) -> Result<Self> {
        let kernels = match parameters.first() {
            Some(parameter) => Kernels::of(parameter.device())?,
            None => None,
        };
        let state = match kernels {
            Some(kernels) => State::Placed(PlacedMoments::new(&kernels, &parameters)?),
            None => State::Host(parameters.iter().map(Moments::of).collect()),
        };
        Ok(Self {
            parameters,
            state,
            settings,
            steps: 0,
        })
    }

    fn step(&mut self, store: &GradStore) -> Result<()> {
        self.step_with_norm(store).map(|_| ())
    }

    fn learning_rate(&self) -> f64 {
        self.settings.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.settings.learning_rate = learning_rate;
    }
}

impl Adam {
    /// One step; returns the norm of the gradients before clipping, one f64 where the parameters are. A parameter on
    /// which the loss does not depend is left alone, decay included.
    pub fn step_with_norm(&mut self, store: &GradStore) -> Result<Tensor> {
        self.steps += 1;
        if let State::Placed(moments) = &self.state {
            let gradient = |p: &Var| store.get(p).map(Tensor::contiguous).transpose();
            let gradients: Vec<_> = self
                .parameters
                .iter()
                .map(gradient)
                .collect::<Result<_>>()?;
            let rates = Rates {
                clip: self.settings.clip_norm,
                rate: rate(self.settings.learning_rate, self.steps),
                root: root(self.steps),
                decay: self.settings.weight_decay as f32,
            };
            return moments.step(&self.parameters, &gradients, &rates);
        }
        let gradients = self.gradients(store)?;
        Tensor::new(self.apply(gradients)?, &Device::Cpu)
    }

    /// The same for parameters on the host, with a gradient for each.
    pub fn step_with(&mut self, gradients: Vec<Vec<f32>>) -> Result<f64> {
        self.steps += 1;
        self.apply(gradients.into_iter().map(Some).collect())
    }

    /// The steps so far, and the first moments of all parameters, then the second ones.
    ///
    /// # Errors
    /// A device that does not answer.
    pub fn state(&self) -> Result<(usize, Vec<Vec<f32>>)> {
        let moments = match &self.state {
            State::Host(all) => {
                let first = all.iter().map(|m| m.first.clone());
                first.chain(all.iter().map(|m| m.second.clone())).collect()
            }
            State::Placed(placed) => placed.moments().map(to_host).collect::<Result<_>>()?,
        };
        Ok((self.steps as usize, moments))
    }

    /// Goes on from the state of an optimiser of the same parameters.
    ///
    /// # Errors
    /// Moments of other parameters.
    pub fn resume(&mut self, steps: usize, moments: Vec<Vec<f32>>) -> Result<()> {
        let sizes: Vec<usize> = self.parameters.iter().map(|p| p.elem_count()).collect();
        let wanted = sizes.iter().chain(&sizes);
        if moments.len() != 2 * sizes.len()
            || !wanted.eq(moments.iter().map(Vec::len).collect::<Vec<_>>().iter())
        {
            candle_core::bail!("the state of another optimiser");
        }
        self.steps = steps as i32;
        match &mut self.state {
            State::Placed(placed) => placed.set(moments),
            State::Host(all) => {
                let mut moments = moments.into_iter();
                all.iter_mut()
                    .zip(&mut moments)
                    .for_each(|(m, v)| m.first = v);
                all.iter_mut()
                    .zip(&mut moments)
                    .for_each(|(m, v)| m.second = v);
                Ok(())
            }
        }
    }

    fn apply(&mut self, gradients: Vec<Option<Vec<f32>>>) -> Result<f64> {
        let norm = global_norm(&gradients);
        // PyTorch's clip_grad_norm_ adds 1e-6 to the norm.
        let factor = (self.settings.clip_norm / (norm + 1e-6)).min(1.0) as f32;
        let State::Host(all) = &mut self.state else {
            return Ok(norm);
        };
        let updates = self.parameters.iter().zip(all).zip(gradients);
        let (rate, decay) = (
            self.settings.learning_rate,
            self.settings.weight_decay as f32,
        );
        for ((parameter, moments), gradient) in updates {
            let Some(mut gradient) = gradient else {
                continue;
            };
            let mut values = to_vec(parameter)?;
            for (g, v) in gradient.iter_mut().zip(&values) {
                *g = *g * factor + decay * v;
            }
            moments.update(&gradient, &mut values, rate, self.steps);
            parameter.set(&Tensor::from_vec(
                values,
                parameter.shape(),
                parameter.device(),
            )?)?;
        }
        Ok(norm)
    }

    fn gradients(&self, store: &GradStore) -> Result<Vec<Option<Vec<f32>>>> {
        let read = |gradient: &Tensor| to_vec(&gradient.contiguous()?);
        self.parameters
            .iter()
            .map(|p| store.get(p).map(read).transpose())
            .collect()
    }
}

fn global_norm(gradients: &[Option<Vec<f32>>]) -> f64 {
    let squares = gradients
        .iter()
        .flatten()
        .flatten()
        .map(|&g| f64::from(g).powi(2));
    squares.sum::<f64>().sqrt()
}

/// The learning rate over the bias correction of the first moment.
fn rate(learning_rate: f64, step: i32) -> f32 {
    (learning_rate / (1.0 - BETA1.powi(step))) as f32
}

/// The square root of the bias correction of the second moment.
fn root(step: i32) -> f32 {
    (1.0 - BETA2.powi(step)).sqrt() as f32
}
