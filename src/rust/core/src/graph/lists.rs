//! Items in lists by nearest centroid (an inverted file), so that a query is scored against few of them.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::best::{best_items, Rows, Scored, QUERIES};
use crate::rng::{Purpose, Rng};

/// Rows of the sample a centroid is trained on.
const SAMPLE_PER_LIST: usize = 40;

/// Rounds of k-means: centroids need not be settled to divide the items well.
const ROUNDS: usize = 6;

/// Lists that each query certainly sees, but for [`LONGEST_SEARCH`]. Its block's other queries bring more.
const PROBES: usize = 8;

/// Most items scored for a query, in mean lengths of a list: bounds the time when one list holds most items, as it does
/// when most embeddings are equal (then its first items, by index, are also the right ones).
const LONGEST_SEARCH: usize = 64;

/// Items sorted into lists; within a list by rising id.
pub(super) struct Lists {
    rows: Rows,
    ids: Vec<u32>,
    starts: Vec<usize>,
}

/// A block of queries and the items to score them against.
pub(super) struct Search {
    pub(super) queries: Vec<u32>,
    items: Vec<Range<usize>>,
}

impl Lists {
    /// All items in one list: every query sees everything.
    pub(super) fn single(items: Rows) -> Self {
        let n = items.len();
        Self {
            rows: items,
            ids: (0..n as u32).collect(),
            starts: vec![0, n],
        }
    }

    fn by_label(items: &Rows, labels: impl Iterator<Item = u32>, n_lists: usize) -> Self {
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); n_lists];
        (0u32..)
            .zip(labels)
            .for_each(|(id, list)| members[list as usize].push(id));
        let mut starts = vec![0];
        for list in &members {
            starts.push(starts[starts.len() - 1] + list.len());
        }
        let ids = members.concat();
        Self {
            rows: items.gather(&ids),
            ids,
            starts,
        }
    }

    /// For each query of a search its best items, best first.
    pub(super) fn run(&self, search: &Search, queries: &Rows, keep: usize) -> Vec<Vec<Scored>> {
        let width = self.rows.width;
        let blocks = search.items.iter().map(|items| {
            let rows = &self.rows.data[items.start * width..items.end * width];
            (rows, &self.ids[items.clone()])
        });
        best_items(&queries.gather(&search.queries), blocks, keep)
    }
}

/// Every query against every item.
pub(super) fn exhaustive(n_queries: usize, n_items: usize) -> Vec<Search> {
    let all: Vec<u32> = (0..n_queries as u32).collect();
    let search = |block: &[u32]| Search {
        queries: block.to_vec(),
        items: vec![0..n_items],
    };
    all.chunks(QUERIES).map(search).collect()
}

/// The inverted file and, for blocks of queries that lie together, the lists to search.
///
/// `queries` are scored by inner product against `items`; `places` are the items as queries, by which they are put into
/// lists. A query that finds fewer than `enough` items in its lists is given all of them.
pub(super) fn inverted_file(
    queries: &Rows,
    items: &Rows,
    places: &Rows,
    enough: usize,
    seed: u64,
) -> (Lists, Vec<Search>) {
    let n_lists = (2.0 * (items.len() as f64).sqrt()) as usize;
    let centroids = Lists::single(train(places, n_lists.max(1), seed));
    let nearest = nearest_centroids(places, &centroids, 1);
    let lists = Lists::by_label(items, nearest.iter().map(|n| n[0]), n_lists.max(1));
    let probes = nearest_centroids(queries, &centroids, PROBES);
    let searches = blocks(&probes, n_lists.max(1))
        .into_par_iter()
        .map(|block| lists.search(block, &probes, enough))
        .collect();
    (lists, searches)
}

impl Lists {
    /// The lists that the queries of a block name, those named most often first.
    fn search(&self, queries: Vec<u32>, probes: &[Vec<u32>], enough: usize) -> Search {
        let mut votes: BTreeMap<u32, usize> = BTreeMap::new();
        for &query in &queries {
            for &list in &probes[query as usize] {
                *votes.entry(list).or_default() += 1;
            }
        }
        let mut named: Vec<(u32, usize)> = votes.into_iter().collect();
        named.sort_by_key(|&(_, votes)| std::cmp::Reverse(votes));
        let mut left = (LONGEST_SEARCH * self.ids.len() / (self.starts.len() - 1)).max(enough);
        let mut items = Vec::with_capacity(named.len());
        for (list, _) in named {
            let (start, end) = (self.starts[list as usize], self.starts[list as usize + 1]);
            let taken = left.min(end - start);
            items.push(start..start + taken);
            left -= taken;
        }
        if items.iter().map(Range::len).sum::<usize>() < enough {
            items = vec![0..self.ids.len()];
        }
        Search { queries, items }
    }
}

/// Queries with the same nearest list, [`QUERIES`] at most together.
fn blocks(probes: &[Vec<u32>], n_lists: usize) -> Vec<Vec<u32>> {
    let mut homes: Vec<Vec<u32>> = vec![Vec::new(); n_lists];
    (0u32..)
        .zip(probes)
        .for_each(|(query, lists)| homes[lists[0] as usize].push(query));
    let chunks = homes.iter().flat_map(|home| home.chunks(QUERIES));
    chunks.map(<[u32]>::to_vec).collect()
}

/// The `keep` nearest centroids of each row of `places`, nearest first.
fn nearest_centroids(places: &Rows, centroids: &Lists, keep: usize) -> Vec<Vec<u32>> {
    let searches = exhaustive(places.len(), centroids.rows.len());
    let found: Vec<Vec<Vec<u32>>> = searches
        .par_iter()
        .map(|search| {
            let best = centroids.run(search, places, keep);
            best.iter()
                .map(|b| b.iter().map(|s| s.1).collect())
                .collect()
        })
        .collect();
    found.into_iter().flatten().collect()
}

/// Centroids of k-means on a sample of `places`, as items (see [`as_item`]).
fn train(places: &Rows, n_lists: usize, seed: u64) -> Rows {
    let mut order = Rng::new(seed, Purpose::Index, 0).permutation(places.len());
    order.truncate(n_lists * SAMPLE_PER_LIST);
    let sample = places.gather(&order);
    let mut centroids: Vec<f32> = sample.data[..n_lists.min(sample.len()) * places.width].to_vec();
    for _ in 0..ROUNDS {
        let items = as_items(&centroids, places.width);
        let nearest = nearest_centroids(&sample, &Lists::single(items), 1);
        move_to_means(&mut centroids, &sample, &nearest);
    }
    as_items(&centroids, places.width)
}

/// A centroid that nobody is nearest to stays.
fn move_to_means(centroids: &mut [f32], sample: &Rows, nearest: &[Vec<u32>]) {
    let width = sample.width;
    let mut sums = vec![0f64; centroids.len()];
    let mut counts = vec![0f64; centroids.len() / width];
    for (i, list) in nearest.iter().enumerate() {
        let list = list[0] as usize;
        counts[list] += 1.0;
        let sum = &mut sums[list * width..(list + 1) * width];
        sum.iter_mut()
            .zip(sample.row(i))
            .for_each(|(s, &x)| *s += f64::from(x));
    }
    let means = sums.chunks_exact(width).zip(&counts);
    for (centroid, (sum, &count)) in centroids.chunks_exact_mut(width).zip(means) {
        if count > 0.0 {
            centroid
                .iter_mut()
                .zip(sum)
                .for_each(|(c, s)| *c = (s / count) as f32);
        }
    }
}

/// Places (vectors that end in 1) as items: the last number is minus half the squared norm of the others, which makes the
/// inner product with a place largest where the Euclidean distance is least.
pub(super) fn as_items(places: &[f32], width: usize) -> Rows {
    let mut data = places.to_vec();
    for row in data.chunks_exact_mut(width) {
        if let Some((last, vector)) = row.split_last_mut() {
            let squared: f64 = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            *last = (-0.5 * squared) as f32;
        }
    }
    Rows { data, width }
}
