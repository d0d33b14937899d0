//! Masking as a gather of rows: each node takes a row of the features or the shared token.

use std::ops::Deref;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::view::{dims, matrix, output, storage_slice, with_slice};
use crate::dense::CHUNK;
use crate::gpu::kernel::{self, GatherBack, GatherMoved, SumParts, TokenParts};
use crate::gpu::{attach2, Kernels, List, PartialList, Starts};

/// The row of the token among the sources of [`Rows`].
pub const TOKEN: u32 = u32::MAX;

/// For each node the row it takes: a node's number, or [`TOKEN`].
#[derive(Clone, Debug)]
pub struct Rows {
    sources: Arc<Vec<u32>>,
    placed: Option<PlacedRows>,
}

/// The same on a device.
#[derive(Clone, Debug)]
pub struct PlacedRows {
    pub rows: PartialList,
    /// None where every row stays or is the token's.
    pub moved: Option<MovedRows>,
}

/// Rows that stand elsewhere: `sources[s]` at `targets[starts[s]..starts[s + 1]]`, all rising.
#[derive(Clone, Debug)]
pub struct MovedRows {
    pub sources: List,
    pub starts: Starts,
    pub targets: List,
}

impl From<Vec<u32>> for Rows {
    fn from(sources: Vec<u32>) -> Self {
        Self {
            sources: Arc::new(sources),
            placed: None,
        }
    }
}

impl Deref for Rows {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.sources
    }
}

impl Rows {
    /// With their copy on a device.
    pub fn with(mut self, placed: PlacedRows) -> Self {
        self.placed = Some(placed);
        self
    }

    /// The parts of [`MovedRows`].
    pub fn moved(&self) -> [Vec<u32>; 3] {
        let nodes = self.sources.iter().zip(0u32..);
        let mut moved: Vec<(u32, u32)> = nodes
            .filter(|&(&source, node)| source != TOKEN && source != node)
            .map(|(&source, node)| (source, node))
            .collect();
        moved.sort_unstable();
        let (mut sources, mut starts) = (vec![], vec![]);
        for (at, &(source, _)) in moved.iter().enumerate() {
            if sources.last() != Some(&source) {
                sources.push(source);
                starts.push(at as u32);
            }
        }
        starts.push(moved.len() as u32);
        [sources, starts, moved.into_iter().map(|m| m.1).collect()]
    }
}

struct Gather(Arc<Vec<u32>>);

impl CustomOp2 for Gather {
    fn name(&self) -> &'static str {
        "gather-rows"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        token: &CpuStorage,
        token_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, width) = dims(x_layout)?;
        let x = storage_slice(x, x_layout)?;
        let token = storage_slice(token, token_layout)?;
        let mut out = vec![0f32; n * width];
        out.par_chunks_mut(CHUNK * width)
            .zip(self.0.par_chunks(CHUNK))
            .for_each(|(out, sources)| {
                for (out, &source) in out.chunks_exact_mut(width).zip(sources) {
                    out.copy_from_slice(match source {
                        TOKEN => token,
                        node => &x[node as usize * width..][..width],
                    });
                }
            });
        output(out, (n, width))
    }

    fn bwd(
        &self,
        x: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (n, width) = x.dims2()?;
        let (dx, d_token) = with_slice(&grad.contiguous()?, |g| Ok(scatter(&self.0, g, width)))?;
        Ok((
            Some(matrix(dx, n, width)?),
            Some(matrix(d_token, 1, width)?),
        ))
    }
}

/// Sends each row's gradient back to its source. Rows that stay where they are go in parallel; the
/// few that were moved, several of which may share a source, one after the other.
fn scatter(sources: &[u32], grad: &[f32], width: usize) -> (Vec<f32>, Vec<f32>) {
    let mut dx = vec![0f32; grad.len()];
    let tokens: Vec<Vec<f64>> = dx
        .par_chunks_mut(CHUNK * width)
        .zip(grad.par_chunks(CHUNK * width))
        .enumerate()
        .map(|(c, (dx, grad))| {
            let mut token = vec![0f64; width];
            let rows = dx.chunks_exact_mut(width).zip(grad.chunks_exact(width));
            for (r, (dx, g)) in rows.enumerate() {
                let row = c * CHUNK + r;
                if sources[row] as usize == row {
                    dx.copy_from_slice(g);
                } else if sources[row] == TOKEN {
                    token
                        .iter_mut()
                        .zip(g)
                        .for_each(|(t, &g)| *t += f64::from(g));
                }
            }
            token
        })
        .collect();
    for (row, &source) in sources.iter().enumerate() {
        if source != TOKEN && source as usize != row {
            let g = &grad[row * width..][..width];
            let target = &mut dx[source as usize * width..][..width];
            target.iter_mut().zip(g).for_each(|(d, g)| *d += g);
        }
    }
    let mut d_token = vec![0f64; width];
    for part in tokens {
        d_token.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    (dx, d_token.into_iter().map(|t| t as f32).collect())
}

/// Row i of the result is row `rows[i]` of x (N x w), or the token (1 x w).
pub fn gather(x: &Tensor, token: &Tensor, rows: &Rows) -> Result<Tensor> {
    match (&rows.placed, Kernels::of(x.device())?) {
        (Some(placed), Some(kernels)) => gather_on(kernels, x, token, placed),
        _ => x.apply_op2(token, Gather(rows.sources.clone())),
    }
}

fn gather_on(kernels: Kernels, x: &Tensor, token: &Tensor, rows: &PlacedRows) -> Result<Tensor> {
    let (n, width) = x.dims2()?;
    let mut out = kernels.floats((n, width))?;
    kernel::Gather {
        x,
        token: Some(token),
        rows: &rows.rows,
        out: &mut out,
        n,
        width,
    }
    .launch(&kernels)?;
    let (rows, learnt) = (rows.clone(), token.track_op());
    attach2("gather-rows", [x, token], out, move |grad| {
        let dx = rows_back(&kernels, &rows, grad)?;
        let d_token = learnt.then(|| token_back(&kernels, &rows, grad));
        Ok([Some(dx), d_token.transpose()?])
    })
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
