//! Ward's agglomeration of a bounded number of rows, by chains of nearest neighbours.
//!
//! Distances come from the means and sizes of the groups, so that no matrix of distances is kept.
//! Source: Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983.

use ndarray::ArrayView2;

use crate::{progress, Result};

/// Groups `0..k` of the rows, in the order of their first rows. Time grows with the square of the
/// number of rows.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(super) fn ward(rows: &ArrayView2<f32>, k: usize) -> Result<Vec<u32>> {
    let mut merges = Groups::new(rows).agglomerate()?;
    // A chain finds merges out of their order, which sorting restores: with Ward's distance no
    // merge brings groups nearer to others than they were.
    merges.sort_by(|a, b| a.height.total_cmp(&b.height));
    merges.truncate(rows.nrows().saturating_sub(k));
    Ok(cut(rows.nrows(), &merges))
}

/// Two groups that became one, each named by one of its rows.
struct Merge {
    a: usize,
    b: usize,
    height: f64,
}

/// Groups named by one of their rows: their sizes and means, and those not merged away.
struct Groups {
    sizes: Vec<f64>,
    means: Vec<f64>,
    columns: usize,
    alive: Vec<usize>,
}

impl Groups {
    fn new(rows: &ArrayView2<f32>) -> Self {
        let (n, columns) = rows.dim();
        Self {
            sizes: vec![1.0; n],
            means: rows.iter().map(|&v| f64::from(v)).collect(),
            columns,
            alive: (0..n).collect(),
        }
    }

    fn agglomerate(mut self) -> Result<Vec<Merge>> {
        let mut merges = Vec::with_capacity(self.alive.len());
        let mut chain: Vec<usize> = Vec::new();
        while self.alive.len() > 1 {
            progress::check()?;
            if chain.is_empty() {
                chain.push(self.alive[0]);
            }
            let tip = chain[chain.len() - 1];
            let previous = chain.len().checked_sub(2).map(|i| chain[i]);
            let (next, height) = self.nearest(tip, previous);
            if previous == Some(next) {
                chain.truncate(chain.len() - 2);
                self.merge(next.min(tip), next.max(tip));
                merges.push(Merge {
                    a: next.min(tip),
                    b: next.max(tip),
                    height,
                });
            } else {
                chain.push(next);
            }
        }
        Ok(merges)
    }

    /// The group nearest to `tip`: the previous one of the chain among equals, else the first.
    fn nearest(&self, tip: usize, previous: Option<usize>) -> (usize, f64) {
        let mut best = previous.map_or((usize::MAX, f64::INFINITY), |p| (p, self.distance(tip, p)));
        for &other in self.alive.iter().filter(|&&o| o != tip) {
            let d = self.distance(tip, other);
            if d < best.1 || best.0 == usize::MAX {
                best = (other, d);
            }
        }
        best
    }

    /// By how much a merge raises the sum of squared distances to the means.
    fn distance(&self, a: usize, b: usize) -> f64 {
        let mean = |g: usize| &self.means[g * self.columns..(g + 1) * self.columns];
        let squared: f64 = mean(a)
            .iter()
            .zip(mean(b))
            .map(|(x, y)| (x - y) * (x - y))
            .sum();
        // The product first: the distance of b and a must have the same bits, or chains never end.
        squared * (self.sizes[a] * self.sizes[b]) / (self.sizes[a] + self.sizes[b])
    }

    /// Moves group `b` into group `a < b`.
    fn merge(&mut self, a: usize, b: usize) {
        let (size_a, size_b) = (self.sizes[a], self.sizes[b]);
        let (before, after) = self.means.split_at_mut(b * self.columns);
        let mean_a = &mut before[a * self.columns..(a + 1) * self.columns];
        for (x, y) in mean_a.iter_mut().zip(&after[..self.columns]) {
            *x = (*x * size_a + y * size_b) / (size_a + size_b);
        }
        self.sizes[a] += size_b;
        self.alive.retain(|&g| g != b);
    }
}

/// The groups that `merges` leave of `n` rows, numbered in the order of their first rows.
fn cut(n: usize, merges: &[Merge]) -> Vec<u32> {
    let mut parent: Vec<usize> = (0..n).collect();
    for merge in merges {
        let (a, b) = (root(&parent, merge.a), root(&parent, merge.b));
        parent[a.max(b)] = a.min(b);
    }
    let mut names = vec![u32::MAX; n];
    let mut next = 0;
    (0..n)
        .map(|i| {
            let name = &mut names[root(&parent, i)];
            if *name == u32::MAX {
                *name = next;
                next += 1;
            }
            *name
        })
        .collect()
}

fn root(parent: &[usize], mut i: usize) -> usize {
    while parent[i] != i {
        i = parent[i];
    }
    i
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::rng::{Purpose, Rng};
    use ndarray::Array2;

    /// Ward's criterion from its definition: the rise in the sum of squares about the means.
    fn brute_force(x: &Array2<f32>, k: usize) -> Vec<u32> {
        let squares = |rows: &[usize]| -> f64 {
            let column = |j: usize| {
                let values: Vec<f64> = rows.iter().map(|&i| f64::from(x[[i, j]])).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                values.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
            };
            (0..x.ncols()).map(column).sum()
        };
        let mut groups: Vec<Vec<usize>> = (0..x.nrows()).map(|i| vec![i]).collect();
        while groups.len() > k {
            let mut best = (f64::INFINITY, 0, 0);
            for a in 0..groups.len() {
                for b in a + 1..groups.len() {
                    let both = [groups[a].clone(), groups[b].clone()].concat();
                    let rise = squares(&both) - squares(&groups[a]) - squares(&groups[b]);
                    if rise < best.0 {
                        best = (rise, a, b);
                    }
                }
            }
            let moved = groups.remove(best.2);
            groups[best.1].extend(moved);
        }
        let group_of = |i| groups.iter().position(|g| g.contains(&i)).unwrap() as u32;
        (0..x.nrows()).map(group_of).collect()
    }

    #[test]
    fn equals_the_definition() {
        for seed in 0..8 {
            let mut rng = Rng::new(seed, Purpose::Data, 0);
            let x = Array2::from_shape_fn((40, 3), |_| rng.normal() as f32);
            for k in [1, 2, 5, 40] {
                assert_eq!(
                    ward(&x.view(), k).unwrap(),
                    brute_force(&x, k),
                    "seed {seed}, k {k}"
                );
            }
        }
    }

    #[test]
    fn ends_on_many_equal_distances() {
        let grid = Array2::from_shape_fn(
            (400, 2),
            |(i, j)| if j == 0 { i % 20 } else { i / 20 } as f32,
        );
        let labels = ward(&grid.view(), 7).unwrap();
        assert_eq!(super::super::count_nonempty(&labels, 7), 7);
        let equal = ward(&Array2::zeros((50, 2)).view(), 3).unwrap();
        assert_eq!(super::super::count_nonempty(&equal, 3), 3);
    }
}
