//! On the CPU.

use std::sync::Arc;

use candle_core::Result;
use rayon::prelude::*;

use super::TOKEN;
use crate::dense::CHUNK;
use crate::nn::tape::Traced;
use crate::nn::view::{matrix, with_slice, with_slices};

pub fn gather(x: &Traced, token: &Traced, sources: &Arc<Vec<u32>>) -> Result<Traced> {
    let (n, width) = x.value().dims2()?;
    let out = with_slices([x.value(), token.value()], |[x, token]| {
        Ok(gathered(x, token, sources))
    })?;
    let (sources, out) = (sources.clone(), matrix(out, n, width)?);
    Ok(Traced::of([x, token], out, move |grad| {
        let (dx, d_token) = with_slice(grad, |g| Ok(scatter(&sources, g, width)))?;
        Ok([
            Some(matrix(dx, n, width)?),
            Some(matrix(d_token, 1, width)?),
        ])
    }))
}

fn gathered(x: &[f32], token: &[f32], sources: &[u32]) -> Vec<f32> {
    let width = token.len();
    let mut out = vec![0f32; sources.len() * width];
    out.par_chunks_mut(CHUNK * width)
        .zip(sources.par_chunks(CHUNK))
        .for_each(|(out, sources)| {
            for (out, &source) in out.chunks_exact_mut(width).zip(sources) {
                out.copy_from_slice(match source {
                    TOKEN => token,
                    node => &x[node as usize * width..][..width],
                });
            }
        });
    out
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
