//! The draws of one epoch (METHODS 3, steps 1, 3 and 5).

mod ahead;
mod device;
mod source;

use crate::nn::gather::{Rows, TOKEN};
use crate::rng::{Purpose, Rng};

pub use device::{PackedDraws, PlacedDraws};
pub use source::DrawSource;

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
    placed: Option<PlacedDraws>,
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

    /// The copy on the device.
    pub(super) fn on_device(&self) -> candle_core::Result<&PlacedDraws> {
        match &self.placed {
            Some(placed) => Ok(placed),
            None => candle_core::bail!("draws that are not on the device"),
        }
    }
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
