//! Neighbours in an embedding, without a similarity matrix (METHODS 3, hybrid graph; 7).
//!
//! Exact by blocked products up to some 30,000 cells, by an inverted file above.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::best::{Rows, Scored};
use super::lists::{self, Lists, Search};
use super::spatial::{check_k, slabs, Neighbours};
use crate::{Error, Result};

/// Up to so many pairs of query and item every one is scored (30,000 by 30,000).
const MAX_PAIRS: usize = 900_000_000;

/// Further candidates whose exact distances are compared when f32 scores choose.
const SPARE: usize = 8;

/// Searches whose results are held before they are written.
const SLAB: usize = 64;

/// For each row of `queries` (n x d) the `k` rows of `items` (m x d) with the largest inner product, best first, ties by
/// lower index; `distance` is 1 - inner product. Rows are meant to be L2-normalised.
///
/// Exact while n m <= 9e8. Above, items are found through an inverted file (k-means on a sample drawn with `seed`), which
/// finds more than 98 % of them in clustered or smooth embeddings. With `exclude_self`, row `i` of `items` is no answer to
/// row `i` of `queries`. The result is the same for any number of threads.
///
/// # Errors
/// [`Error::Argument`] `k` when it is 0 or more than the items that can be answers; [`Error::Numeric`] for numbers that are
/// not finite; [`Error::Internal`] for shapes that do not fit.
pub fn inner_product_neighbours(
    queries: ArrayView2<f32>,
    items: ArrayView2<f32>,
    k: usize,
    exclude_self: bool,
    seed: u64,
) -> Result<Neighbours> {
    check(queries)?;
    check(items)?;
    if queries.ncols() != items.ncols() || (exclude_self && queries.nrows() != items.nrows()) {
        return Err(Error::Internal("queries and items do not fit".into()));
    }
    check_k(k, items.nrows() + usize::from(!exclude_self))?;
    let keep = k + usize::from(exclude_self);
    let job = Job::new(
        places(queries),
        with_last(items, 0.0),
        || places(items),
        keep,
        seed,
    );
    job.run(k, |query, found| {
        let others = found.iter().filter(|s| !(exclude_self && s.1 == query));
        others.map(|&(s, i)| (1.0 - f64::from(s), i)).collect()
    })
}

/// The `k` rows of `x` (n x d) nearest to each row in Euclidean distance, itself excluded, nearest first, ties by lower
/// index. Exact up to 30,000 rows, above as [`inner_product_neighbours`].
///
/// # Errors
/// As [`inner_product_neighbours`].
pub fn euclidean_neighbours(x: ArrayView2<f32>, k: usize, seed: u64) -> Result<Neighbours> {
    check(x)?;
    check_k(k, x.nrows())?;
    // f32 products tell distances apart best round the origin.
    let centred = centred(x);
    let places = || Rows {
        data: centred.clone(),
        width: x.ncols() + 1,
    };
    let items = lists::as_items(&centred, x.ncols() + 1);
    let keep = (k + 1 + SPARE).min(x.nrows());
    let job = Job::new(places(), items, places, keep, seed);
    job.run(k, |query, found| {
        let here = x.row(query as usize);
        let others = found.iter().map(|s| s.1).filter(|&i| i != query);
        let mut near: Vec<(f64, u32)> = others
            .map(|i| (squared_distance(here, x.row(i as usize)).sqrt(), i))
            .collect();
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near
    })
}

fn check(x: ArrayView2<f32>) -> Result<()> {
    if x.ncols() == 0 {
        return Err(Error::numeric("the embedding has no columns"));
    }
    // Beyond, squares overflow.
    if x.iter().any(|v| v.is_nan() || v.abs() > 1e15) {
        return Err(Error::numeric(
            "the embedding holds numbers that are not finite",
        ));
    }
    Ok(())
}

fn squared_distance(a: ndarray::ArrayView1<f32>, b: ndarray::ArrayView1<f32>) -> f64 {
    let gaps = a.iter().zip(b).map(|(&x, &y)| f64::from(x) - f64::from(y));
    gaps.map(|gap| gap * gap).sum()
}

/// Rows with one more number at the end.
fn with_last(x: ArrayView2<f32>, last: f32) -> Rows {
    let rows = x.rows().into_iter();
    Rows {
        data: rows
            .flat_map(|r| r.into_iter().copied().chain([last]))
            .collect(),
        width: x.ncols() + 1,
    }
}

/// Rows as queries: the 1 at the end meets the items' offsets.
fn places(x: ArrayView2<f32>) -> Rows {
    with_last(x, 1.0)
}

/// Places moved to mean zero.
fn centred(x: ArrayView2<f32>) -> Vec<f32> {
    let n = x.nrows().max(1) as f64;
    let column = |c: ndarray::ArrayView1<f32>| c.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let mean: Vec<f64> = x.columns().into_iter().map(column).collect();
    let row = |r: ndarray::ArrayView1<f32>| -> Vec<f32> {
        let moved = r.iter().zip(&mean).map(|(&v, m)| (f64::from(v) - m) as f32);
        moved.chain([1.0]).collect()
    };
    x.rows().into_iter().flat_map(row).collect()
}

/// What to score against what.
struct Job {
    queries: Rows,
    lists: Lists,
    searches: Vec<Search>,
    keep: usize,
}

impl Job {
    fn new(
        queries: Rows,
        items: Rows,
        places: impl FnOnce() -> Rows,
        keep: usize,
        seed: u64,
    ) -> Self {
        let (n, m) = (queries.len(), items.len());
        let (lists, searches) = if n.saturating_mul(m) <= MAX_PAIRS {
            (Lists::single(items), lists::exhaustive(n, m))
        } else {
            lists::inverted_file(&queries, &items, &places(), keep, seed)
        };
        Self {
            queries,
            lists,
            searches,
            keep,
        }
    }

    /// `finish` turns the scored items of a query into at least `k` answers, best first.
    fn run(
        &self,
        k: usize,
        finish: impl Fn(u32, &[Scored]) -> Vec<(f64, u32)> + Sync,
    ) -> Result<Neighbours> {
        let mut out = Neighbours::with_rows(self.queries.len(), k)?;
        for slab in slabs(self.searches.len(), SLAB) {
            let found: Vec<Vec<(u32, Vec<(f64, u32)>)>> = self.searches[slab]
                .par_iter()
                .map(|search| {
                    let best = self.lists.run(search, &self.queries, self.keep);
                    let queries = search.queries.iter().zip(&best);
                    queries.map(|(&q, b)| (q, finish(q, b))).collect()
                })
                .collect();
            for (query, answers) in found.into_iter().flatten() {
                out.write(query, answers.into_iter());
            }
        }
        Ok(out)
    }
}
