//! Average linkage of weighted items, in exact arithmetic.

use crate::{progress, Result};

/// Merges items until `k` groups are left (or there were fewer items): always the two groups of the
/// smallest mean distance over pairs of units, of equal pairs the one whose first items come first.
/// `sizes` are units per item, `distance` that of any unit of one item to any of another. The result
/// names the group of each item by its first item. Memory: items squared / 2 sums of 8 bytes.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(super) fn average_linkage(
    sizes: &[u64],
    distance: impl Fn(usize, usize) -> u64,
    k: usize,
) -> Result<Vec<usize>> {
    let mut linkage = Linkage::new(sizes, distance)?;
    let shown = progress::stage("consensus", linkage.alive.len().saturating_sub(k));
    let mut group: Vec<usize> = (0..sizes.len()).collect();
    while linkage.alive.len() > k.max(1) {
        progress::check()?;
        shown.advance(1);
        let (a, b) = linkage.merge_nearest();
        group.iter_mut().filter(|g| **g == b).for_each(|g| *g = a);
    }
    Ok(group)
}

/// Groups under way. The sum of the distances over all pairs of units of two groups is a whole
/// number that adds up in a merge: means are compared as fractions, so that ties are ties.
struct Linkage {
    items: usize,
    sizes: Vec<u64>,
    /// For a < b, the sum over pairs, row after row of the upper triangle.
    sums: Vec<u64>,
    /// The groups left, each named by its first item, in order.
    alive: Vec<usize>,
    /// For each group the nearest of those after it, the first of equals.
    nearest: Vec<Option<usize>>,
}

impl Linkage {
    fn new(sizes: &[u64], distance: impl Fn(usize, usize) -> u64) -> Result<Self> {
        let items = sizes.len();
        let mut sums = Vec::with_capacity(items * items.saturating_sub(1) / 2);
        for a in 0..items {
            progress::check()?;
            sums.extend((a + 1..items).map(|b| distance(a, b) * sizes[a] * sizes[b]));
        }
        let mut linkage = Self {
            items,
            sums,
            sizes: sizes.to_vec(),
            alive: (0..items).collect(),
            nearest: vec![None; items],
        };
        for a in 0..items {
            progress::check()?;
            linkage.nearest[a] = linkage.find_nearest(a);
        }
        Ok(linkage)
    }

    fn place(&self, a: usize, b: usize) -> usize {
        let (a, b) = (a.min(b), a.max(b));
        a * (2 * self.items - a - 1) / 2 + b - a - 1
    }

    /// Whether the mean distance of the first pair is less than that of the second.
    fn nearer(&self, first: (usize, usize), second: (usize, usize)) -> bool {
        let sum = |(a, b): (usize, usize)| u128::from(self.sums[self.place(a, b)]);
        let pairs = |(a, b): (usize, usize)| u128::from(self.sizes[a]) * u128::from(self.sizes[b]);
        sum(first) * pairs(second) < sum(second) * pairs(first)
    }

    fn find_nearest(&self, a: usize) -> Option<usize> {
        let later = self.alive.iter().copied().filter(|&b| b > a);
        later.reduce(|best, b| {
            if self.nearer((a, b), (a, best)) {
                b
            } else {
                best
            }
        })
    }

    fn merge_nearest(&mut self) -> (usize, usize) {
        let pairs = self
            .alive
            .iter()
            .filter_map(|&a| Some((a, self.nearest[a]?)));
        let best = pairs.reduce(|best, pair| if self.nearer(pair, best) { pair } else { best });
        // Two groups or more are alive, so the first of them has a nearest.
        let (a, b) = best.unwrap_or((self.alive[0], self.alive[1]));
        self.alive.retain(|&g| g != b);
        for i in 0..self.alive.len() {
            let other = self.alive[i];
            if other != a {
                let (to, from) = (self.place(a, other), self.place(b, other));
                self.sums[to] += self.sums[from];
            }
        }
        self.sizes[a] += self.sizes[b];
        self.renew_nearest(a, b);
        (a, b)
    }

    /// Only groups whose nearest took part must look again: a mean over the merged group lies between
    /// those over its parts, so that no group comes nearer to it than it was to the nearer part.
    fn renew_nearest(&mut self, a: usize, b: usize) {
        for i in 0..self.alive.len() {
            let g = self.alive[i];
            let took_part = self.nearest[g].is_some_and(|n| n == a || n == b);
            if g == a || took_part {
                self.nearest[g] = self.find_nearest(g);
            }
        }
    }
}
