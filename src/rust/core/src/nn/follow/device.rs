//! On a device: one kernel for all parameters together.

use candle_core::{Result, Tensor, Var};

use crate::gpu::kernel::Follow;
use crate::gpu::{Kernels, Pairs};

pub fn follow(kernels: &Kernels, parameters: &[Var], others: &[Var], m: f64) -> Result<()> {
    let detached = |vars: &[Var]| vars.iter().map(Var::as_detached_tensor).collect::<Vec<_>>();
    let (mine, theirs) = (detached(parameters), detached(others));
    let pairs: Vec<(&Tensor, &Tensor)> = mine.iter().zip(&theirs).collect();
    Follow {
        pairs: &Pairs::new(kernels, &pairs)?,
        m: m as f32,
    }
    .launch(kernels)
}
