//! A block of a matrix's columns.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::view::{dims, matrix, output, storage_slice, with_slice};
use crate::gpu::kernel::{PutColumns, TakeColumns};
use crate::gpu::{attach, Kernels};

/// Columns `first` to `first + width`. candle's own narrow goes backward through several copies.
struct Columns {
    first: usize,
    width: usize,
}

impl CustomOp1 for Columns {
    fn name(&self) -> &'static str {
        "columns"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, wide) = dims(layout)?;
        let rows = storage_slice(x, layout)?.chunks_exact(wide);
        let values = rows.flat_map(|row| &row[self.first..][..self.width]);
        output(values.copied().collect(), (n, self.width))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n, wide) = x.dims2()?;
        let dx = with_slice(&grad.contiguous()?, |g| {
            let mut dx = vec![0f32; n * wide];
            for (row, g) in dx.chunks_exact_mut(wide).zip(g.chunks_exact(self.width)) {
                row[self.first..][..self.width].copy_from_slice(g);
            }
            Ok(dx)
        })?;
        Ok(Some(matrix(dx, n, wide)?))
    }
}

/// Columns `first..first + width` of x (N x w).
pub fn columns(x: &Tensor, first: usize, width: usize) -> Result<Tensor> {
    match Kernels::of(x.device())? {
        None => x.apply_op1(Columns { first, width }),
        Some(kernels) => columns_on(kernels, x, first, width),
    }
}

fn columns_on(kernels: Kernels, x: &Tensor, first: usize, width: usize) -> Result<Tensor> {
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
