//! On the CPU.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::TOKEN;
use crate::dense::CHUNK;
use crate::nn::view::{dims, matrix, output, storage_slice, with_slice};

pub fn gather(x: &Tensor, token: &Tensor, sources: &Arc<Vec<u32>>) -> Result<Tensor> {
    x.apply_op2(token, Gather(sources.clone()))
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
