//! What the cells of a group share with a cell over many labellings: votes for the group, and a confidence.
//!
//! A cell's mean co-association with a group is a sum over the labellings of the share of the group's cells that have the
//! cell's label: linear in cells, whatever their pairs. Moving every cell to the group of the least squared distance, in the
//! space of the labels as indicators, is a round of k-means on the labellings. Source: Wu, Liu, Xiong, Cao and Chen,
//! "K-means-based consensus clustering", IEEE TKDE 27, 2015.

use rayon::prelude::*;

use super::tiles::CHUNK;
use crate::graph::Neighbours;
use crate::progress;

/// What the neighbours' votes count for beside a cell's own. A labelling puts a cell in another group than those around it by
/// what its own rings lack or have by chance; they see the same tissue through other rings.
const NEIGHBOURS_SAY: f64 = 0.5;

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

    /// Of every cell for every group, cell after cell: the sum over the labellings of the share of the group's cells that have
    /// the cell's label.
    fn votes(&self, shares: &Shares) -> Vec<f64> {
        let k = shares.squares.len();
        let mut out = vec![0f64; self.n_cells() * k];
        let ticket = progress::current();
        let chunks = out.par_chunks_mut(CHUNK * k).enumerate();
        chunks.for_each(|(chunk, out)| {
            ticket.part(|| {
                for (i, votes) in out.chunks_exact_mut(k).enumerate() {
                    for (labels, values) in self.labels.iter().zip(&shares.values) {
                        let label = labels[chunk * CHUNK + i] as usize;
                        add(votes, &values[label * k..(label + 1) * k]);
                    }
                }
            });
        });
        out
    }

    /// Lets the cells that are in no group yet (in `k` or beyond) join the one with which they share most labels.
    pub fn admit(&self, group: &[u32], k: usize) -> Vec<u32> {
        let shares = self.shares(group, k);
        let nearest = shares.nearest(group, &self.votes(&shares));
        let pairs = group.iter().zip(nearest);
        pairs
            .map(|(&own, near)| if (own as usize) < k { own } else { near })
            .collect()
    }

    /// Lets every cell join the group with which it, and the cells `near` it, share most labels, once. It mends single cells:
    /// votes until nobody moves would be k-means on the labellings, which makes groups of like size and forgets what linkage
    /// found.
    pub fn vote(&self, group: &[u32], k: usize, near: Option<&Neighbours>) -> Vec<u32> {
        let shares = self.shares(group, k);
        let votes = self.votes(&shares);
        match near {
            Some(near) => shares.nearest(group, &with_neighbours(&votes, near)),
            None => shares.nearest(group, &votes),
        }
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

impl Shares {
    /// The group to which each cell is nearest by its `votes`: its own, where others are only as near.
    fn nearest(&self, group: &[u32], votes: &[f64]) -> Vec<u32> {
        let k = self.squares.len();
        let cells = group.par_iter().zip(votes.par_chunks_exact(k));
        let nearest = |(&own, votes): (&u32, &[f64])| {
            let distance = |g: usize| self.squares[g] - 2.0 * votes[g];
            let start = if (own as usize) < k { own as usize } else { 0 };
            let closer = |best, g| {
                if distance(g) < distance(best) {
                    g
                } else {
                    best
                }
            };
            (0..k).fold(start, closer) as u32
        };
        cells.map(nearest).collect()
    }
}

/// [`NEIGHBOURS_SAY`] of the mean votes of a cell's neighbours and the rest of its own.
fn with_neighbours(votes: &[f64], near: &Neighbours) -> Vec<f64> {
    let k = votes.len() / near.n_rows().max(1);
    let of = |cell: usize| &votes[cell * k..(cell + 1) * k];
    let count = near.k as f64;
    let mut out = vec![0f64; votes.len()];
    let ticket = progress::current();
    let chunks = out.par_chunks_mut(CHUNK * k).enumerate();
    chunks.for_each(|(chunk, out)| {
        ticket.part(|| {
            for (i, out) in out.chunks_exact_mut(k).enumerate() {
                let cell = chunk * CHUNK + i;
                for &other in near.row(cell) {
                    add(out, of(other as usize));
                }
                let mixed = out.iter_mut().zip(of(cell));
                mixed.for_each(|(o, own)| {
                    *o = NEIGHBOURS_SAY * (*o / count) + (1.0 - NEIGHBOURS_SAY) * own
                });
            }
        });
    });
    out
}

fn add(sums: &mut [f64], values: &[f64]) {
    sums.iter_mut().zip(values).for_each(|(s, v)| *s += v);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::graph::spatial_knn;
    use crate::rng::{Purpose, Rng};
    use ndarray::Array2;

    /// 120 cells of three groups side by side, the labels of seven runs, and four neighbours of each.
    fn case(noise: f64) -> (Vec<Vec<u32>>, Vec<u32>, Neighbours) {
        let mut rng = Rng::new(3, Purpose::Data, 0);
        let coords = Array2::from_shape_fn((120, 2), |(i, j)| match j {
            0 => i as f64 + 0.3 * rng.uniform(),
            _ => rng.uniform(),
        });
        let mut label = |cell: usize| match rng.uniform() < noise {
            true => rng.below(3) as u32,
            false => cell as u32 / 40,
        };
        let mut one = || (0..120).map(&mut label).collect::<Vec<u32>>();
        let runs = (0..7).map(|_| one()).collect();
        (runs, one(), spatial_knn(coords.view(), 4).unwrap())
    }

    /// Three indicators a run.
    fn indicators(runs: &[Vec<u32>]) -> Array2<f64> {
        Array2::from_shape_fn((runs[0].len(), 3 * runs.len()), |(i, j)| {
            f64::from(runs[j / 3][i] == (j % 3) as u32)
        })
    }

    #[test]
    fn a_vote_is_a_round_of_k_means_on_indicators_half_of_which_are_the_neighbours() {
        let (runs, begun, near) = case(0.5);
        let own = indicators(&runs);
        for neighbours in [None, Some(&near)] {
            let mut points = own.clone();
            for (cell, mut point) in points.rows_mut().into_iter().enumerate() {
                for &other in neighbours.map_or(&[][..], |near| near.row(cell)) {
                    point.scaled_add(1.0 / 4.0, &own.row(other as usize));
                }
                if neighbours.is_some() {
                    point /= 2.0;
                }
            }
            let centre = |g: u32| {
                let rows: Vec<usize> = (0..120).filter(|&c| begun[c] == g).collect();
                own.select(ndarray::Axis(0), &rows)
                    .mean_axis(ndarray::Axis(0))
                    .unwrap()
            };
            let centres: Vec<_> = (0..3).map(centre).collect();
            let voted = Ballots::new(&runs).vote(&begun, 3, neighbours);
            for cell in 0..120 {
                let apart = |g: usize| (&points.row(cell) - &centres[g]).mapv(|d| d * d).sum();
                let nearest = (0..3).map(apart).fold(f64::INFINITY, f64::min);
                assert!(apart(voted[cell] as usize) < nearest + 1e-9, "{cell}");
            }
        }
    }

    #[test]
    fn neighbours_mend_what_a_cells_own_labels_have_wrong() {
        let (runs, begun, near) = case(0.75);
        let right = |labels: &[u32]| (0..120).filter(|&c| labels[c] == c as u32 / 40).count();
        let truth: Vec<u32> = (0..120).map(|c| c / 40).collect();
        let ballots = Ballots::new(&runs);
        let (alone, together) = (
            right(&ballots.vote(&truth, 3, None)),
            right(&ballots.vote(&truth, 3, Some(&near))),
        );
        assert!(together > alone + 10, "{alone} and {together} of 120");
        assert!(right(&begun) < alone);
    }
}
