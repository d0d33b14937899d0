//! On a device.

use candle_core::Result;

use crate::gpu::kernel::{PutColumns, TakeColumns};
use crate::gpu::Kernels;
use crate::nn::tape::Traced;

pub fn columns(kernels: Kernels, x: &Traced, first: usize, width: usize) -> Result<Traced> {
    let (n, wide) = x.value().dims2()?;
    let mut out = kernels.floats((n, width))?;
    TakeColumns {
        x: x.value(),
        out: &mut out,
        n,
        wide,
        first,
        width,
    }
    .launch(&kernels)?;
    Ok(Traced::of([x], out.into_tensor(), move |grad| {
        let mut dx = kernels.floats((n, wide))?;
        PutColumns {
            grad,
            dx: &mut dx,
            n,
            wide,
            first,
            width,
        }
        .launch(&kernels)?;
        Ok([Some(dx.into_tensor())])
    }))
}
