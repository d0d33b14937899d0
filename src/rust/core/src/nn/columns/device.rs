//! On a device.

use candle_core::{Result, Tensor};

use crate::gpu::kernel::{PutColumns, TakeColumns};
use crate::gpu::{attach, Kernels};

pub fn columns(kernels: Kernels, x: &Tensor, first: usize, width: usize) -> Result<Tensor> {
    let (n, wide) = x.dims2()?;
    let mut out = kernels.floats((n, width))?;
    TakeColumns {
        x,
        out: &mut out,
        n,
        wide,
        first,
        width,
    }
    .launch(&kernels)?;
    attach("columns", x, out, move |grad| {
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
    })
}
