//! The draws of one epoch (METHODS 3, steps 1, 3 and 5).

use crate::gpu::kernel::Views;
use crate::gpu::{invert, Inverse, Kernels, List, Packed, PartialList, Uploaded};
use crate::nn::gather::{MovedRows, PlacedRows, Rows, TOKEN};
use crate::rng::{Purpose, Rng};

/// Who is masked and who is compared with whom in one epoch.
#[derive(Clone, Debug)]
pub struct Draws {
    /// M, in random order.
    pub masked: Vec<u32>,
    /// The row each node takes in the online view.
    pub online: Rows,
    /// The row each node takes in the target view: the token where the online view sees the node.
    pub target: Rows,
    /// Rows of M become 0 (the token of this gather) before the projector.
    pub remasked: Rows,
    /// r(i) of the contrast, for each of M.
    pub negative: Vec<u32>,
    /// Random pairs of the consistency loss, as many as M.
    pub consistency: [Vec<u32>; 2],
    /// The same on a device, where training runs on one.
    pub(super) placed: Option<PlacedDraws>,
}

impl Draws {
    /// Draws for `n` nodes in epoch `epoch`: the first floor(`rate` n) nodes of a random order are
    /// masked; of these, the share `replace` takes the features of random nodes.
    pub fn new(n: usize, rate: f64, replace: f64, seed: u64, epoch: u32) -> Self {
        let mut rng = Rng::new(seed, Purpose::Mask, epoch);
        let mut masked = rng.permutation(n);
        masked.truncate((rate * n as f64) as usize);
        let n_noise = (replace * masked.len() as f64) as usize;
        let mut order = masked.clone();
        rng.shuffle(&mut order);
        let (noise, token) = order.split_at(n_noise);
        let sources: Vec<u32> = noise.iter().map(|_| rng.below(n) as u32).collect();
        let mut rng = Rng::new(seed, Purpose::Negatives, epoch);
        let mut random = || (0..masked.len()).map(|_| rng.below(n) as u32).collect();
        let (negative, first, second) = (random(), random(), random());
        Self::from_parts(
            n,
            &masked,
            token,
            noise,
            &sources,
            negative,
            [first, second],
        )
    }

    /// Puts recorded draws together: `noise[i]` takes the features of `sources[i]`.
    pub fn from_parts(
        n: usize,
        masked: &[u32],
        token: &[u32],
        noise: &[u32],
        sources: &[u32],
        negative: Vec<u32>,
        consistency: [Vec<u32>; 2],
    ) -> Self {
        let mut online: Vec<u32> = (0..n as u32).collect();
        let mut target = vec![TOKEN; n];
        let mut remasked = online.clone();
        token.iter().for_each(|&i| online[i as usize] = TOKEN);
        for (&i, &source) in noise.iter().zip(sources) {
            online[i as usize] = source;
        }
        for &i in masked {
            target[i as usize] = i;
            remasked[i as usize] = TOKEN;
        }
        Self {
            masked: masked.to_vec(),
            online: online.into(),
            target: target.into(),
            remasked: remasked.into(),
            negative,
            consistency,
            placed: None,
        }
    }

    /// Lays out what a device needs, so that one copy takes it there.
    pub fn pack(self) -> PackedDraws {
        let n = self.online.len();
        let mut place = vec![TOKEN; n];
        for (position, &node) in self.masked.iter().enumerate() {
            place[node as usize] = position as u32;
        }
        let m = self.masked.len();
        let mut lists = Packed::default();
        lists.partial(&place, m);
        lists.partial(&self.online, n);
        let [sources, starts, targets] = &self.online.moved();
        lists.list(sources, n);
        lists.starts(starts, targets.len());
        lists.list(targets, n);
        lists.list(&self.masked, n);
        lists.list(&self.negative, n);
        pack_inverse(&mut lists, &self.negative, n);
        lists.list(&self.consistency[0], n);
        lists.list(&self.consistency[1], n);
        pack_inverse(&mut lists, &self.consistency[0], n);
        PackedDraws { draws: self, lists }
    }
}

/// Adds starts and positions of [`Inverse`].
fn pack_inverse(lists: &mut Packed, list: &[u32], n: usize) {
    let (starts, positions) = invert(list, n);
    lists.starts(&starts, list.len());
    lists.list(&positions, list.len());
}

/// Draws laid out for a device.
pub struct PackedDraws {
    draws: Draws,
    lists: Packed,
}

/// What the losses need of [`Draws`] on a device.
#[derive(Clone, Debug)]
pub struct PlacedDraws {
    /// For each node its position in M, or [`TOKEN`].
    pub place: PartialList,
    pub masked: List,
    pub negative: List,
    pub negative_at: Inverse,
    pub online: List,
    pub online_at: Inverse,
    pub target: List,
}

impl PackedDraws {
    /// The draws, with their copy on the device.
    pub fn place(self, kernels: &Kernels) -> candle_core::Result<Draws> {
        let mut lists = self.lists.upload(kernels.device())?;
        let place = lists.partial()?;
        let [target_rows, remasked_rows] = views(kernels, &place)?;
        let rows = lists.partial()?;
        let moved = MovedRows {
            sources: lists.list()?,
            starts: lists.starts()?,
            targets: lists.list()?,
        };
        let moved = (!moved.sources.is_empty()).then_some(moved);
        let still = |rows| PlacedRows { rows, moved: None };
        let mut draws = self.draws;
        draws.online = draws.online.with(PlacedRows { rows, moved });
        draws.target = draws.target.with(still(target_rows));
        draws.remasked = draws.remasked.with(still(remasked_rows));
        draws.placed = Some(PlacedDraws {
            place,
            masked: lists.list()?,
            negative: lists.list()?,
            negative_at: inverse(&mut lists)?,
            online: lists.list()?,
            target: lists.list()?,
            online_at: inverse(&mut lists)?,
        });
        Ok(draws)
    }
}

/// What [`pack_inverse`] added.
fn inverse(lists: &mut Uploaded) -> candle_core::Result<Inverse> {
    Ok(Inverse {
        starts: lists.starts()?,
        positions: lists.list()?,
    })
}

/// The rows of the target view and those before the projector, from who is masked.
fn views(kernels: &Kernels, place: &PartialList) -> candle_core::Result<[PartialList; 2]> {
    let n = place.len();
    let (mut target, mut remasked) = (kernels.indices(n)?, kernels.indices(n)?);
    Views {
        place,
        target: &mut target,
        remasked: &mut remasked,
        n,
    }
    .launch(kernels)?;
    // SAFETY: the kernel writes each of n nodes' own number, or that of the token.
    let list = |rows| unsafe { PartialList::of(rows, n) };
    Ok([list(target)?, list(remasked)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_view_sees_what_the_other_misses() {
        let draws = Draws::new(1000, 0.3, 0.05, 7, 4);
        assert_eq!(draws.masked.len(), 300);
        let replaced = (0..1000).filter(|&i| draws.online[i] != i as u32).count();
        assert!(
            (299..=300).contains(&replaced),
            "a noise node may draw itself"
        );
        let tokens = draws.online.iter().filter(|&&s| s == TOKEN).count();
        assert_eq!(tokens, 285);
        let seen = draws.target.iter().filter(|&&s| s != TOKEN).count();
        assert_eq!(seen, 300);
        assert!(draws.masked.iter().all(|&i| draws.target[i as usize] == i));
        assert_eq!(draws.negative.len(), 300);
    }

    #[test]
    fn the_same_seed_and_epoch_draw_the_same() {
        let draw = |seed, epoch| Draws::new(200, 0.5, 0.05, seed, epoch).masked;
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }
}
