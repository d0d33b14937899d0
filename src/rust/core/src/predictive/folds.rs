//! Which cells are left out together in cross-validation.

use crate::rng::{Purpose, Rng};

/// Folds of a validation.
pub const FOLDS: usize = 5;

/// Compact regions that are dealt out to the folds, at most.
const REGIONS: usize = 50;

/// The fold of each of `n` cells, dealt out at random, always the same way. A cell that is left out still has neighbours that
/// are not.
pub fn scattered_folds(n: usize) -> Vec<u8> {
    dealt(n, 0)
}

/// Folds of compact regions: `n` cells in their order along a space-filling curve are cut into runs, which are dealt out at
/// random, always the same way. Cells of a fold then lie together: the stricter test of what neighbours say.
pub fn compact_folds(n: usize) -> Vec<u8> {
    let regions = REGIONS.min(n.max(1));
    let of_region = dealt(regions, 1);
    (0..n).map(|cell| of_region[cell * regions / n]).collect()
}

fn dealt(n: usize, round: u32) -> Vec<u8> {
    let mut folds: Vec<u8> = (0..n).map(|i| (i % FOLDS) as u8).collect();
    Rng::new(0, Purpose::Folds, round).shuffle(&mut folds);
    folds
}
