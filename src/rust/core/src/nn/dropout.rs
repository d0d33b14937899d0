//! Which values of a layer are dropped, from the counter-based generator.
//!
//! Whether element (row, column) survives depends on (seed, round, row, column) alone: the backward
//! pass draws the mask again instead of keeping it, and so can a kernel on another device.

use crate::gpu;
use crate::rng::{Philox, Purpose};
use crate::simd::dispatch;

/// Sixteen random bits an element: eight elements a block of the generator.
const PER_BLOCK: usize = 8;
/// Blocks of a group: lane l of them has the elements l, LANES + l, ...
const LANES: usize = 8;
const GROUP: usize = PER_BLOCK * LANES;
/// Groups drawn side by side.
const AT_ONCE: usize = 8;
/// Rows to ask for at once, where there is a choice.
pub const ROWS: usize = 16;

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

    /// Writes the factors (0 or 1 / (1 - p)) of the rows from `first` on, as many as `out` holds. Rows drawn together
    /// share the generator's start.
    pub fn factors(&self, first: usize, width: usize, out: &mut [f32]) {
        if self.is_identity() {
            out.fill(1.0);
        } else {
            draw(self, first, width, out);
        }
    }
}

dispatch! {
    fn draw(dropout: &Dropout, first: usize, width: usize, out: &mut [f32]) = draw_body
}

#[inline(always)]
fn draw_body(dropout: &Dropout, first: usize, width: usize, out: &mut [f32]) {
    // Whole groups, so that no two rows share a block.
    let groups = width.div_ceil(GROUP);
    let n = out.len() / width * groups;
    let block = |group: usize| ((first * groups + group) * LANES) as u64;
    let mut parts = out
        .chunks_exact_mut(width)
        .flat_map(|row| row.chunks_mut(GROUP));
    let mut words = [[0u32; AT_ONCE * LANES]; 4];
    for at in (0..n).step_by(AT_ONCE) {
        let now = AT_ONCE.min(n - at);
        let drawn = words.each_mut().map(|w| &mut w[..now * LANES]);
        dropout.philox.blocks(dropout.round, block(at), drawn);
        for (group, part) in parts.by_ref().take(now).enumerate() {
            let words = words.each_ref().map(|w| &w.as_chunks().0[group]);
            dropout.group(words, part);
        }
    }
}

impl Dropout {
    /// At most [`GROUP`] factors of a row, from the words of its blocks.
    #[inline(always)]
    fn group(&self, words: [&[u32; LANES]; 4], out: &mut [f32]) {
        if let Ok(out) = out.try_into() {
            self.whole_group(words, out);
        } else {
            let mut all = [0f32; GROUP];
            self.whole_group(words, &mut all);
            out.copy_from_slice(&all[..out.len()]);
        }
    }

    #[inline(always)]
    fn whole_group(&self, [w0, w1, w2, w3]: [&[u32; LANES]; 4], out: &mut [f32; GROUP]) {
        // Written out: a loop over words would be vectorised over them, which lie far apart.
        if let [o0, o1, o2, o3] = out.as_chunks_mut().0 {
            self.halves(w0, o0);
            self.halves(w1, o1);
            self.halves(w2, o2);
            self.halves(w3, o3);
        }
    }

    #[inline(always)]
    fn halves(&self, words: &[u32; LANES], out: &mut [f32; 2 * LANES]) {
        for l in 0..LANES {
            out[l] = self.factor(words[l] & 0xffff);
        }
        for l in 0..LANES {
            out[LANES + l] = self.factor(words[l] >> 16);
        }
    }

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
                dropout(0.2, 3).factors(r, width, &mut row);
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
            dropout(0.5, round).factors(row, 64, &mut out);
            out
        };
        assert_eq!(draw(1, 5), draw(1, 5));
        assert_ne!(draw(1, 5), draw(1, 6));
        assert_ne!(draw(1, 5), draw(2, 5));
        assert_ne!(draw(1, 5)[..32], draw(1, 5)[32..]);
    }

    #[test]
    fn rows_together_are_the_rows_one_by_one() {
        for width in [3, 16, 64, 70, 200] {
            let mut together = vec![0f32; 21 * width];
            dropout(0.3, 4).factors(5, width, &mut together);
            for (row, together) in together.chunks_exact(width).enumerate() {
                let mut one = vec![0f32; width];
                dropout(0.3, 4).factors(5 + row, width, &mut one);
                assert_eq!(one, together);
            }
        }
    }

    /// What kernels do (core/cuda/common.cuh).
    #[test]
    fn element_and_block_belong_together() {
        let (width, row) = (200, 3);
        let mut drawn = vec![0f32; width];
        let dropout = dropout(0.3, 4);
        dropout.factors(row, width, &mut drawn);
        for (e, factor) in drawn.into_iter().enumerate() {
            let (group, within) = (row * 4 + e / GROUP, e % GROUP);
            let block = dropout
                .philox
                .block(4, (group * LANES + within % LANES) as u64);
            let bits = block[within / LANES / 2] >> (within / LANES % 2 * 16) & 0xffff;
            assert_eq!(factor == 0.0, bits < dropout.threshold);
        }
    }

    /// Rows of any width are independent, also where one is the next one moved along.
    #[test]
    fn neighbouring_rows_share_no_factors() {
        for width in [16, 32, 200] {
            let (mut one, mut next) = (vec![0f32; width], vec![0f32; width]);
            for shift in 0..8 {
                let mut same = 0;
                for row in 0..500 {
                    dropout(0.5, 1).factors(row, width, &mut one);
                    dropout(0.5, 1).factors(row + 1, width, &mut next);
                    let pairs = one[shift..].iter().zip(&next);
                    same += pairs.filter(|(a, b)| a == b).count();
                }
                let share = same as f64 / (500 * (width - shift)) as f64;
                assert!((share - 0.5).abs() < 0.05, "{width} {shift}: {share}");
            }
        }
    }
}
