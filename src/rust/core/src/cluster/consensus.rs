//! One labelling from several: average linkage on how often two cells share a label.
//!
//! Two cells are as far apart as the number of runs in which their labels differ. Cells with the
//! same labels in all runs (the same tuple) are at distance zero and merge first, so that linkage
//! over distinct tuples, weighted by their cells, equals linkage over all cells, without a matrix of
//! cells by cells. Source: evidence accumulation, Fred and Jain, IEEE TPAMI 27, 2005.

use std::collections::HashMap;

use super::distinct::count_nonempty;
use super::input::check_groups;
use super::linkage::average_linkage;
use super::votes::Ballots;
use crate::graph::Neighbours;
use crate::{progress, Error, Result};

/// Distinct tuples that enter the linkage, whose memory grows with their square. Cells with rarer ones join the group with
/// which they share most labels.
const MOST_TUPLES: usize = 4000;

/// The `k` groups of average linkage on the co-association of `runs`, each a labelling of all cells
/// (any numbers; equal means together). Groups are numbered in the order of their first cells, and
/// equal distances are merged in the order of the groups' first cells. Fewer than `k` groups come
/// out only when the cells have fewer than `k` distinct tuples of labels.
///
/// # Errors
/// `Argument` when there are no runs, their lengths differ, or `k` is not in `1..=cells`.
pub fn consensus(runs: &[Vec<u32>], k: usize) -> Result<Vec<u32>> {
    consensus_of(runs, k, MOST_TUPLES)
}

/// For every cell the share of the labellings `runs` that agree with its label in `labels`, one of `0..k`.
pub fn confidence(runs: &[Vec<u32>], labels: &[u32], k: usize) -> Vec<f64> {
    Ballots::new(runs).confidence(labels, k)
}

/// [`consensus`], after which every cell joins the group with which it shares most labels: linkage cannot take back a merge,
/// and where it cuts depends on few cells. Of these votes half are those of the cells `near` it, if they are known.
///
/// # Errors
/// Those of [`consensus`]; neighbours of other cells.
pub fn agreement(runs: &[Vec<u32>], k: usize, near: Option<&Neighbours>) -> Result<Vec<u32>> {
    agreement_of(runs, k, near, MOST_TUPLES)
}

fn agreement_of(
    runs: &[Vec<u32>],
    k: usize,
    near: Option<&Neighbours>,
    most: usize,
) -> Result<Vec<u32>> {
    // Nobody near, in a slice of one cell.
    let near = near.filter(|near| near.k > 0);
    let cells = runs.first().map_or(0, Vec::len);
    if near.is_some_and(|near| near.n_rows() != cells) {
        return Err(Error::Internal("neighbours of other cells".into()));
    }
    let linked = consensus_of(runs, k, most)?;
    let ballots = Ballots::new(runs);
    progress::check()?;
    // A group that everybody left would be a domain less than asked for. One whose cells lie apart from each other may be lost to
    // the neighbours' votes alone.
    let groups = count_nonempty(&linked, k);
    let mut ways = near.into_iter().map(Some).chain([None]);
    let voted = ways.find_map(|near| {
        let voted = ballots.vote(&linked, k, near);
        (count_nonempty(&voted, k) == groups).then_some(voted)
    });
    progress::check()?;
    Ok(match voted {
        Some(voted) => number_by_first_cell(voted.iter().map(|&g| g as usize), k),
        None => linked,
    })
}

fn consensus_of(runs: &[Vec<u32>], k: usize, most: usize) -> Result<Vec<u32>> {
    let cells = check(runs, k)?;
    let flat: Vec<u32> = (0..cells)
        .flat_map(|i| runs.iter().map(move |run| run[i]))
        .collect();
    let (tuples, tuple_of) = distinct_tuples(&flat, runs.len());
    let kept = most_frequent(&tuple_of, tuples.len(), most.max(k));
    let mut place = vec![ABSENT; tuples.len()];
    kept.iter().enumerate().for_each(|(p, &t)| place[t] = p);
    let mut sizes = vec![0u64; kept.len()];
    let linked = tuple_of.iter().filter(|&&t| place[t] != ABSENT);
    linked.for_each(|&t| sizes[place[t]] += 1);
    progress::check()?;
    let differ = |a: usize, b: usize| differences(tuples[kept[a]], tuples[kept[b]]);
    let groups = average_linkage(&sizes, differ, k)?;
    let group_of = |&t: &usize| groups.get(place[t]).copied();
    if kept.len() == tuples.len() {
        let found = tuple_of.iter().map(|t| group_of(t).unwrap_or_default());
        return Ok(number_by_first_cell(found, kept.len()));
    }
    let mut names = groups.clone();
    names.sort_unstable();
    names.dedup();
    let code = |group: usize| names.binary_search(&group).unwrap_or_default() as u32;
    let begun: Vec<u32> = tuple_of
        .iter()
        .map(|t| group_of(t).map_or(u32::MAX, code))
        .collect();
    let voted = Ballots::new(runs).admit(&begun, names.len());
    progress::check()?;
    Ok(number_by_first_cell(
        voted.iter().map(|&g| g as usize),
        names.len(),
    ))
}

/// Of a tuple that the linkage does not see.
const ABSENT: usize = usize::MAX;

fn check(runs: &[Vec<u32>], k: usize) -> Result<usize> {
    let Some(first) = runs.first() else {
        return Err(Error::argument(
            "runs",
            "a consensus needs at least one run",
        ));
    };
    if let Some(other) = runs.iter().find(|run| run.len() != first.len()) {
        let (a, b) = (first.len(), other.len());
        let message = format!("the runs label {a} and {b} cells: they must label the same cells");
        return Err(Error::argument("runs", message));
    }
    check_groups(first.len(), k)?;
    Ok(first.len())
}

/// The distinct rows of `flat` in the order in which they first occur, and which one each cell has.
fn distinct_tuples(flat: &[u32], runs: usize) -> (Vec<&[u32]>, Vec<usize>) {
    let mut places: HashMap<&[u32], usize> = HashMap::new();
    let mut tuples = Vec::new();
    let tuple_of = flat.chunks_exact(runs).map(|tuple| {
        *places.entry(tuple).or_insert_with(|| {
            tuples.push(tuple);
            tuples.len() - 1
        })
    });
    let tuple_of = tuple_of.collect();
    (tuples, tuple_of)
}

/// The `most` tuples of most cells, the first of equals, in the order in which they first occur.
fn most_frequent(tuple_of: &[usize], tuples: usize, most: usize) -> Vec<usize> {
    let mut cells = vec![0usize; tuples];
    tuple_of.iter().for_each(|&t| cells[t] += 1);
    let mut order: Vec<usize> = (0..tuples).collect();
    order.sort_by_key(|&t| std::cmp::Reverse(cells[t]));
    order.truncate(most);
    order.sort_unstable();
    order
}

fn differences(a: &[u32], b: &[u32]) -> u64 {
    a.iter().zip(b).map(|(x, y)| u64::from(x != y)).sum()
}

fn number_by_first_cell(groups: impl Iterator<Item = usize>, most: usize) -> Vec<u32> {
    let mut names = vec![None; most];
    let mut next = 0;
    groups
        .map(|group| {
            *names[group].get_or_insert_with(|| {
                next += 1;
                next - 1
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::rng::{Purpose, Rng};

    /// `count` copies of a truth of four groups, each with a part of the labels drawn anew.
    fn noisy_runs(cells: usize, count: usize, noise: f64, seed: u64) -> Vec<Vec<u32>> {
        let mut rng = Rng::new(seed, Purpose::Data, 0);
        let mut label = |i: usize| match rng.uniform() < noise {
            true => rng.below(4) as u32,
            false => (i % 4) as u32,
        };
        (0..count)
            .map(|_| (0..cells).map(&mut label).collect())
            .collect()
    }

    /// The definition: all cells apart, then the nearest two groups by the mean over pairs of cells.
    fn brute_force(runs: &[Vec<u32>], k: usize) -> Vec<u32> {
        let cells = runs[0].len();
        let apart = |i: usize, j: usize| runs.iter().filter(|r| r[i] != r[j]).count();
        let mut groups: Vec<Vec<usize>> = (0..cells).map(|i| vec![i]).collect();
        while groups.len() > k {
            let mut best = (usize::MAX, 1, 0, 0);
            for a in 0..groups.len() {
                for b in a + 1..groups.len() {
                    let pairs = groups[a].len() * groups[b].len();
                    let pair = |&i: &usize| groups[b].iter().map(|&j| apart(i, j)).sum::<usize>();
                    let sum: usize = groups[a].iter().map(pair).sum();
                    if best.0 == usize::MAX || sum * best.1 < best.0 * pairs {
                        best = (sum, pairs, a, b);
                    }
                }
            }
            let moved = groups.remove(best.3);
            groups[best.2].extend(moved);
        }
        let mut labels = vec![0; cells];
        for (g, group) in groups.iter().enumerate() {
            group.iter().for_each(|&i| labels[i] = g as u32);
        }
        labels
    }

    #[test]
    fn equals_average_linkage_over_all_cells() {
        for seed in 0..20 {
            let runs = noisy_runs(60, 3 + seed as usize % 4, 0.1 * (seed % 6) as f64, seed);
            for k in [1, 2, 3, 5] {
                let groups = consensus(&runs, k).unwrap();
                let tuples: std::collections::HashSet<Vec<u32>> = (0..60)
                    .map(|i| runs.iter().map(|r| r[i]).collect())
                    .collect();
                if tuples.len() >= k {
                    assert_eq!(groups, brute_force(&runs, k), "seed {seed}, k {k}");
                }
            }
        }
    }

    #[test]
    fn cells_with_rare_tuples_join_the_nearest_group() {
        let runs = noisy_runs(2000, 8, 0.2, 3);
        let flat: Vec<u32> = (0..2000)
            .flat_map(|i| runs.iter().map(move |r| r[i]))
            .collect();
        assert!(distinct_tuples(&flat, 8).0.len() > 500);
        let groups = consensus_of(&runs, 4, 100).unwrap();
        let right = (0..2000).filter(|&i| groups[i] == groups[i % 4]).count();
        assert_eq!(super::super::count_nonempty(&groups, 4), 4);
        assert!(right > 1900, "{right} of 2000");
    }

    /// Domains along a line, whose borders every run draws a little elsewhere, and single cells that are anything.
    fn runs_along_a_line(cells: usize, count: usize, seed: u64) -> Vec<Vec<u32>> {
        let mut rng = Rng::new(seed, Purpose::Data, 0);
        let mut run = || {
            let borders: Vec<f64> = (1..5)
                .map(|b| b as f64 / 5.0 + 0.02 * rng.normal())
                .collect();
            let mut label = |i: usize| match rng.uniform() < 0.03 {
                true => rng.below(5) as u32,
                false => {
                    let place = i as f64 / cells as f64;
                    borders.iter().filter(|&&b| place > b).count() as u32
                }
            };
            (0..cells).map(&mut label).collect()
        };
        (0..count).map(|_| run()).collect()
    }

    #[test]
    fn linkage_over_the_commonest_tuples_agrees_with_linkage_over_all() {
        for seed in 0..5 {
            let runs = runs_along_a_line(3000, 50, seed);
            let flat: Vec<u32> = (0..3000)
                .flat_map(|i| runs.iter().map(move |r| r[i]))
                .collect();
            let tuples = distinct_tuples(&flat, 50).0.len();
            assert!(tuples > 1500 && tuples <= MOST_TUPLES, "{tuples}");
            let all = agreement_of(&runs, 5, None, MOST_TUPLES).unwrap();
            let some = agreement_of(&runs, 5, None, 300).unwrap();
            let same = all.iter().zip(&some).filter(|(a, b)| a == b).count();
            assert!(same >= 2940, "{same} of 3000");
        }
    }

    #[test]
    fn votes_mend_what_linkage_cut_wrong_and_are_sure_where_runs_agree() {
        let runs = noisy_runs(2000, 9, 0.2, 4);
        let agreed = agreement(&runs, 4, None).unwrap();
        let right = (0..2000).filter(|&i| agreed[i] == agreed[i % 4]);
        let right = right.count();
        assert!(right > 1980, "{right} of 2000");
        let sure = confidence(&runs, &agreed, 4);
        for i in 0..2000 {
            // Labels of these runs need no matching: label l is the group of cell l.
            let same = runs
                .iter()
                .filter(|run| agreed[run[i] as usize] == agreed[i]);
            assert_eq!(sure[i], same.count() as f64 / 9.0);
        }
        let alike = vec![runs[0].clone(); 3];
        let agreed = agreement(&alike, 4, None).unwrap();
        assert!(confidence(&alike, &agreed, 4).iter().all(|&c| c == 1.0));
    }

    #[test]
    fn a_group_of_single_cells_is_not_lost_to_their_neighbours() {
        // One cell in ten is of a group of its own, apart from the others.
        let truth: Vec<u32> = (0..200).map(|i| u32::from(i % 10 == 5)).collect();
        let runs = vec![truth.clone(); 5];
        let coords = ndarray::Array2::from_shape_fn((200, 2), |(i, j)| (i * (1 - j)) as f64);
        let near = crate::graph::spatial_knn(coords.view(), 6).unwrap();
        assert_eq!(agreement(&runs, 2, Some(&near)).unwrap(), truth);
        let others = near.first(0);
        assert_eq!(agreement(&runs, 2, Some(&others)).unwrap(), truth);
        assert!(agreement(&[vec![0; 3]], 1, Some(&near)).is_err());
    }

    #[test]
    fn names_of_labels_do_not_matter() {
        let runs = noisy_runs(200, 5, 0.15, 9);
        let mut renamed = runs.clone();
        renamed[2].iter_mut().for_each(|l| *l = 1_000_000 - *l);
        assert_eq!(
            consensus(&runs, 4).unwrap(),
            consensus(&renamed, 4).unwrap()
        );
    }

    #[test]
    fn refuses_what_has_no_consensus() {
        assert_eq!(consensus(&[], 2).unwrap_err().blamed(), Some("runs"));
        let uneven = [vec![0, 1, 2], vec![0, 1]];
        assert_eq!(consensus(&uneven, 2).unwrap_err().blamed(), Some("runs"));
        let runs = [vec![0, 1, 2]];
        assert_eq!(consensus(&runs, 0).unwrap_err().blamed(), Some("n.domains"));
        assert_eq!(consensus(&runs, 4).unwrap_err().blamed(), Some("n.domains"));
        assert_eq!(consensus(&[vec![5, 5, 5]], 2).unwrap(), vec![0, 0, 0]);
    }
}
