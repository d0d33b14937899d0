//! On a device.

use candle_core::{Result, Tensor};

use super::PlacedRows;
use crate::gpu::kernel::{Gather, GatherBack, GatherMoved, SumParts, TokenParts};
use crate::gpu::Kernels;
use crate::nn::tape::Traced;

pub fn gather(kernels: Kernels, x: &Traced, token: &Traced, rows: &PlacedRows) -> Result<Traced> {
    let (n, width) = x.value().dims2()?;
    let mut out = kernels.floats((n, width))?;
    Gather {
        x: x.value(),
        token: Some(token.value()),
        rows: &rows.rows,
        out: &mut out,
        n,
        width,
    }
    .launch(&kernels)?;
    let (rows, learnt) = (rows.clone(), token.is_traced());
    Ok(Traced::of([x, token], out.into_tensor(), move |grad| {
        let dx = rows_back(&kernels, &rows, grad)?;
        let d_token = learnt.then(|| token_back(&kernels, &rows, grad));
        Ok([Some(dx), d_token.transpose()?])
    }))
}

/// Sends the rows back to their sources.
fn rows_back(kernels: &Kernels, rows: &PlacedRows, grad: &Tensor) -> Result<Tensor> {
    let (n, width) = grad.dims2()?;
    let mut dx = kernels.floats((n, width))?;
    GatherBack {
        grad,
        rows: &rows.rows,
        dx: &mut dx,
        n,
        width,
    }
    .launch(kernels)?;
    if let Some(moved) = &rows.moved {
        GatherMoved {
            grad,
            sources: &moved.sources,
            starts: &moved.starts,
            targets: &moved.targets,
            dx: &mut dx,
            n_sources: moved.sources.len(),
            width,
        }
        .launch(kernels)?;
    }
    Ok(dx.into_tensor())
}

/// The sum of the rows that the token took.
fn token_back(kernels: &Kernels, rows: &PlacedRows, grad: &Tensor) -> Result<Tensor> {
    let (n, width) = grad.dims2()?;
    let (n_chunks, chunk) = kernels.chunks(n);
    let mut parts = kernels.doubles((n_chunks, width))?;
    TokenParts {
        grad,
        rows: &rows.rows,
        parts: &mut parts,
        n,
        width,
        chunk,
    }
    .launch(kernels)?;
    let mut sum = kernels.floats((1, width))?;
    SumParts {
        parts: &parts,
        out: &mut sum,
        n_parts: n_chunks,
        width,
    }
    .launch(kernels)?;
    Ok(sum.into_tensor())
}
