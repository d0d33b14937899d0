//! What the cells of a group share with a cell over many labellings: votes for the group, and a confidence.
//!
//! A cell's mean co-association with a group is a sum over the labellings of the share of the group's cells that have the
//! cell's label: linear in cells, whatever their pairs. Moving every cell to the group of the least squared distance, in the
//! space of the labels as indicators, is a round of k-means on the labellings. Source: Wu, Liu, Xiong, Cao and Chen,
//! "K-means-based consensus clustering", IEEE TKDE 27, 2015.

use rayon::prelude::*;

use super::tiles::CHUNK;
use crate::progress;

/// Labellings of the same cells, the labels of each from 0 without gaps.
pub(super) struct Ballots {
    labels: Vec<Vec<u32>>,
    /// Labels of each.
    counts: Vec<usize>,
}

/// For every labelling and label the share of each group's cells that have it.
struct Shares {
    /// Of each labelling, label after label, one value a group.
    values: Vec<Vec<f64>>,
    /// The sum of the squares of a group's shares; infinite for a group without cells.
    squares: Vec<f64>,
}

impl Ballots {
    /// Any numbers will do as labels: equal means together.
    pub fn new(runs: &[Vec<u32>]) -> Self {
        let coded: Vec<(Vec<u32>, usize)> = runs.par_iter().map(|run| coded(run)).collect();
        let (labels, counts) = coded.into_iter().unzip();
        Self { labels, counts }
    }

    fn n_cells(&self) -> usize {
        self.labels.first().map_or(0, Vec::len)
    }

    /// Of the cells in `group`; those in `k` or beyond are in none.
    fn shares(&self, group: &[u32], k: usize) -> Shares {
        let mut sizes = vec![0u64; k];
        let inside = |g: u32| (g as usize) < k;
        let members = group.iter().filter(|&&g| inside(g));
        members.for_each(|&g| sizes[g as usize] += 1);
        let values: Vec<Vec<f64>> = (self.labels.par_iter().zip(&self.counts))
            .map(|(labels, &n)| {
                let mut shared = vec![0u64; n * k];
                for (&label, &g) in labels.iter().zip(group).filter(|(_, &g)| inside(g)) {
                    shared[label as usize * k + g as usize] += 1;
                }
                let share = |(i, count): (usize, u64)| count as f64 / sizes[i % k].max(1) as f64;
                shared.into_iter().enumerate().map(share).collect()
            })
            .collect();
        let square = |g: usize| match sizes[g] {
            0 => f64::INFINITY,
            _ => {
                let shares = values.iter().flat_map(|run| run.iter().skip(g).step_by(k));
                shares.map(|s| s * s).sum()
            }
        };
        Shares {
            squares: (0..k).map(square).collect(),
            values,
        }
    }

    /// The group to which each cell is nearest: its own, where others are only as near.
    fn nearest(&self, group: &[u32], shares: &Shares) -> Vec<u32> {
        let k = shares.squares.len();
        let mut out = group.to_vec();
        let ticket = progress::current();
        let chunks = out.par_chunks_mut(CHUNK).enumerate();
        chunks.for_each(|(chunk, out)| {
            ticket.part(|| {
                let mut votes = vec![0f64; k];
                for (i, own) in out.iter_mut().enumerate() {
                    votes.fill(0.0);
                    for (labels, values) in self.labels.iter().zip(&shares.values) {
                        let label = labels[chunk * CHUNK + i] as usize;
                        let values = &values[label * k..(label + 1) * k];
                        votes.iter_mut().zip(values).for_each(|(v, s)| *v += s);
                    }
                    let distance = |g: usize| shares.squares[g] - 2.0 * votes[g];
                    let start = if (*own as usize) < k {
                        *own as usize
                    } else {
                        0
                    };
                    let best = (0..k).fold(start, |best, g| match distance(g) < distance(best) {
                        true => g,
                        false => best,
                    });
                    *own = best as u32;
                }
            });
        });
        out
    }

    /// Lets the cells that are in no group yet (in `k` or beyond) join the one with which they share most labels.
    pub fn admit(&self, group: &[u32], k: usize) -> Vec<u32> {
        let nearest = self.nearest(group, &self.shares(group, k));
        let pairs = group.iter().zip(nearest);
        pairs
            .map(|(&own, near)| if (own as usize) < k { own } else { near })
            .collect()
    }

    /// Lets every cell join the group with which it shares most labels, once. It mends single cells: votes until nobody moves
    /// would be k-means on the labellings, which makes groups of like size and forgets what linkage found.
    pub fn vote(&self, group: &[u32], k: usize) -> Vec<u32> {
        self.nearest(group, &self.shares(group, k))
    }

    /// For every cell, the share of the labellings that put it with its group: in which most cells of its label are of that
    /// group.
    pub fn confidence(&self, group: &[u32], k: usize) -> Vec<f64> {
        let agree = self
            .labels
            .par_iter()
            .zip(&self.counts)
            .map(|(labels, &n)| {
                let mut shared = vec![0u64; n * k];
                let pairs = labels.iter().zip(group);
                pairs.for_each(|(&label, &g)| shared[label as usize * k + g as usize] += 1);
                let commonest = |shared: &[u64]| {
                    (1..k).fold(0, |best, g| if shared[g] > shared[best] { g } else { best })
                };
                let home: Vec<usize> = shared.chunks_exact(k).map(commonest).collect();
                let same = labels.iter().zip(group);
                same.map(|(&label, &g)| home[label as usize] == g as usize)
                    .collect::<Vec<bool>>()
            });
        let agree: Vec<Vec<bool>> = agree.collect();
        let n = agree.len().max(1) as f64;
        let votes = |cell: usize| agree.iter().filter(|run| run[cell]).count();
        (0..self.n_cells())
            .map(|cell| votes(cell) as f64 / n)
            .collect()
    }
}

/// Labels from 0 in the order of their first cells, and how many there are.
fn coded(run: &[u32]) -> (Vec<u32>, usize) {
    let mut codes = std::collections::HashMap::new();
    let labels = run.iter().map(|&label| {
        let next = codes.len() as u32;
        *codes.entry(label).or_insert(next)
    });
    (labels.collect(), codes.len())
}
