//! The draws of an epoch on a device.

use super::Draws;
use crate::gpu::kernel::Views;
use crate::gpu::{invert, Inverse, Kernels, List, Packed, PartialList, Uploaded};
use crate::nn::gather::{MovedRows, PlacedRows, TOKEN};

impl Draws {
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
    /// M, the masked nodes.
    pub masked: List,
    /// A node that each is told from by the contrast; empty without one.
    pub negative: List,
    /// Where each node is such a negative.
    pub negative_at: Inverse,
    /// The same of the consistency, in the online view.
    pub online: List,
    /// Where each node is such a negative.
    pub online_at: Inverse,
    /// The same of the consistency, in the target view.
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
