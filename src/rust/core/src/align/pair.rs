//! One slice onto another, from many starts (METHODS 2.2).

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::agreement::agreement;
use super::icp::{icp, Icp, Matching, Target};
use super::search::search;
use super::sides::Sides;
use super::transform::{centroid, Transform};
use crate::{progress, Error, Result};

/// How much better expression must agree at the place that it finds by itself than where closest points led.
const CLEARLY: f64 = 1.05;

/// How to bring one slice onto another.
#[derive(Clone, Debug)]
pub struct PairParams {
    /// How closest points are matched.
    pub matching: Matching,
    /// The fractions of points that count, to be tried one after another in place of `matching.keep`; more than one
    /// needs features to choose by.
    pub keeps: Vec<f64>,
    /// The turns to start from, in radians, each about the middle of the slice, which is laid on the middle of the
    /// other.
    pub starts: Vec<f64>,
    /// Which side up the slice may be laid.
    pub sides: Sides,
    /// Spots lie on each other within this distance.
    pub reach: f64,
    /// Two results are as good as each other if their mean distances differ by less than this fraction.
    pub near_equal: f64,
}

/// A slice: the spots to align by, and what is known of them.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// All its spots.
    pub spots: &'a [[f64; 2]],
    /// Those to align by.
    pub chosen: &'a [u32],
    /// Spots x features: expression, in the same columns for both slices.
    pub features: Option<ArrayView2<'a, f64>>,
}

impl Side<'_> {
    fn points(&self) -> Vec<[f64; 2]> {
        self.chosen
            .iter()
            .map(|&i| self.spots[i as usize])
            .collect()
    }
}

/// One place that closest points led to.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// What brings the slice there.
    pub transform: Transform,
    /// Mean distance of the points that count.
    pub mean: f64,
    /// The fraction of points that counted.
    pub keep: f64,
    /// Correlation of the features of spots that lie on each other.
    pub agreement: Option<f64>,
}

/// How one slice lies best on another.
#[derive(Clone, Debug)]
pub struct Paired {
    /// The place that is taken.
    pub best: Candidate,
    /// Another place as good by the distances, if there is one and nothing but distances could be asked.
    pub rival: Option<Candidate>,
}

/// Brings `source` onto `target`: closest points from every start, the least mean distance; of near-equal results the
/// one whose features agree best, where features are given.
///
/// # Errors
/// No spots to align by.
pub fn align_pair(source: Side, target: Side, params: &PairParams) -> Result<Paired> {
    let points = few(source.points());
    let goal = Target::new(target.points())?;
    let mut candidates: Vec<Candidate> = Vec::new();
    for &keep in &params.keeps {
        for found in near_equal(&points, &goal, keep, params)? {
            if is_new(&found, &candidates, &points) {
                candidates.push(found);
            }
        }
    }
    let (Some(&first), rival) = (candidates.first(), candidates.get(1).copied()) else {
        return Err(Error::Internal("no share of points to align by".into()));
    };
    let chosen = best_agreement(source, target, &candidates, params.reach)?;
    let mut best = chosen.unwrap_or(first);
    best.transform = settled(source, &goal, &best, params)?;
    if let Some(elsewhere) = better_place(source, target, &best, params)? {
        best = elsewhere;
    }
    let rival = rival.filter(|_| chosen.is_none());
    Ok(Paired { best, rival })
}

/// The place that expression finds by itself, if the features agree clearly better there than where closest points led:
/// the outlines then do not show the same piece of tissue. Closest points are the more exact where they do.
fn better_place(
    source: Side,
    target: Side,
    found: &Candidate,
    params: &PairParams,
) -> Result<Option<Candidate>> {
    if params.keeps.len() < 2 || params.starts.len() < 2 {
        return Ok(None);
    }
    let there = search(source, target, &params.starts, params.sides, params.reach)?;
    let Some(transform) = there else {
        return Ok(None);
    };
    let scored = |transform: &Transform| agreement(source, target, transform, params.reach);
    let (Some(here), Some(there)) = (scored(&found.transform)?, scored(&transform)?) else {
        return Ok(None);
    };
    let better = there.score() > CLEARLY * here.score();
    Ok(better.then_some(Candidate {
        transform,
        mean: f64::NAN,
        keep: there.share,
        agreement: Some(there.correlation),
    }))
}

/// Where closest points lead from every start: the least mean distance and those near it, each once.
fn near_equal(
    points: &[[f64; 2]],
    goal: &Target,
    keep: f64,
    params: &PairParams,
) -> Result<Vec<Candidate>> {
    let matching = Matching {
        keep,
        ..params.matching
    };
    let ticket = progress::current();
    let found = starts(points, goal.points(), params)
        .par_iter()
        .map(|start| ticket.within(|| icp(points, goal, start, &matching)))
        .collect::<Result<Vec<Icp>>>()?;
    let mut sorted: Vec<&Icp> = found.iter().collect();
    sorted.sort_by(|a, b| a.mean.total_cmp(&b.mean));
    let limit = sorted.first().map_or(0.0, |f| f.mean) * (1.0 + params.near_equal);
    let mut kept: Vec<Candidate> = Vec::new();
    for icp in sorted.into_iter().take_while(|f| f.mean <= limit) {
        let candidate = Candidate {
            transform: icp.transform,
            mean: icp.mean,
            keep,
            agreement: None,
        };
        if is_new(&candidate, &kept, points) {
            kept.push(candidate);
        }
    }
    Ok(kept)
}

fn is_new(candidate: &Candidate, others: &[Candidate], points: &[[f64; 2]]) -> bool {
    others
        .iter()
        .all(|o| !same_place(&o.transform, &candidate.transform, points))
}

/// The candidate whose features agree best, a little less for one that lays few spots on others. None without features.
fn best_agreement(
    source: Side,
    target: Side,
    candidates: &[Candidate],
    reach: f64,
) -> Result<Option<Candidate>> {
    let mut best: Option<(f64, Candidate)> = None;
    for candidate in candidates {
        let Some(found) = agreement(source, target, &candidate.transform, reach)? else {
            return Ok(None);
        };
        let score = found.score();
        if best.as_ref().is_none_or(|b| score > b.0) {
            let agreement = Some(found.correlation);
            best = Some((
                score,
                Candidate {
                    agreement,
                    ..*candidate
                },
            ));
        }
    }
    Ok(best.map(|b| b.1))
}

/// Points to search with; all of them only settle what was found.
const SEARCHED: usize = 2000;

fn few(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let step = points.len().div_ceil(SEARCHED).max(1);
    points.into_iter().step_by(step).collect()
}

/// What was found with some points, once more with all.
fn settled(
    source: Side,
    goal: &Target,
    found: &Candidate,
    params: &PairParams,
) -> Result<Transform> {
    if source.chosen.len() <= SEARCHED {
        return Ok(found.transform);
    }
    let matching = Matching {
        keep: found.keep,
        ..params.matching
    };
    Ok(icp(&source.points(), goal, &found.transform, &matching)?.transform)
}

fn starts(source: &[[f64; 2]], target: &[[f64; 2]], params: &PairParams) -> Vec<Transform> {
    let (centre, goal) = (centroid(source), centroid(target));
    let to_origin = Transform::translation([-centre[0], -centre[1]]);
    let to_goal = Transform::translation(goal);
    let turned = |side: Transform| {
        let turn = move |&angle: &f64| {
            to_origin
                .then(&side)
                .then(&Transform::rotation(angle))
                .then(&to_goal)
        };
        params.starts.iter().map(turn).collect::<Vec<_>>()
    };
    params.sides.each().into_iter().flat_map(turned).collect()
}

/// Whether two transforms take the points to places closer to each other than a tenth of the spread of the points.
fn same_place(a: &Transform, b: &Transform, points: &[[f64; 2]]) -> bool {
    let middle = centroid(points);
    let square = |p: [f64; 2], q: [f64; 2]| (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2);
    let spread: f64 = points.iter().map(|&p| square(p, middle)).sum();
    let apart: f64 = points.iter().map(|p| square(a.apply(p), b.apply(p))).sum();
    apart <= 0.01 * spread * a.scale().powi(2)
}
