//! All slices of a stack, each onto the one before it, in the frame of the first.

use std::f64::consts::TAU;

use ndarray::{Array2, ArrayView2, Axis};

use super::agreement::agreement;
use super::grid::{grid_of, Grid, Lattice};
use super::icp::{Matching, Target};
use super::outline::{outline, Outline};
use super::pair::{align_pair, PairParams, Side};
use super::residual::{residual, Residual};
use super::stack::to_first;
use super::transform::Transform;
use crate::{progress, Result};

/// How to align a stack.
#[derive(Clone, Debug)]
pub struct Params {
    pub outline: Outline,
    /// Stop when the mean distance changes by less than this part of the spacing of the first slice.
    pub tolerance: f64,
    pub rounds: usize,
    /// The fractions of points that count, the nearest ones; of several, features choose one.
    pub keeps: Vec<f64>,
    /// How many turns to start from, evenly around; 1 starts from the slice as it lies.
    pub starts: usize,
    pub mirror: bool,
    /// What brings each slice but the first onto the one before it, where that is known: identities leave the slices where they lie.
    pub given: Option<Vec<Transform>>,
}

/// Two spots lie on each other within this many spacings.
const REACH: f64 = 1.0;
/// Results whose mean distances are this close are as good as each other.
const NEAR_EQUAL: f64 = 0.25;

/// One slice in the frame of the first.
#[derive(Clone, Debug)]
pub struct Placed {
    pub transform: Transform,
    /// To the slice before it, as the slices were given and as they lie now; None for the first. In units of the first slice.
    pub residuals: Option<(Residual, Residual)>,
    /// Mean distance of the spots that were aligned by.
    pub outline: Option<f64>,
    /// How the features of spots that lie on each other agree.
    pub agreement: Option<f64>,
    /// Another place that the spots cannot tell from this one, as a transform from this slice to the first.
    pub rival: Option<Transform>,
    pub grid: Grid,
}

/// The cells of one slice.
struct Slice {
    spots: Vec<[f64; 2]>,
    chosen: Vec<u32>,
    features: Option<Array2<f64>>,
    grid: Grid,
}

/// Aligns the slices of n x 2 `coords`, `cells[s]` the rows of slice s, each to the one before it. Grids are first brought to the spacing of the first.
///
/// # Errors
/// Slices with fewer than 3 cells or all their cells in one place; features of another number of rows.
pub fn align_stack(
    coords: ArrayView2<f64>,
    cells: &[Vec<u32>],
    features: Option<ArrayView2<f64>>,
    params: &Params,
) -> Result<Vec<Placed>> {
    let slices = cells
        .iter()
        .map(|rows| slice(coords, rows, features, params.outline))
        .collect::<Result<Vec<_>>>()?;
    let shown = progress::stage("align", slices.len().saturating_sub(1));
    let steps = slices
        .windows(2)
        .enumerate()
        .map(|(at, pair)| {
            let step = match &params.given {
                Some(steps) => given_step(&pair[1], &pair[0], steps.get(at)),
                None => step(&pair[1], &pair[0], params),
            };
            shown.advance(1);
            step
        })
        .collect::<Result<Vec<_>>>()?;
    let moves: Vec<Transform> = steps.iter().map(|s| s.transform).collect();
    let transforms = to_first(&moves);
    (0..slices.len())
        .map(|at| {
            let pairs = match at {
                0 => None,
                _ => Some((&steps[at - 1], residuals(&slices, &transforms, at)?)),
            };
            Ok(Placed {
                transform: transforms[at],
                residuals: pairs.map(|p| p.1),
                outline: pairs.and_then(|p| p.0.outline),
                agreement: pairs.and_then(|p| p.0.agreement),
                rival: pairs.and_then(|p| p.0.rival.map(|r| r.then(&transforms[at - 1]))),
                grid: slices[at].grid,
            })
        })
        .collect()
}

fn slice(
    coords: ArrayView2<f64>,
    rows: &[u32],
    features: Option<ArrayView2<f64>>,
    which: Outline,
) -> Result<Slice> {
    let rows: Vec<usize> = rows.iter().map(|&r| r as usize).collect();
    let here = coords.select(Axis(0), &rows);
    let grid = grid_of(here.view())?;
    let mut chosen = outline(here.view(), &grid, which)?;
    if chosen.len() < 3 {
        chosen = outline(here.view(), &grid, Outline::All)?;
    }
    Ok(Slice {
        spots: here.rows().into_iter().map(|r| [r[0], r[1]]).collect(),
        chosen,
        features: features.map(|f| f.select(Axis(0), &rows)),
        grid,
    })
}

/// From one slice to the one before it.
struct Step {
    transform: Transform,
    rival: Option<Transform>,
    outline: Option<f64>,
    agreement: Option<f64>,
}

fn given_step(source: &Slice, target: &Slice, transform: Option<&Transform>) -> Result<Step> {
    let transform = transform.copied().unwrap_or(Transform::identity());
    Ok(Step {
        transform,
        rival: None,
        outline: None,
        agreement: agreement(
            side(source, &source.spots),
            side(target, &target.spots),
            &transform,
            REACH * target.grid.spacing,
        )?
        .map(|a| a.correlation),
    })
}

fn step(source: &Slice, target: &Slice, params: &Params) -> Result<Step> {
    let scale = Transform::scaling(relative_scale(&source.grid, &target.grid));
    let spots = scale.apply_all(&source.spots);
    let pair = pair_params(params, target.grid.spacing, source.features.is_some());
    let found = align_pair(side(source, &spots), side(target, &target.spots), &pair)?;
    Ok(Step {
        transform: scale.then(&found.best.transform),
        rival: found.rival.map(|r| scale.then(&r.transform)),
        outline: found.best.mean.is_finite().then_some(found.best.mean),
        agreement: found.best.agreement,
    })
}

fn pair_params(params: &Params, spacing: f64, with_features: bool) -> PairParams {
    let starts = params.starts.max(1);
    PairParams {
        matching: Matching {
            tolerance: params.tolerance * spacing,
            rounds: params.rounds,
            keep: 1.0,
        },
        keeps: match with_features {
            true => params.keeps.clone(),
            false => params.keeps.iter().take(1).copied().collect(),
        },
        reach: REACH * spacing,
        starts: (0..starts)
            .map(|i| TAU * i as f64 / starts as f64)
            .collect(),
        mirror: params.mirror,
        near_equal: NEAR_EQUAL,
    }
}

fn side<'a>(slice: &'a Slice, spots: &'a [[f64; 2]]) -> Side<'a> {
    Side {
        spots,
        chosen: &slice.chosen,
        features: slice.features.as_ref().map(Array2::view),
    }
}

/// What brings the source to the spacing of the target: two grids of one platform may come in pixels of two sizes.
pub fn relative_scale(source: &Grid, target: &Grid) -> f64 {
    if source.lattice == Lattice::Irregular || source.lattice != target.lattice {
        return 1.0;
    }
    target.spacing / source.spacing
}

/// Of one slice to the one before it, as they were given and as they lie now.
fn residuals(
    slices: &[Slice],
    transforms: &[Transform],
    at: usize,
) -> Result<(Residual, Residual)> {
    let reach = REACH * slices[0].grid.spacing;
    let (here, before) = (&slices[at].spots, &slices[at - 1].spots);
    let given = residual(here, &Target::new(before.clone())?, reach);
    let target = Target::new(transforms[at - 1].apply_all(before))?;
    Ok((
        given,
        residual(&transforms[at].apply_all(here), &target, reach),
    ))
}
