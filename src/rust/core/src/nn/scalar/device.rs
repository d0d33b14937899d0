//! On a device.

use std::sync::Mutex;

use candle_core::{bail, Result, Tensor};

use super::NAME;
use crate::gpu::kernel::ScaleBy;
use crate::gpu::{attach, attach2, attach3, Buffer, Kernels};

/// The scalar `value` as a function of `x`, both on the device with the gradient.
pub fn placed1(kernels: &Kernels, x: &Tensor, value: Buffer, gradient: Buffer) -> Result<Tensor> {
    let backward = scaled(kernels, [gradient]);
    attach(NAME, x, value, backward)
}

/// The same for two tensors.
pub fn placed2(
    kernels: &Kernels,
    x: [&Tensor; 2],
    value: Buffer,
    gradients: [Buffer; 2],
) -> Result<Tensor> {
    attach2(NAME, x, value, scaled(kernels, gradients))
}

/// The same for three tensors.
pub fn placed3(
    kernels: &Kernels,
    x: [&Tensor; 3],
    value: Buffer,
    gradients: [Buffer; 3],
) -> Result<Tensor> {
    attach3(NAME, x, value, scaled(kernels, gradients))
}

/// Scales gradients by the upstream one, in place: they are needed once.
fn scaled<const N: usize>(
    kernels: &Kernels,
    gradients: [Buffer; N],
) -> impl Fn(&Tensor) -> Result<[Option<Tensor>; N]> + Send + Sync + 'static {
    let kernels = kernels.clone();
    let held = Mutex::new(Some(gradients));
    move |upstream| {
        let taken = held.lock().ok().and_then(|mut held| held.take());
        let Some(mut gradients) = taken else {
            bail!("{NAME}: a second backward pass");
        };
        for gradient in &mut gradients {
            let n = gradient.elem_count();
            ScaleBy {
                x: gradient,
                factor: upstream,
                n,
            }
            .launch(&kernels)?;
        }
        Ok(gradients.map(|gradient| Some(gradient.into_tensor())))
    }
}
