//! One slice onto another, from many starts (METHODS 2.2).

use std::cmp::Ordering::Equal;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::icp::{icp, Icp, Matching, Target};
use super::transform::{centroid, Transform};
use crate::Result;

/// How to bring one slice onto another.
#[derive(Clone, Debug)]
pub struct PairParams {
    pub matching: Matching,
    /// The turns to start from, in radians, each about the middle of the slice, which is laid on the middle of the other.
    pub starts: Vec<f64>,
    /// Whether the slice may be turned over.
    pub mirror: bool,
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
    pub transform: Transform,
    /// Mean distance of the points that count.
    pub mean: f64,
    /// Correlation of the features of spots that lie on each other.
    pub agreement: Option<f64>,
}

/// How one slice lies best on another.
#[derive(Clone, Debug)]
pub struct Paired {
    pub best: Candidate,
    /// Another place as good by the distances, if there is one and nothing but distances could be asked.
    pub rival: Option<Candidate>,
}

/// Brings `source` onto `target`: closest points from every start, the least mean distance; of near-equal results the one whose features
/// agree best, where features are given.
///
/// # Errors
/// No spots to align by.
pub fn align_pair(source: Side, target: Side, params: &PairParams) -> Result<Paired> {
    let points = few(source.points());
    let goal = Target::new(target.points())?;
    let from: Vec<Transform> = starts(&points, goal.points(), params);
    let found = from
        .par_iter()
        .map(|start| icp(&points, &goal, start, &params.matching))
        .collect::<Result<Vec<Icp>>>()?;
    let mut candidates = distinct(&found, &points);
    let least = candidates[0].mean;
    candidates.retain(|c| c.mean <= least * (1.0 + params.near_equal));
    for candidate in &mut candidates {
        candidate.transform = settled(source, target, candidate, params)?;
        candidate.agreement = agreement(source, target, &candidate.transform)?;
    }
    if candidates[0].agreement.is_none() {
        let rival = candidates.get(1).copied();
        return Ok(Paired {
            best: candidates[0],
            rival,
        });
    }
    candidates.sort_by(|x, y| y.agreement.partial_cmp(&x.agreement).unwrap_or(Equal));
    Ok(Paired {
        best: candidates[0],
        rival: None,
    })
}

/// Points to search with; all of them only settle what was found.
const SEARCHED: usize = 2000;

fn few(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let step = points.len().div_ceil(SEARCHED).max(1);
    points.into_iter().step_by(step).collect()
}

/// A candidate found with some points, once more with all.
fn settled(
    source: Side,
    target: Side,
    candidate: &Candidate,
    params: &PairParams,
) -> Result<Transform> {
    if source.chosen.len() <= SEARCHED {
        return Ok(candidate.transform);
    }
    let goal = Target::new(target.points())?;
    let found = icp(
        &source.points(),
        &goal,
        &candidate.transform,
        &params.matching,
    )?;
    Ok(found.transform)
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
    let mut all = turned(Transform::identity());
    if params.mirror {
        all.extend(turned(Transform::mirror()));
    }
    all
}

/// The results by mean distance, without those that lie where a better one does.
fn distinct(found: &[Icp], points: &[[f64; 2]]) -> Vec<Candidate> {
    let mut sorted: Vec<&Icp> = found.iter().collect();
    sorted.sort_by(|a, b| a.mean.total_cmp(&b.mean));
    let mut kept: Vec<Candidate> = Vec::new();
    for icp in sorted {
        if kept
            .iter()
            .all(|k| !same_place(&k.transform, &icp.transform, points))
        {
            kept.push(Candidate {
                transform: icp.transform,
                mean: icp.mean,
                agreement: None,
            });
        }
    }
    kept
}

/// Whether two transforms take the points to places closer to each other than a tenth of the spread of the points.
fn same_place(a: &Transform, b: &Transform, points: &[[f64; 2]]) -> bool {
    let middle = centroid(points);
    let square = |p: [f64; 2], q: [f64; 2]| (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2);
    let spread: f64 = points.iter().map(|&p| square(p, middle)).sum();
    let apart: f64 = points.iter().map(|p| square(a.apply(p), b.apply(p))).sum();
    apart <= 0.01 * spread * a.scale().powi(2)
}

/// The correlation of features between spots of the source and the spots of the target they lie on, over all features as they are, so that the
/// components that vary most count most. None without features.
///
/// # Errors
/// No spots in the target.
pub fn agreement(source: Side, target: Side, transform: &Transform) -> Result<Option<f64>> {
    let (Some(a), Some(b)) = (source.features, target.features) else {
        return Ok(None);
    };
    let whole = Target::new(target.spots.to_vec())?;
    let near = whole.nearest(&transform.apply_all(source.spots));
    let (mut product, mut squares_a, mut squares_b) = (0.0, 0.0, 0.0);
    for (spot, (_, other)) in near.iter().enumerate() {
        for (x, y) in a.row(spot).iter().zip(b.row(*other as usize)) {
            product += x * y;
            squares_a += x * x;
            squares_b += y * y;
        }
    }
    let scale = (squares_a * squares_b).sqrt();
    Ok(Some(if scale > 0.0 { product / scale } else { 0.0 }))
}
