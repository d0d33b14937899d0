//! The items that score best for each query: inner products by tiles, never a matrix of them.

use std::ops::Range;

/// Items scored side by side.
const LANES: usize = 16;

/// Queries scored side by side: with [`LANES`] items the sums fill the registers of AVX2.
const ABREAST: usize = 4;

/// Tiles that stay in the cache while the queries of a block go over them.
const TILES: usize = 32;

/// Rows of equal width, row-major.
#[derive(Clone, PartialEq)]
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

/// A number that is less the higher the score and, of equal scores, the lower the index: whole numbers are compared
/// without a branch.
fn rank((score, id): Scored) -> u64 {
    let bits = score.to_bits();
    // As `f32::total_cmp` does it: of negative numbers all bits turn, of others the sign.
    let rising = bits ^ (((bits as i32 >> 31) as u32) | 1 << 31);
    u64::from(!rising) << 32 | u64::from(id)
}

fn scored(rank: u64) -> Scored {
    let rising = !((rank >> 32) as u32);
    let sign = ((!rising as i32 >> 31) as u32) | 1 << 31;
    (f32::from_bits(rising ^ sign), rank as u32)
}

/// The `keep` best of all that was offered, whatever the order of offers.
struct Best {
    keep: usize,
    /// The [`rank`]s of more than `keep` now and then, so that weeding out costs little an offer.
    held: Vec<u64>,
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

    /// Takes the items whose bit in `passing` is set, which are those that reach the bar.
    #[inline(never)]
    fn offer(&mut self, mut passing: u32, scores: &[f32; LANES], ids: &[u32]) {
        while passing != 0 {
            let lane = passing.trailing_zeros() as usize;
            passing &= passing - 1;
            if ids[lane] == NOBODY {
                continue;
            }
            if self.held.len() == self.keep + self.keep.clamp(16, 4096) {
                self.weed();
            }
            self.held.push(rank((scores[lane], ids[lane])));
        }
    }

    fn weed(&mut self) {
        let (_, worst, _) = self.held.select_nth_unstable(self.keep - 1);
        self.bar = scored(*worst).0;
        self.held.truncate(self.keep);
    }

    fn sorted(mut self) -> Vec<Scored> {
        if self.held.len() > self.keep {
            self.weed();
        }
        self.held.sort_unstable();
        self.held.into_iter().map(scored).collect()
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
        scan(queries, names, items, &tiles, &mut best);
    }
    best.into_iter().map(Best::sorted).collect()
}

/// Up to `ABREAST` queries side by side, coordinate after coordinate, filled up with zeros.
fn pack<const ABREAST: usize>(queries: &Rows, group: &[u32], packed: &mut [[f32; ABREAST]]) {
    packed.fill([0.0; ABREAST]);
    for (place, &query) in group.iter().enumerate() {
        let row = queries.row(query as usize);
        packed
            .iter_mut()
            .zip(row)
            .for_each(|(xs, &x)| xs[place] = x);
    }
}

/// Offers the items of some tiles to the queries `names`; `best` is that of all queries. The same numbers with AVX2 and
/// with AVX-512.
fn scan(queries: &Rows, names: &[u32], items: &Tiles, tiles: &Range<usize>, best: &mut [Best]) {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has it.
            return unsafe { scan_avx512(queries, names, items, tiles, best) };
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has both.
            return unsafe { scan_avx2(queries, names, items, tiles, best) };
        }
    }
    scan_any::<false>(queries, names, items, tiles, best);
}

/// By hand: the compiler keeps sums of this width in memory, and has no mask of what passes the bar.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn scan_avx512(
    queries: &Rows,
    names: &[u32],
    items: &Tiles,
    tiles: &Range<usize>,
    best: &mut [Best],
) {
    use std::arch::x86_64::{
        _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
        _mm512_storeu_ps, _CMP_GE_OQ,
    };
    const ABREAST: usize = 8;
    let mut packed = vec![[0f32; ABREAST]; queries.width];
    for group in names.chunks(ABREAST) {
        pack(queries, group, &mut packed);
        for (tile, ids) in items.of(tiles) {
            let mut sums = [_mm512_setzero_ps(); ABREAST];
            for (xs, ys) in packed.iter().zip(tile.as_chunks::<LANES>().0) {
                // SAFETY: a register holds `LANES` numbers.
                let ys = unsafe { _mm512_loadu_ps(ys.as_ptr()) };
                for q in 0..ABREAST {
                    sums[q] = _mm512_fmadd_ps(_mm512_set1_ps(xs[q]), ys, sums[q]);
                }
            }
            for (&sums, &query) in sums.iter().zip(group) {
                let best = &mut best[query as usize];
                let passing = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(sums, _mm512_set1_ps(best.bar));
                if passing != 0 {
                    let mut scores = [0f32; LANES];
                    // SAFETY: as above.
                    unsafe { _mm512_storeu_ps(scores.as_mut_ptr(), sums) };
                    best.offer(passing.into(), &scores, ids);
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn scan_avx2(
    queries: &Rows,
    names: &[u32],
    items: &Tiles,
    tiles: &Range<usize>,
    best: &mut [Best],
) {
    scan_any::<true>(queries, names, items, tiles, best);
}

#[inline(always)]
fn scan_any<const FUSED: bool>(
    queries: &Rows,
    names: &[u32],
    items: &Tiles,
    tiles: &Range<usize>,
    best: &mut [Best],
) {
    let mut packed = vec![[0f32; ABREAST]; queries.width];
    for group in names.chunks(ABREAST) {
        pack(queries, group, &mut packed);
        for (tile, ids) in items.of(tiles) {
            let scores = score_tile::<FUSED>(&packed, tile);
            for (scores, &query) in scores.iter().zip(group) {
                let best = &mut best[query as usize];
                let bar = best.bar;
                // Nearly always false, and without a branch inside.
                if scores.iter().fold(false, |any, &s| any | (s >= bar)) {
                    best.offer(passing(scores, bar), scores, ids);
                }
            }
        }
    }
}

/// A bit for each score that reaches the bar.
fn passing(scores: &[f32; LANES], bar: f32) -> u32 {
    let bits = scores.iter().enumerate();
    bits.fold(0, |all, (lane, &score)| {
        all | u32::from(score >= bar) << lane
    })
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
