//! On a device: the model's operations, and the backward pass along their tape.

use candle_core::Tensor;

use super::{EpochLosses, Progress, Task};
use crate::nn::tape::Traced;
use crate::systems::spalora::model::{Forward, Losses};
use crate::Result;

/// As [`super::Epochs::train`].
pub fn train(task: Task, progress: Progress, n: usize) -> Result<Vec<EpochLosses>> {
    let first = *progress.epoch + 1;
    let mut recorded = Vec::with_capacity(n);
    for _ in 0..n {
        let (_, terms) = pass(task)?;
        let total = terms.total(task.params)?;
        progress.optimiser.step_with_norm(&total.backward()?)?;
        *progress.epoch += 1;
        recorded.push(Tensor::stack(&numbers(&terms, &total), 0)?);
    }
    read_all(&recorded, task.sources.len(), first)
}

/// The forward pass and the losses, on the tape.
///
/// # Errors
/// A device that does not answer.
pub fn pass(task: Task) -> Result<(Forward, Losses)> {
    let (sources, spatial) = (task.sources, task.spatial);
    let forward = task.model.forward(sources, spatial)?;
    let losses = task.model.losses(&forward, sources, spatial)?;
    Ok((forward, losses))
}

/// The losses without the tape that they came by: it holds the whole epoch's tensors.
fn numbers<'a>(terms: &'a Losses, total: &'a Traced) -> Vec<&'a Tensor> {
    let all = std::iter::once(total).chain(&terms.reconstruction);
    all.chain(&terms.cross).map(Traced::value).collect()
}

/// The losses of epochs of `m` modalities.
fn read_all(recorded: &[Tensor], m: usize, first: usize) -> Result<Vec<EpochLosses>> {
    let values: Vec<f32> = Tensor::stack(recorded, 0)?.flatten_all()?.to_vec1()?;
    let epochs = values.chunks_exact(1 + 2 * m).zip(first..);
    let split = |(values, epoch): (&[f32], usize)| {
        let (reconstruction, cross) = values[1..].split_at(m);
        let losses = EpochLosses {
            epoch,
            total: values[0],
            reconstruction: reconstruction.to_vec(),
            cross: cross.to_vec(),
        };
        losses.finite()
    };
    epochs.map(split).collect()
}
