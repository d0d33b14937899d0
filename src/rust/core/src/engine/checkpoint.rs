//! The state of a training as named arrays: its parameters, what the optimiser remembers, and how many epochs it has
//! had.

use ndarray::Array1;

use super::tensors::Tensors;
use crate::nn::adam::Adam;
use crate::nn::parameters::Parameters;
use crate::{Error, Result};

/// Everything that the next epochs of a training start from.
///
/// # Errors
/// A device that does not answer.
pub fn keep(parameters: &Parameters, optimiser: &Adam, epoch: usize) -> Result<Tensors> {
    let mut all = Tensors::default();
    for (name, values) in parameters.arrays()? {
        all.insert(name, values);
    }
    let (steps, moments) = optimiser.state()?;
    for (i, values) in moments.into_iter().enumerate() {
        let values = values.into_iter().map(f64::from);
        all.insert(moment(i), values.collect::<Array1<_>>().into_dyn());
    }
    let counts = Array1::from_vec(vec![epoch as f64, steps as f64]);
    all.insert("training.counts", counts.into_dyn());
    Ok(all)
}

/// Sets parameters and optimiser to what was kept; the epochs so far.
///
/// # Errors
/// What was kept of another training.
pub fn restore(saved: &Tensors, parameters: &Parameters, optimiser: &mut Adam) -> Result<usize> {
    let counts = saved.vector("training.counts")?;
    let [epoch, steps] = counts.to_vec()[..] else {
        return Err(Error::model("The checkpoint is damaged"));
    };
    parameters.load(saved)?;
    let moments = (0..).map(moment).take_while(|name| saved.has(name));
    let moments = moments.map(|name| {
        let values = saved.vector(&name)?;
        Ok(values.into_iter().map(|v| v as f32).collect())
    });
    let moments = moments.collect::<Result<Vec<Vec<f32>>>>()?;
    let other = |e: candle_core::Error| Error::model(format!("The checkpoint does not fit: {e}"));
    optimiser.resume(steps as usize, moments).map_err(other)?;
    Ok(epoch as usize)
}

fn moment(i: usize) -> String {
    format!("optimiser.moment{i}")
}
