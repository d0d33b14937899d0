//! One step of expectation-maximisation in single precision, sixteen rows side by side.
//!
//! What [`super::em`] computes a row at a time in double precision, for the many fits of an ensemble: labels do not
//! need more. Rows that follow each other in the tissue belong to few components, and components without a share in any
//! row of a tile are passed over.

use nalgebra::DVector;
use rayon::prelude::*;

use super::em::Expected;
use super::gaussians::Gaussians;
use super::tiles::{add_in_order, Tiles, CHUNK, LANES};
use crate::simd::{dispatch, exp};
use crate::Result;

/// The log of weight times density of a row for every component, but for what all share, as functions of a tile's rows.
pub(super) struct Linear {
    /// Components x columns.
    slopes: Vec<f32>,
    offsets: Vec<f32>,
}

impl Linear {
    /// Of `model`, whose means are about `origin`, on rows like those of `tiles`.
    pub fn new(model: &Gaussians, origin: &[f64], tiles: &Tiles) -> Result<Self> {
        let (_, slopes, offsets) = model.linear()?;
        let about = tiles.mean().iter().zip(origin);
        let away: Vec<f64> = about.map(|(mean, origin)| mean - origin).collect();
        let offset = |(slope, offset): (&DVector<f64>, f64)| {
            let there: f64 = slope.iter().zip(&away).map(|(s, a)| s * a).sum();
            (offset + there) as f32
        };
        Ok(Self {
            offsets: slopes.iter().zip(offsets).map(offset).collect(),
            slopes: slopes
                .iter()
                .flat_map(|slope| slope.iter().map(|s| (s * tiles.scale()) as f32))
                .collect(),
        })
    }

    fn k(&self) -> usize {
        self.offsets.len()
    }
}

/// For each component the sum of the rows by membership and the sum of the memberships (in the units of the model); and
/// the sum over the rows of the log of the summed exponentials. For tiles about the origin of the model.
pub(super) fn expect(tiles: &Tiles, linear: &Linear) -> Expected {
    let width = linear.k() * (tiles.columns + 1);
    let chunks = (0..tiles.rows.div_ceil(CHUNK)).into_par_iter();
    let parts: Vec<Vec<f64>> = chunks
        .map(|chunk| {
            let rows = CHUNK.min(tiles.rows - chunk * CHUNK);
            let mut work = Work::new(linear, tiles.columns);
            let log_sums = chunk_sums(tiles.block(chunk), rows, linear, &mut work);
            let sums = work.sums.chunks_exact(LANES);
            let sums = sums.map(|lanes| lanes.iter().map(|&v| f64::from(v)).sum());
            sums.chain([log_sums]).collect()
        })
        .collect();
    let mut sums = add_in_order(parts, width + 1);
    let log_sums = sums.pop().unwrap_or(0.0);
    let scale = tiles.scale();
    for sum in sums.chunks_exact_mut(tiles.columns + 1) {
        let (sum, _) = sum.split_at_mut(tiles.columns);
        sum.iter_mut().for_each(|s| *s *= scale);
    }
    (sums, log_sums)
}

/// The component of the largest score for every row, the first of equals.
pub(super) fn classify(tiles: &Tiles, linear: &Linear) -> Vec<u32> {
    let mut labels = vec![0u32; tiles.rows];
    let chunks = labels.par_chunks_mut(CHUNK).enumerate();
    chunks.for_each(|(chunk, labels)| {
        let tile_labels = labels.chunks_mut(LANES);
        for (tile, labels) in tiles.chunk(chunk).zip(tile_labels) {
            let mut best = [f32::NEG_INFINITY; LANES];
            for (c, slopes) in linear.slopes.chunks_exact(tiles.columns).enumerate() {
                let scores = score(tile, slopes, linear.offsets[c]);
                for (lane, label) in labels.iter_mut().enumerate() {
                    if scores[lane] > best[lane] {
                        best[lane] = scores[lane];
                        *label = c as u32;
                    }
                }
            }
        }
    });
    labels
}

/// What a chunk needs room for: scores of a tile, and sums in lanes.
struct Work {
    scores: Vec<f32>,
    sums: Vec<f32>,
}

impl Work {
    fn new(linear: &Linear, columns: usize) -> Self {
        Self {
            scores: vec![0.0; linear.k() * LANES],
            sums: vec![0.0; linear.k() * (columns + 1) * LANES],
        }
    }
}

dispatch! {
    /// Adds the rows of a chunk to the sums; the sum of the logs.
    fn chunk_sums(tiles: &[f32], rows: usize, linear: &Linear, work: &mut Work) -> f64 = chunk_sums_body
}

#[inline(always)]
fn chunk_sums_body(tiles: &[f32], rows: usize, linear: &Linear, work: &mut Work) -> f64 {
    let columns = linear.slopes.len() / linear.k();
    let mut log_sums = 0.0;
    for (t, tile) in tiles.chunks_exact(columns * LANES).enumerate() {
        let (largest, totals) = members(tile, linear, &mut work.scores);
        let there = rows.saturating_sub(t * LANES).min(LANES);
        let mut product = 1f64;
        for lane in 0..there {
            log_sums += f64::from(largest[lane]);
            product *= f64::from(totals[lane]);
        }
        log_sums += product.ln();
        add_tile(tile, there, work);
    }
    log_sums
}

#[inline(always)]
fn score(tile: &[f32], slopes: &[f32], offset: f32) -> [f32; LANES] {
    let mut sum = [offset; LANES];
    for (column, &slope) in tile.as_chunks::<LANES>().0.iter().zip(slopes) {
        for lane in 0..LANES {
            sum[lane] += slope * column[lane];
        }
    }
    sum
}

/// Memberships of the rows of a tile; their largest scores, and the sums of the exponentials about these.
#[inline(always)]
fn members(tile: &[f32], linear: &Linear, scores: &mut [f32]) -> ([f32; LANES], [f32; LANES]) {
    let columns = tile.len() / LANES;
    let mut largest = [f32::NEG_INFINITY; LANES];
    let scores = scores.as_chunks_mut::<LANES>().0;
    let slopes = linear.slopes.chunks_exact(columns);
    for ((out, slopes), &offset) in scores.iter_mut().zip(slopes).zip(&linear.offsets) {
        *out = score(tile, slopes, offset);
        for lane in 0..LANES {
            largest[lane] = largest[lane].max(out[lane]);
        }
    }
    let mut totals = [0f32; LANES];
    for out in scores.iter_mut() {
        for lane in 0..LANES {
            out[lane] = exp(out[lane] - largest[lane]);
            totals[lane] += out[lane];
        }
    }
    let shares = totals.map(f32::recip);
    for out in scores.iter_mut() {
        for lane in 0..LANES {
            out[lane] *= shares[lane];
        }
    }
    (largest, totals)
}

/// Adds the rows of a tile by their memberships, those that are `there`.
#[inline(always)]
fn add_tile(tile: &[f32], there: usize, work: &mut Work) {
    /// A share that is lost in the rounding of the sums.
    const NEGLIGIBLE: f32 = 1e-9;
    let columns = tile.as_chunks::<LANES>().0;
    let width = (columns.len() + 1) * LANES;
    let scores = work.scores.as_chunks_mut::<LANES>().0;
    for (share, sums) in scores.iter_mut().zip(work.sums.chunks_exact_mut(width)) {
        share[there..].fill(0.0);
        if share.iter().fold(0f32, |m, &s| m.max(s)) < NEGLIGIBLE {
            continue;
        }
        let sums = sums.as_chunks_mut::<LANES>().0;
        for (sum, column) in sums.iter_mut().zip(columns) {
            for lane in 0..LANES {
                sum[lane] += share[lane] * column[lane];
            }
        }
        if let Some(count) = sums.last_mut() {
            for lane in 0..LANES {
                count[lane] += share[lane];
            }
        }
    }
}
