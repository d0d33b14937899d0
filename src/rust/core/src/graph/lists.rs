//! Items in lists by nearest centroid (an inverted file), so that a query is scored against few of them.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::best::{best_of, best_of_all, Rows, Scored, Tiles};
use crate::rng::{Purpose, Rng};
use crate::{progress, Result};

/// Queries that one task takes at a time.
const QUERIES: usize = 128;

/// The same, where they look through lists: many want the same ones.
const QUERIES_OF_LISTS: usize = 512;

/// Rows of the sample a centroid is trained on.
const SAMPLE_PER_LIST: usize = 20;

/// Rounds of k-means: centroids need not be settled to divide the items well.
const ROUNDS: usize = 4;

/// Lists searched for a query.
const PROBES: usize = 40;

/// Most tiles searched for a query, in mean lengths of [`PROBES`] lists: bounds the time when one list holds most
/// items, as it does when most embeddings are equal (then its first items, by index, are also the right ones).
const LONGEST: usize = 3;

/// The `keep` best of all items for each query.
///
/// # Errors
/// [`crate::Error::Interrupted`], here and below.
pub(super) fn exhaustive(
    queries: &Rows,
    items: &Tiles,
    keep: usize,
    sink: &mut impl FnMut(u32, &[Scored]),
) -> Result<()> {
    let order: Vec<u32> = (0..queries.len() as u32).collect();
    in_blocks(
        &order,
        QUERIES,
        |block| best_of_all(&queries.gather(block), items, keep),
        sink,
    )
}

/// Runs `work` on blocks of `size` of the `queries` in parallel and gives the results to `sink` in order, some blocks at
/// a time.
fn in_blocks<T: Send>(
    queries: &[u32],
    size: usize,
    work: impl Fn(&[u32]) -> Vec<Vec<T>> + Sync,
    sink: &mut impl FnMut(u32, &[T]),
) -> Result<()> {
    let ticket = progress::current();
    let work = |block: &[u32]| ticket.part(|| work(block));
    for slab in queries.chunks(64 * size) {
        let done: Vec<_> = slab.par_chunks(size).map(work).collect();
        ticket.check()?;
        let results = done.iter().flatten();
        slab.iter()
            .zip(results)
            .for_each(|(&query, found)| sink(query, found));
    }
    Ok(())
}

/// Queries that want the same tiles, and the sum of the ranks of these tiles' list among the lists of each.
#[derive(Default)]
struct Job {
    rank: usize,
    queries: Vec<u32>,
}

/// The items by list.
pub(super) struct InvertedFile {
    centroids: Tiles,
    /// The items of each list.
    members: Vec<Vec<u32>>,
    tiles: Tiles,
    lists: Vec<Range<usize>>,
    /// Tiles that one search may go over.
    longest: usize,
}

impl InvertedFile {
    /// `items` as they are scored and, in the same order, as places (see [`as_items`]) by which they are put into
    /// lists.
    pub(super) fn new(items: &Rows, places: &Rows, seed: u64) -> Result<Self> {
        let n_lists = ((2.0 * (items.len() as f64).sqrt()) as usize).clamp(1, items.len().max(1));
        let centroids = train(places, n_lists, seed)?;
        let members = homes(places, &centroids, n_lists)?;
        let mut tiles = Tiles::new(items.width);
        let lists: Vec<_> = members.iter().map(|list| tiles.push(items, list)).collect();
        let total = lists.last().map_or(0, |l| l.end);
        Ok(Self {
            centroids,
            members,
            tiles,
            longest: LONGEST * PROBES * total.div_ceil(n_lists),
            lists,
        })
    }

    /// About the `keep` best items for each query; `places` are the queries as places.
    pub(super) fn search(
        &self,
        queries: &Rows,
        places: &Rows,
        keep: usize,
        sink: &mut impl FnMut(u32, &[Scored]),
    ) -> Result<()> {
        let homes = homes(places, &self.centroids, self.lists.len())?;
        self.search_from(&homes, queries, places, keep, sink)
    }

    /// [`Self::search`], the items being the queries.
    pub(super) fn search_itself(
        &self,
        items: &Rows,
        places: &Rows,
        keep: usize,
        sink: &mut impl FnMut(u32, &[Scored]),
    ) -> Result<()> {
        self.search_from(&self.members, items, places, keep, sink)
    }

    /// Queries of one home share their lists, which then stay in the cache.
    fn search_from(
        &self,
        homes: &[Vec<u32>],
        queries: &Rows,
        places: &Rows,
        keep: usize,
        sink: &mut impl FnMut(u32, &[Scored]),
    ) -> Result<()> {
        let work = |block: &[u32]| {
            let probes = best_of_all(&places.gather(block), &self.centroids, PROBES);
            self.search_block(&queries.gather(block), &probes, keep)
        };
        in_blocks(&homes.concat(), QUERIES_OF_LISTS, work, sink)
    }

    fn search_block(
        &self,
        queries: &Rows,
        probes: &[Vec<Scored>],
        keep: usize,
    ) -> Vec<Vec<Scored>> {
        let mut jobs: BTreeMap<(usize, usize), Job> = BTreeMap::new();
        for (query, probes) in probes.iter().enumerate() {
            for (rank, tiles) in self.probed(probes, keep).enumerate() {
                let job = jobs.entry((tiles.start, tiles.end)).or_default();
                job.rank += rank;
                job.queries.push(query as u32);
            }
        }
        let mut jobs: Vec<_> = jobs.into_iter().collect();
        // What is near to most comes first: then little of the rest is worth a second look.
        jobs.sort_by(|(_, a), (_, b)| (a.rank * b.queries.len()).cmp(&(b.rank * a.queries.len())));
        let jobs = jobs
            .iter()
            .map(|(tiles, job)| (tiles.0..tiles.1, job.queries.as_slice()));
        let mut found = best_of(queries, &self.tiles, keep, jobs);
        for (query, found) in found.iter_mut().enumerate().filter(|f| f.1.len() < keep) {
            let alone = queries.gather(&[query as u32]);
            *found = best_of_all(&alone, &self.tiles, keep).swap_remove(0);
        }
        found
    }

    /// The tiles that a query is scored against: those of the lists that it probes, as far as the longest search goes.
    fn probed<'a>(
        &'a self,
        probes: &'a [Scored],
        keep: usize,
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut left = self.longest.max(keep);
        probes.iter().map(move |probe| {
            let list = &self.lists[probe.1 as usize];
            let taken = list.len().min(left);
            left -= taken;
            list.start..list.start + taken
        })
    }
}

/// The places nearest to each centroid.
fn homes(places: &Rows, centroids: &Tiles, n_lists: usize) -> Result<Vec<Vec<u32>>> {
    let mut homes: Vec<Vec<u32>> = vec![Vec::new(); n_lists];
    exhaustive(places, centroids, 1, &mut |place, home| {
        homes[home[0].1 as usize].push(place);
    })?;
    Ok(homes)
}

/// Centroids of k-means on a sample of `places`, as items.
fn train(places: &Rows, n_lists: usize, seed: u64) -> Result<Tiles> {
    let mut order = Rng::new(seed, Purpose::Index, 0).permutation(places.len());
    order.truncate(n_lists * SAMPLE_PER_LIST);
    let sample = places.gather(&order);
    let mut centroids = sample.gather(&(0..n_lists as u32).collect::<Vec<_>>());
    for _ in 0..ROUNDS {
        move_to_means(&mut centroids, &sample)?;
    }
    Ok(Tiles::all(&as_items(&centroids)))
}

/// One round of k-means. A centroid that nobody is nearest to stays.
fn move_to_means(centroids: &mut Rows, sample: &Rows) -> Result<()> {
    let width = sample.width;
    let mut sums = vec![0f64; centroids.data.len()];
    let mut counts = vec![0f64; centroids.len()];
    let items = Tiles::all(&as_items(centroids));
    exhaustive(sample, &items, 1, &mut |i, home| {
        let list = home[0].1 as usize;
        counts[list] += 1.0;
        let sum = &mut sums[list * width..(list + 1) * width];
        sum.iter_mut()
            .zip(sample.row(i as usize))
            .for_each(|(s, &x)| *s += f64::from(x));
    })?;
    let means = sums.chunks_exact(width).zip(&counts);
    for (centroid, (sum, &count)) in centroids.data.chunks_exact_mut(width).zip(means) {
        if count > 0.0 {
            centroid
                .iter_mut()
                .zip(sum)
                .for_each(|(c, s)| *c = (s / count) as f32);
        }
    }
    Ok(())
}

/// Places (vectors that end in 1) as items: the last number is minus half the squared norm of the others, which makes
/// the inner product with a place largest where the Euclidean distance is least.
pub(super) fn as_items(places: &Rows) -> Rows {
    let mut items = places.clone();
    for row in items.data.chunks_exact_mut(places.width) {
        if let Some((last, vector)) = row.split_last_mut() {
            let squared: f64 = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            *last = (-0.5 * squared) as f32;
        }
    }
    items
}
