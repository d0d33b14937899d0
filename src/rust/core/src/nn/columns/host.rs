//! On the CPU.

use candle_core::Result;

use crate::nn::tape::Traced;
use crate::nn::view::{matrix, with_slice};

/// Columns `first` to `first + width`. candle's own narrow goes backward through several copies.
pub fn columns(x: &Traced, first: usize, width: usize) -> Result<Traced> {
    let (n, wide) = x.value().dims2()?;
    let values = with_slice(x.value(), |x| {
        let rows = x.chunks_exact(wide);
        Ok(rows
            .flat_map(|row| &row[first..][..width])
            .copied()
            .collect())
    })?;
    Ok(Traced::of([x], matrix(values, n, width)?, move |grad| {
        let mut dx = vec![0f32; n * wide];
        with_slice(grad, |g| {
            for (row, g) in dx.chunks_exact_mut(wide).zip(g.chunks_exact(width)) {
                row[first..][..width].copy_from_slice(g);
            }
            Ok(())
        })?;
        Ok([Some(matrix(dx, n, wide)?)])
    }))
}
