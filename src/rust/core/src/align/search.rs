//! Where expression says that a slice lies: turns and shifts tried one by one, for slices whose outlines do not show the same piece of tissue.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::agreement::matched;
use super::icp::Target;
use super::pair::Side;
use super::sample::even_sample;
use super::sides::{side, Sides};
use super::transform::{centroid, Transform};
use crate::{progress, Result};

/// Spots of the source that are looked at: on the grid of turns and shifts, and while the best of those are improved.
const COARSE: usize = 250;
const FINE: usize = 1500;
/// Shifts go this part of the target's extent to either side, in as many steps.
const FARTHEST: f64 = 0.5;
const STEPS: i32 = 6;
/// Places of the grid that are improved, no two beside each other.
const IMPROVED: usize = 8;
/// At least this part of the source lies on the target.
const LEAST_SHARE: f64 = 0.4;

/// A place: a turn about the middle of the source, which then lies at `shift` from the middle of the target.
#[derive(Clone, Copy, Debug)]
struct Place {
    mirrored: bool,
    angle: f64,
    shift: [f64; 2],
}

/// Both slices, seen from their middles.
struct Pair<'s, 't, 'g> {
    source: Side<'s>,
    target: &'g Target,
    features: ArrayView2<'t, f64>,
    middle: [f64; 2],
    goal: [f64; 2],
    reach: f64,
}

impl Pair<'_, '_, '_> {
    fn transform(&self, place: &Place) -> Transform {
        let to_origin = Transform::translation([-self.middle[0], -self.middle[1]]);
        let goal = [self.goal[0] + place.shift[0], self.goal[1] + place.shift[1]];
        to_origin
            .then(&side(place.mirrored))
            .then(&Transform::rotation(place.angle))
            .then(&Transform::translation(goal))
    }

    /// How well the features of these spots agree there.
    fn score(&self, spots: &[u32], place: &Place) -> f64 {
        let transform = self.transform(place);
        let near = spots.iter().filter_map(|&spot| {
            let (distance, other) = self
                .target
                .closest(&transform.apply(&self.source.spots[spot as usize]));
            (distance <= self.reach).then_some((spot, other))
        });
        let Some(features) = self.source.features else {
            return 0.0;
        };
        let found = matched(features, self.features, near, spots.len());
        if found.share < LEAST_SHARE {
            0.0
        } else {
            found.score()
        }
    }

    /// Steps to better places, smaller and smaller, down to a twentieth of the reach.
    fn improved(&self, spots: &[u32], start: Place, step: [f64; 2]) -> (f64, Place) {
        let (mut best, mut score) = (start, self.score(spots, &start));
        let [mut turn, mut shift] = step;
        while shift > 0.05 * self.reach && progress::check().is_ok() {
            let around = neighbours(&best, turn, shift);
            let found = around
                .into_iter()
                .map(|place| (self.score(spots, &place), place))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            match found {
                Some((better, place)) if better > score => (best, score) = (place, better),
                _ => (turn, shift) = (turn / 2.0, shift / 2.0),
            }
        }
        (score, best)
    }
}

fn neighbours(place: &Place, turn: f64, shift: f64) -> [Place; 6] {
    let turned = |by: f64| Place {
        angle: place.angle + by,
        ..*place
    };
    let shifted = |x: f64, y: f64| Place {
        shift: [place.shift[0] + x, place.shift[1] + y],
        ..*place
    };
    [
        turned(turn),
        turned(-turn),
        shifted(shift, 0.0),
        shifted(-shift, 0.0),
        shifted(0.0, shift),
        shifted(0.0, -shift),
    ]
}

/// The place where the features of spots that lie on each other agree best, of all `turns` (in radians) and of shifts by up to half the target's extent. None without
/// features, or where no place lays enough of the source on the target.
///
/// # Errors
/// None but faults of the tree.
pub fn search(
    source: Side,
    target: Side,
    turns: &[f64],
    sides: Sides,
    reach: f64,
) -> Result<Option<Transform>> {
    let Some(features) = target.features else {
        return Ok(None);
    };
    let goal = Target::new(target.spots.to_vec())?;
    let pair = Pair {
        source,
        target: &goal,
        features,
        middle: centroid(source.spots),
        goal: centroid(target.spots),
        reach,
    };
    let (coarse, fine) = (sample(source.spots, COARSE)?, sample(source.spots, FINE)?);
    let stride = extent(target.spots) * FARTHEST / f64::from(STEPS);
    let ticket = progress::current();
    let mut found: Vec<(f64, Place)> = places(turns, sides, stride)
        .into_par_iter()
        .map(|place| (ticket.part(|| pair.score(&coarse, &place)), place))
        .collect();
    ticket.check()?;
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let apart = [std::f64::consts::TAU / turns.len().max(1) as f64, stride];
    let step = apart.map(|a| a / 2.0);
    let best = heads(&found, apart)
        .into_par_iter()
        .map(|(_, place)| ticket.within(|| pair.improved(&fine, place, step)))
        .collect::<Vec<_>>()
        .into_iter()
        .max_by(|a, b| a.0.total_cmp(&b.0));
    ticket.check()?;
    Ok(best
        .filter(|found| found.0 > 0.0)
        .map(|found| pair.transform(&found.1)))
}

/// The best places, each with a score above those around it on the grid.
fn heads(sorted: &[(f64, Place)], apart: [f64; 2]) -> Vec<(f64, Place)> {
    let mut heads: Vec<(f64, Place)> = Vec::new();
    for found in sorted {
        if heads.len() == IMPROVED {
            break;
        }
        if heads.iter().all(|head| !beside(&head.1, &found.1, apart)) {
            heads.push(*found);
        }
    }
    heads
}

fn beside(a: &Place, b: &Place, apart: [f64; 2]) -> bool {
    let turn = (a.angle - b.angle).rem_euclid(std::f64::consts::TAU);
    let turn = turn.min(std::f64::consts::TAU - turn);
    let shift = (a.shift[0] - b.shift[0])
        .abs()
        .max((a.shift[1] - b.shift[1]).abs());
    a.mirrored == b.mirrored && turn <= 1.5 * apart[0] && shift <= 1.5 * apart[1]
}

fn places(turns: &[f64], sides: Sides, stride: f64) -> Vec<Place> {
    let steps = || -STEPS..=STEPS;
    let mut all = Vec::new();
    for &mirrored in sides.mirrored() {
        for &angle in turns {
            for (i, j) in steps().flat_map(|i| steps().map(move |j| (i, j))) {
                let shift = [f64::from(i) * stride, f64::from(j) * stride];
                all.push(Place {
                    mirrored,
                    angle,
                    shift,
                });
            }
        }
    }
    all
}

pub(super) fn sample(spots: &[[f64; 2]], most: usize) -> Result<Vec<u32>> {
    let coords = Array2::from_shape_fn((spots.len(), 2), |(i, axis)| spots[i][axis]);
    even_sample(coords.view(), most)
}

/// The longer side of the box round the points.
fn extent(points: &[[f64; 2]]) -> f64 {
    let along = |axis: usize| {
        let values = || points.iter().map(|p| p[axis]);
        values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min)
    };
    along(0).max(along(1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::f64::consts::TAU;

    /// A strip of a grid of spacing 1, whose features vary with the place in the tissue.
    fn strip(columns: std::ops::Range<i32>) -> (Vec<[f64; 2]>, Array2<f64>) {
        let spots: Vec<[f64; 2]> = columns
            .flat_map(|x| (0..24).map(move |y| [f64::from(x), f64::from(y)]))
            .collect();
        let features = Array2::from_shape_fn((spots.len(), 5), |(i, f)| {
            let [x, y] = spots[i];
            let waves = [
                x / 3.0 + 1.0,
                y / 4.0 + 2.0,
                (x + 2.0 * y) / 5.0,
                (2.0 * x - y) / 4.0,
                x * y / 40.0,
            ];
            waves[f].sin()
        });
        (spots, features)
    }

    fn slice<'a>(spots: &'a [[f64; 2]], features: &'a Array2<f64>) -> Side<'a> {
        Side {
            spots,
            chosen: &[],
            features: Some(features.view()),
        }
    }

    #[test]
    fn pieces_that_overlap_in_part_find_their_place() {
        let (target, there) = strip(0..30);
        let (piece, here) = strip(10..40);
        let turn = Transform::rotation(1.0).then(&Transform::translation([50.0, -20.0]));
        let source = turn.apply_all(&piece);
        let turns: Vec<f64> = (0..36).map(|i| TAU * f64::from(i) / 36.0).collect();
        let found = |threads| {
            crate::threads::install(threads, || {
                search(
                    slice(&source, &here),
                    slice(&target, &there),
                    &turns,
                    Sides::Given,
                    1.0,
                )
            })
            .unwrap()
            .unwrap()
        };
        let off = turn.then(&found(2));
        assert!(off.angle().abs() < 1f64.to_radians(), "{}", off.angle());
        let moved = off.apply_all(&piece);
        let far = |(a, b): (&[f64; 2], &[f64; 2])| (a[0] - b[0]).hypot(a[1] - b[1]);
        let mean = moved.iter().zip(&piece).map(far).sum::<f64>() / piece.len() as f64;
        assert!(mean < 0.5, "{mean}");
        assert_eq!(found(1).shift(), found(2).shift());
    }

    #[test]
    fn nothing_is_found_without_features() {
        let (spots, features) = strip(0..30);
        let bare = Side {
            features: None,
            ..slice(&spots, &features)
        };
        let none = search(slice(&spots, &features), bare, &[0.0], Sides::Given, 1.0).unwrap();
        assert!(none.is_none());
    }
}
