//! Neighbours in an embedding, without a similarity matrix (METHODS 3, hybrid graph; 7).
//!
//! Exact by blocked products up to some 30,000 cells, by an inverted file above.

use ndarray::ArrayView2;

use super::best::Rows;
use super::best_items::BestItems;
use super::lists;
use super::spatial::{check_k, Neighbours};
use crate::{Error, Result};

/// Further candidates whose exact distances are compared when f32 scores choose.
const SPARE: usize = 8;

/// For each row of `queries` (n x d) the `k` rows of `items` (m x d) with the largest inner product, best first, ties
/// by lower index; `distance` is 1 - inner product. Rows are meant to be L2-normalised.
///
/// Exact while n m <= 9e8. Above, items are found through an inverted file (k-means on a sample drawn with `seed`),
/// which finds more than 98 % of them in clustered or smooth embeddings. With `exclude_self`, row `i` of `items` is no
/// answer to row `i` of `queries`. The result is the same for any number of threads.
///
/// # Errors
/// [`Error::Argument`] `k` when it is 0 or more than the items that can be answers; [`Error::Numeric`] for numbers that
/// are not finite; [`Error::Internal`] for shapes that do not fit.
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
    let found = BestItems::search(plain(queries), plain(items), keep, seed, || {
        (with_ones(queries), with_ones(items))
    })?;
    found.answers(k, |query, found| {
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
    let places = centred(x);
    let items = lists::as_items(&places);
    let keep = (k + 1 + SPARE).min(x.nrows());
    let copies = || (places.clone(), places.clone());
    let found = BestItems::search(places.clone(), items, keep, seed, copies)?;
    found.answers(k, |query, found| {
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
    if x.nrows() >= u32::MAX as usize {
        return Err(Error::numeric("the embedding has more than 2^32 rows"));
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

fn plain(x: ArrayView2<f32>) -> Rows {
    Rows {
        data: x.iter().copied().collect(),
        width: x.ncols(),
    }
}

/// Rows as places (see [`lists::as_items`]): a 1 at the end.
fn with_ones(x: ArrayView2<f32>) -> Rows {
    let row = |r: ndarray::ArrayView1<f32>| r.iter().copied().chain([1.0]).collect::<Vec<_>>();
    Rows {
        data: x.rows().into_iter().flat_map(row).collect(),
        width: x.ncols() + 1,
    }
}

/// Places moved to mean zero.
fn centred(x: ArrayView2<f32>) -> Rows {
    let n = x.nrows().max(1) as f64;
    let column = |c: ndarray::ArrayView1<f32>| c.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let mean: Vec<f64> = x.columns().into_iter().map(column).collect();
    let centre = |r: ndarray::ArrayView1<f32>| -> Vec<f32> {
        let moved = r.iter().zip(&mean).map(|(&v, m)| (f64::from(v) - m) as f32);
        moved.chain([1.0]).collect()
    };
    Rows {
        data: x.rows().into_iter().flat_map(centre).collect(),
        width: x.ncols() + 1,
    }
}
