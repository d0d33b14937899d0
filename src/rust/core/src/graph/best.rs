//! The best-scoring items of each query, by blocked matrix products.

use gemm::Parallelism;

/// Items scored at a time: with [`QUERIES`] rows, a block of scores that stays in the cache.
const ITEMS: usize = 1024;

/// Queries that one task scores together.
pub(super) const QUERIES: usize = 128;

/// Rows of equal width, row-major.
pub(super) struct Rows {
    pub(super) data: Vec<f32>,
    pub(super) width: usize,
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.data.len() / self.width
    }

    pub(super) fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.width..(i + 1) * self.width]
    }

    pub(super) fn gather(&self, order: &[u32]) -> Self {
        let rows = order.iter().flat_map(|&i| self.row(i as usize));
        Self {
            data: rows.copied().collect(),
            width: self.width,
        }
    }
}

/// A score and the item that has it.
pub(super) type Scored = (f32, u32);

/// Highest score first, then lowest index.
fn better(a: &Scored, b: &Scored) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// The `keep` best of all that was offered, whatever the order of offers.
struct Best {
    keep: usize,
    /// More than `keep` now and then, so that weeding out costs little an offer.
    held: Vec<Scored>,
    /// Nothing below it can be among the best.
    bar: f32,
}

impl Best {
    fn new(keep: usize) -> Self {
        Self {
            keep,
            held: Vec::with_capacity(keep + keep.clamp(32, 4096)),
            bar: f32::NEG_INFINITY,
        }
    }

    fn offer(&mut self, scores: &[f32], ids: &[u32]) {
        for (scores, ids) in scores.chunks(16).zip(ids.chunks(16)) {
            let bar = self.bar;
            // Nearly always false, and without a branch inside.
            if scores.iter().fold(false, |any, &s| any | (s >= bar)) {
                self.offer_each(scores, ids);
            }
        }
    }

    fn offer_each(&mut self, scores: &[f32], ids: &[u32]) {
        for (&score, &id) in scores.iter().zip(ids) {
            if score >= self.bar {
                if self.held.len() == self.held.capacity() {
                    self.weed();
                }
                self.held.push((score, id));
            }
        }
    }

    fn weed(&mut self) {
        let (_, worst, _) = self.held.select_nth_unstable_by(self.keep - 1, better);
        self.bar = worst.0;
        self.held.truncate(self.keep);
    }

    fn sorted(mut self) -> Vec<Scored> {
        self.held.sort_unstable_by(better);
        self.held.truncate(self.keep);
        self.held
    }
}

/// For each row of `queries` the `keep` items with the largest inner products, best first, ties by lower id. `items` are
/// several blocks of rows with an id a row; fewer than `keep` come back when there are fewer.
pub(super) fn best_items<'a>(
    queries: &Rows,
    items: impl Iterator<Item = (&'a [f32], &'a [u32])>,
    keep: usize,
) -> Vec<Vec<Scored>> {
    let width = queries.width;
    let mut best: Vec<Best> = (0..queries.len()).map(|_| Best::new(keep)).collect();
    let mut scores = vec![0f32; queries.len() * ITEMS];
    for (rows, ids) in items {
        for (rows, ids) in rows.chunks(ITEMS * width).zip(ids.chunks(ITEMS)) {
            let scores = &mut scores[..queries.len() * ids.len()];
            inner_products(&queries.data, rows, width, scores);
            for (best, scores) in best.iter_mut().zip(scores.chunks_exact(ids.len())) {
                best.offer(scores, ids);
            }
        }
    }
    best.into_iter().map(Best::sorted).collect()
}

/// `out` = `a b'`, all row-major: rows of `a` by rows of `b`.
fn inner_products(a: &[f32], b: &[f32], width: usize, out: &mut [f32]) {
    let (m, n, w) = (a.len() / width, b.len() / width, width as isize);
    assert_eq!(out.len(), m * n);
    // SAFETY: the three slices hold m x width, n x width and m x n numbers, which is all that these strides reach;
    // `out` is borrowed mutably, so that it overlaps neither input.
    unsafe {
        gemm::gemm(
            m,
            n,
            width,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.as_ptr(),
            1,
            w,
            b.as_ptr(),
            w,
            1,
            0f32,
            1f32,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
