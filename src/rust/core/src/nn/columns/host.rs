//! On the CPU.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use crate::nn::view::{dims, matrix, output, storage_slice, with_slice};

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

pub fn columns(x: &Tensor, first: usize, width: usize) -> Result<Tensor> {
    x.apply_op1(Columns { first, width })
}
