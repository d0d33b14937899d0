//! Every random number of spaxR: Philox4x32-10, a counter-based generator.
//!
//! A draw is a pure function of (seed, purpose, counter), so that a parallel loop draws the same
//! numbers whatever its threads, a GPU kernel can draw them again, and a change in one purpose
//! (say, the number of k-means starts) leaves the others as they were.
//! Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

/// What a stream of random numbers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Initial values of parameters.
    Init = 1,
    /// Nodes that are masked, and what they are replaced by.
    Mask = 2,
    /// Values that are dropped.
    Dropout = 3,
    /// Nodes that others are told from.
    Negatives = 4,
    /// Starts of k-means.
    KMeans = 5,
    /// Starts of Gaussian mixtures.
    Mixture = 6,
    /// Centres of the inverted file.
    Index = 7,
    /// Simulated data.
    Data = 8,
    /// Groups of cells that are left out in turn.
    Folds = 9,
    /// Members of a consensus.
    Members = 10,
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// The lower half of 64 bits.
const LOW: u64 = 0xFFFF_FFFF;
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// The bijection: four words out for every counter.
#[derive(Clone, Copy, Debug)]
pub struct Philox {
    key: [u32; 2],
    purpose: u32,
}

impl Philox {
    /// Of a seed and a purpose.
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            purpose: purpose as u32,
        }
    }

    /// The two words of the key and the purpose, for kernels that draw the same numbers.
    pub(crate) fn words(&self) -> [u32; 3] {
        [self.key[0], self.key[1], self.purpose]
    }

    /// 128 random bits for the place `(round, index)` of this purpose's stream.
    #[inline(always)]
    pub fn block(&self, round: u32, index: u64) -> [u32; 4] {
        // In 64 bits each: a product is then one multiplication and no shuffle, also side by side.
        let mut c = [index & LOW, index >> 32, round.into(), self.purpose.into()];
        let mut k = self.key;
        for _ in 0..10 {
            let p0 = u64::from(MULTIPLIERS[0]) * (c[0] & LOW);
            let p1 = u64::from(MULTIPLIERS[1]) * (c[2] & LOW);
            let [k0, k1] = k.map(u64::from);
            c = [
                (p1 >> 32) ^ c[1] ^ k0,
                p1 & LOW,
                (p0 >> 32) ^ c[3] ^ k1,
                p0 & LOW,
            ];
            k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
        }
        c.map(|word| word as u32)
    }

    /// The blocks `index`, `index + 1`, ... side by side: `out[w][l]` is word w of block `index + l`. A loop over slices,
    /// which vectorises; over arrays it would be unrolled first.
    #[inline(always)]
    pub fn blocks(&self, round: u32, index: u64, out: [&mut [u32]; 4]) {
        let [w0, w1, w2, w3] = out;
        let words = w0.iter_mut().zip(w1).zip(w2.iter_mut().zip(w3));
        for (l, ((w0, w1), (w2, w3))) in words.enumerate() {
            [*w0, *w1, *w2, *w3] = self.block(round, index.wrapping_add(l as u64));
        }
    }
}

/// Philox read one word after the other.
#[derive(Clone, Debug)]
pub struct Rng {
    philox: Philox,
    round: u32,
    index: u64,
    words: [u32; 4],
    used: usize,
}

impl Rng {
    /// The stream `round` (an epoch, a start, a run) of a purpose.
    pub fn new(seed: u64, purpose: Purpose, round: u32) -> Self {
        Self {
            philox: Philox::new(seed, purpose),
            round,
            index: 0,
            words: [0; 4],
            used: 4,
        }
    }

    /// 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.words = self.philox.block(self.round, self.index);
            self.index += 1;
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) << 32 | u64::from(self.next_u32())
    }

    /// Uniform on [0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform on [low, high).
    pub fn uniform_in(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform on 0..n, without bias. `n` must be positive.
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        // Lemire's multiplication, which rejects the few words that would favour small numbers.
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= n.wrapping_neg() % n {
                return (product >> 64) as usize;
            }
        }
    }

    /// Standard normal (Box-Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Puts the items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// A random order of 0..n.
    pub fn permutation(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_test_vectors() {
        // Random123's kat_vectors for philox4x32, 10 rounds.
        let zero = Philox {
            key: [0, 0],
            purpose: 0,
        };
        assert_eq!(
            zero.block(0, 0),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        let ones = Philox {
            key: [u32::MAX; 2],
            purpose: u32::MAX,
        };
        assert_eq!(
            ones.block(u32::MAX, u64::MAX),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
    }

    #[test]
    fn blocks_side_by_side_are_the_blocks_one_by_one() {
        let philox = Philox::new(42, Purpose::Dropout);
        let mut out = [[0u32; 8]; 4];
        philox.blocks(
            9,
            u64::from(u32::MAX) - 3,
            out.each_mut().map(|w| &mut w[..]),
        );
        for l in 0..8 {
            let one = philox.block(9, u64::from(u32::MAX) - 3 + l as u64);
            assert_eq!(one, [0, 1, 2, 3].map(|w| out[w][l]));
        }
    }

    #[test]
    fn purposes_and_rounds_are_different_streams() {
        let first = |p, r| Rng::new(7, p, r).next_u64();
        assert_ne!(first(Purpose::Init, 0), first(Purpose::Mask, 0));
        assert_ne!(first(Purpose::Init, 0), first(Purpose::Init, 1));
        assert_eq!(first(Purpose::Init, 0), first(Purpose::Init, 0));
    }

    #[test]
    fn draws_have_the_right_moments() {
        let mut rng = Rng::new(1, Purpose::Data, 0);
        let n = 100_000;
        let normal: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
        let mean = normal.iter().sum::<f64>() / n as f64;
        let var = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.02 && (var - 1.0).abs() < 0.02);
        let mut counts = [0usize; 7];
        (0..n).for_each(|_| counts[rng.below(7)] += 1);
        assert!(counts.iter().all(|&c| c.abs_diff(n / 7) < 600));
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut order = Rng::new(3, Purpose::Mask, 9).permutation(1000);
        assert!(order.windows(2).any(|w| w[0] > w[1]));
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, &v)| i as u32 == v));
    }
}
