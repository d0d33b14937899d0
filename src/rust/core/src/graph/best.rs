//! The items that score best for each query: inner products by tiles, never a matrix of them.

use std::ops::Range;

/// Items scored side by side.
const LANES: usize = 16;

/// Queries scored side by side: with [`LANES`] items the sums fill the registers of AVX2.
const ABREAST: usize = 4;

/// Tiles that stay in the cache while the queries of a block go over them.
const TILES: usize = 32;

/// Rows of equal width, row-major.
#[derive(Clone)]
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

/// Items, [`LANES`] in a tile: first coordinates of all, then second ones and so on.
pub(super) struct Tiles {
    data: Vec<f32>,
    /// The items; [`NOBODY`] where a tile is not full.
    ids: Vec<u32>,
    width: usize,
}

const NOBODY: u32 = u32::MAX;

impl Tiles {
    pub(super) fn new(width: usize) -> Self {
        Self {
            data: Vec::new(),
            ids: Vec::new(),
            width,
        }
    }

    /// Appends the rows `ids` of `items` and returns their tiles, which hold nothing else.
    pub(super) fn push(&mut self, items: &Rows, ids: &[u32]) -> Range<usize> {
        let first = self.len();
        for ids in ids.chunks(LANES) {
            let start = self.data.len();
            self.data.resize(start + LANES * self.width, 0.0);
            let tile = &mut self.data[start..];
            for (lane, &id) in ids.iter().enumerate() {
                let places = tile.iter_mut().skip(lane).step_by(LANES);
                places
                    .zip(items.row(id as usize))
                    .for_each(|(place, &x)| *place = x);
            }
            self.ids.extend_from_slice(ids);
            self.ids.resize(self.len() * LANES, NOBODY);
        }
        first..self.len()
    }

    pub(super) fn all(items: &Rows) -> Self {
        let mut tiles = Self::new(items.width);
        let ids: Vec<u32> = (0..items.len() as u32).collect();
        tiles.push(items, &ids);
        tiles
    }

    fn len(&self) -> usize {
        self.data.len() / (LANES * self.width)
    }

    fn of(&self, range: &Range<usize>) -> impl Iterator<Item = (&[f32], &[u32])> {
        let size = LANES * self.width;
        let data = self.data[range.start * size..range.end * size].chunks_exact(size);
        data.zip(self.ids[range.start * LANES..range.end * LANES].chunks_exact(LANES))
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
            held: Vec::with_capacity(keep + keep.clamp(16, 4096)),
            bar: f32::NEG_INFINITY,
        }
    }

    #[inline(never)]
    fn offer(&mut self, scores: &[f32; LANES], ids: &[u32]) {
        for (&score, &id) in scores.iter().zip(ids) {
            if score >= self.bar && id != NOBODY {
                if self.held.len() == self.keep + self.keep.clamp(16, 4096) {
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
        if self.held.len() > self.keep {
            self.weed();
        }
        self.held.sort_unstable_by(better);
        self.held
    }
}

/// For each of a block of queries the `keep` items with the largest inner products, best first, ties by lower id; fewer
/// when there are fewer.
pub(super) fn best_of_all(queries: &Rows, items: &Tiles, keep: usize) -> Vec<Vec<Scored>> {
    let everyone: Vec<u32> = (0..queries.len() as u32).collect();
    let blocks = (0..items.len()).step_by(TILES);
    let jobs = blocks.map(|first| (first..(first + TILES).min(items.len()), everyone.as_slice()));
    best_of(queries, items, keep, jobs)
}

/// [`best_of_all`], each query among the tiles of the jobs that name it only. Queries that share tiles should be named
/// together: what scoring costs is the way of the tiles to the processor.
pub(super) fn best_of<'a>(
    queries: &Rows,
    items: &Tiles,
    keep: usize,
    jobs: impl Iterator<Item = (Range<usize>, &'a [u32])>,
) -> Vec<Vec<Scored>> {
    let mut best: Vec<Best> = (0..queries.len()).map(|_| Best::new(keep)).collect();
    for (tiles, names) in jobs {
        for group in names.chunks(ABREAST) {
            scan(&pack(queries, group), items, &tiles, group, &mut best);
        }
    }
    best.into_iter().map(Best::sorted).collect()
}

/// Up to [`ABREAST`] queries side by side, coordinate after coordinate, filled up with zeros.
fn pack(queries: &Rows, group: &[u32]) -> Vec<[f32; ABREAST]> {
    let mut packed = vec![[0f32; ABREAST]; queries.width];
    for (place, &query) in group.iter().enumerate() {
        let row = queries.row(query as usize);
        packed
            .iter_mut()
            .zip(row)
            .for_each(|(xs, &x)| xs[place] = x);
    }
    packed
}

/// Offers the items of some tiles to the queries of a group; `best` is that of all queries.
fn scan(
    packed: &[[f32; ABREAST]],
    items: &Tiles,
    tiles: &Range<usize>,
    group: &[u32],
    best: &mut [Best],
) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both.
        return unsafe { scan_avx2(packed, items, tiles, group, best) };
    }
    scan_any::<false>(packed, items, tiles, group, best);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn scan_avx2(
    packed: &[[f32; ABREAST]],
    items: &Tiles,
    tiles: &Range<usize>,
    group: &[u32],
    best: &mut [Best],
) {
    scan_any::<true>(packed, items, tiles, group, best);
}

#[inline(always)]
fn scan_any<const FUSED: bool>(
    packed: &[[f32; ABREAST]],
    items: &Tiles,
    tiles: &Range<usize>,
    group: &[u32],
    best: &mut [Best],
) {
    for (tile, ids) in items.of(tiles) {
        let scores = score_tile::<FUSED>(packed, tile);
        for (scores, &query) in scores.iter().zip(group) {
            let best = &mut best[query as usize];
            let bar = best.bar;
            // Nearly always false, and without a branch inside.
            if scores.iter().fold(false, |any, &s| any | (s >= bar)) {
                best.offer(scores, ids);
            }
        }
    }
}

#[inline(always)]
fn score_tile<const FUSED: bool>(
    packed: &[[f32; ABREAST]],
    tile: &[f32],
) -> [[f32; LANES]; ABREAST] {
    let mut sums = [[0f32; LANES]; ABREAST];
    for (xs, ys) in packed.iter().zip(tile.chunks_exact(LANES)) {
        for q in 0..ABREAST {
            for lane in 0..LANES {
                let sum = &mut sums[q][lane];
                // A fused product without the instruction for it would be a slow call.
                *sum = if FUSED {
                    xs[q].mul_add(ys[lane], *sum)
                } else {
                    *sum + xs[q] * ys[lane]
                };
            }
        }
    }
    sums
}
