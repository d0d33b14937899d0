//! Which values of a layer are dropped, from the counter-based generator.
//!
//! Whether element (row, column) survives depends on (seed, round, row, column) alone: the backward
//! pass draws the mask again instead of keeping it, and so can a kernel on another device.

use crate::gpu;
use crate::rng::{Philox, Purpose};
use crate::simd::dispatch;

/// Sixteen random bits an element: eight elements a block of the generator.
const PER_BLOCK: usize = 8;
/// Blocks drawn side by side, so that the generator vectorises.
const LANES: usize = 8;

/// Dropout of one layer in one epoch.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// An element is dropped when its sixteen bits are below this.
    threshold: u32,
    /// 1 / (1 - p), which keeps the mean.
    scale: f32,
    philox: Philox,
    round: u32,
}

impl Dropout {
    /// `p` in [0, 1), in steps of 2^-16; `round` is unique to the layer and epoch.
    pub fn new(p: f64, philox: Philox, round: u32) -> Self {
        let threshold = (p * 65_536.0).round().clamp(0.0, 65_535.0) as u32;
        Self {
            threshold,
            scale: (65_536.0 / f64::from(65_536 - threshold)) as f32,
            philox,
            round,
        }
    }

    /// Drops nothing.
    pub fn none() -> Self {
        Self::new(0.0, Philox::new(0, Purpose::Dropout), 0)
    }

    /// As the kernels take it.
    pub(crate) fn placed(&self) -> gpu::Dropout {
        let [key0, key1, purpose] = self.philox.words();
        gpu::Dropout {
            key: [key0, key1],
            purpose,
            round: self.round,
            threshold: self.threshold,
            scale: self.scale,
        }
    }

    /// Whether nothing is dropped.
    pub fn is_identity(&self) -> bool {
        self.threshold == 0
    }

    /// Writes the factors (0 or 1 / (1 - p)) of one row.
    pub fn factors(&self, row: usize, out: &mut [f32]) {
        if self.is_identity() {
            out.fill(1.0);
        } else {
            draw(self, row, out);
        }
    }
}

dispatch! {
    fn draw(dropout: &Dropout, row: usize, out: &mut [f32]) = draw_body
}

#[inline(always)]
fn draw_body(dropout: &Dropout, row: usize, out: &mut [f32]) {
    // Whole groups, so that no two rows share a block.
    let groups = out.len().div_ceil(PER_BLOCK * LANES);
    let first = (row * groups * LANES) as u64;
    let mut words = [[0u32; LANES]; 4];
    for (group, out) in out.chunks_mut(PER_BLOCK * LANES).enumerate() {
        let base = first + (group * LANES) as u64;
        dropout
            .philox
            .blocks::<LANES>(dropout.round, base, &mut words);
        let mut factors = [[0f32; LANES]; PER_BLOCK];
        for (word, pair) in words.iter().zip(factors.as_chunks_mut::<2>().0) {
            for l in 0..LANES {
                pair[0][l] = dropout.factor(word[l] & 0xffff);
                pair[1][l] = dropout.factor(word[l] >> 16);
            }
        }
        // Element e of the group takes lane e % LANES of row e / LANES.
        for (out, factors) in out.chunks_mut(LANES).zip(&factors) {
            out.copy_from_slice(&factors[..out.len()]);
        }
    }
}

impl Dropout {
    #[inline(always)]
    fn factor(&self, bits: u32) -> f32 {
        if bits < self.threshold {
            0.0
        } else {
            self.scale
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropout(p: f64, round: u32) -> Dropout {
        Dropout::new(p, Philox::new(11, Purpose::Dropout), round)
    }

    #[test]
    fn drops_the_asked_share_and_keeps_the_mean() {
        for width in [16, 64, 200] {
            let mut row = vec![0f32; width];
            let (mut dropped, mut sum) = (0usize, 0f64);
            for r in 0..4000 {
                dropout(0.2, 3).factors(r, &mut row);
                dropped += row.iter().filter(|&&f| f == 0.0).count();
                sum += row.iter().map(|&f| f64::from(f)).sum::<f64>();
            }
            let n = (4000 * width) as f64;
            assert!((dropped as f64 / n - 0.2).abs() < 0.01);
            assert!((sum / n - 1.0).abs() < 0.01);
        }
    }

    #[test]
    fn rows_rounds_and_columns_differ_and_repeat() {
        let draw = |round, row| {
            let mut out = vec![0f32; 64];
            dropout(0.5, round).factors(row, &mut out);
            out
        };
        assert_eq!(draw(1, 5), draw(1, 5));
        assert_ne!(draw(1, 5), draw(1, 6));
        assert_ne!(draw(1, 5), draw(2, 5));
        assert_ne!(draw(1, 5)[..32], draw(1, 5)[32..]);
    }

    /// Rows of any width are independent, also where one is the next one moved along.
    #[test]
    fn neighbouring_rows_share_no_factors() {
        for width in [16, 32, 200] {
            let (mut one, mut next) = (vec![0f32; width], vec![0f32; width]);
            for shift in 0..8 {
                let mut same = 0;
                for row in 0..500 {
                    dropout(0.5, 1).factors(row, &mut one);
                    dropout(0.5, 1).factors(row + 1, &mut next);
                    let pairs = one[shift..].iter().zip(&next);
                    same += pairs.filter(|(a, b)| a == b).count();
                }
                let share = same as f64 / (500 * (width - shift)) as f64;
                assert!((share - 0.5).abs() < 0.05, "{width} {shift}: {share}");
            }
        }
    }
}
