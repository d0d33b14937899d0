//! Random rows.

use crate::rng::Rng;

/// `size` of `0..n` without repeats, in their order; all of them when `size >= n`.
pub(super) fn sample(n: usize, size: usize, rng: &mut Rng) -> Vec<usize> {
    if size >= n {
        return (0..n).collect();
    }
    // Knuth's selection sampling: one draw a row, no permutation of all rows.
    let mut rows = Vec::with_capacity(size);
    for i in 0..n {
        if rng.below(n - i) < size - rows.len() {
            rows.push(i);
        }
    }
    rows
}
