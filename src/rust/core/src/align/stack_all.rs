//! All slices of a stack, each onto the one before it, in the frame of the first.

use ndarray::{Array2, ArrayView2};

use super::expression::expression;
use super::grid::Grid;
use super::icp::Target;
use super::outline::Outline;
use super::paste_stack::{paste_samples, Sample};
use super::residual::{residual, Residual};
use super::slice::Slice;
use super::stack::{heights, micrometre, to_first};
use super::step::{Pair, Step, REACH};
use super::transform::Transform;
use super::units::{Scale, Units};
use super::verdict::{problem, Problem};
use crate::slices::Slices;
use crate::sparse::CountsView;
use crate::{progress, Error, Result};

/// What slices are aligned by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Closest points of their outlines.
    Icp,
    /// Transport between their spots.
    Paste,
    /// Nothing: they stay where they lie.
    Still,
}

/// Whether a slice may be turned over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// No.
    Never,
    /// The better side counts, or without features the nearer one.
    Allowed,
    /// If its features then agree clearly better.
    Auto,
}

/// How to align a stack.
#[derive(Clone, Debug)]
pub struct Params {
    /// What slices are aligned by.
    pub method: Method,
    /// Which spots are aligned by.
    pub outline: Outline,
    /// Stop when the mean distance changes by less than this part of the spacing of the first slice.
    pub tolerance: f64,
    /// Rounds at most, from each start.
    pub rounds: usize,
    /// The fractions of points that count, the nearest ones; of several, features choose one.
    pub keeps: Vec<f64>,
    /// How many turns to start from, evenly around; 1 starts from the slice as it lies.
    pub starts: usize,
    /// Whether slices may be turned over.
    pub mirror: Mirror,
    /// Whether lengths are brought to the unit of the first slice.
    pub scale: Scale,
    /// Micrometres from each slice to the next.
    pub gaps: Vec<f64>,
    /// Micrometres between neighbouring spots; None: as [`micrometre`] takes it.
    pub spot_distance: Option<f64>,
}

/// The cells of a stack: n x 2 coordinates, slices in their order, and what was counted in the cells.
#[derive(Clone, Copy)]
pub struct Stack<'a> {
    /// Places, n x 2.
    pub coords: ArrayView2<'a, f64>,
    /// The slice of each cell.
    pub slices: &'a Slices,
    /// What features are made from; None: only places count.
    pub counts: Option<CountsView<'a>>,
}

/// One slice in the frame of the first.
#[derive(Clone, Debug)]
pub struct Placed {
    /// From this slice to the first.
    pub transform: Transform,
    /// How its spots lie.
    pub grid: Grid,
    /// How it lies on the slice before it; None for the first.
    pub pair: Option<Report>,
}

/// How a slice lies on the one before it. Lengths are in spacings of the first slice.
#[derive(Clone, Debug)]
pub struct Report {
    /// As the slices were given.
    pub before: Residual,
    /// As they lie now.
    pub after: Residual,
    /// Mean distance of the spots that were aligned by.
    pub outline: Option<f64>,
    /// How the features of spots that lie on each other agree.
    pub agreement: Option<f64>,
    /// What one chance alignment in twenty exceeds.
    pub chance: Option<f64>,
    /// How the features agree for the other side of the slice.
    pub other_side: Option<f64>,
    /// Another place that the spots cannot tell from this one, as a transform from this slice to the first.
    pub rival: Option<Transform>,
    /// Against the slice before it, once scaled.
    pub units: Units,
    /// What a user should know, or nothing.
    pub problem: Option<Problem>,
}

/// A stack in one frame.
#[derive(Clone, Debug)]
pub struct Aligned {
    /// n x 3, in units of the first slice.
    pub coords: Array2<f64>,
    /// One a slice.
    pub slices: Vec<Placed>,
}

/// Aligns the slices of a stack, each to the one before it.
///
/// # Errors
/// Slices with fewer than 3 cells or all their cells in one place; PASTE without counts; a cancelled run.
pub fn align_stack(stack: &Stack, params: &Params) -> Result<Aligned> {
    let features = match stack.counts {
        Some(counts) if params.method != Method::Still => {
            Some(expression(&counts, stack.coords, stack.slices)?)
        }
        _ => None,
    };
    let slices = slices_of(stack, features.as_ref(), params.outline)?;
    let steps = steps(&slices, samples(stack, params)?.as_deref(), params)?;
    let moves: Vec<Transform> = steps.iter().map(|s| s.transform).collect();
    let transforms = to_first(&moves);
    let placed = (0..slices.len())
        .map(|at| {
            let pair = match at {
                0 => None,
                _ => Some(report(&slices, &transforms, &steps[at - 1], at)?),
            };
            Ok(Placed {
                transform: transforms[at],
                grid: slices[at].grid,
                pair,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Aligned {
        coords: moved(stack, &placed, params),
        slices: placed,
    })
}

fn slices_of(stack: &Stack, features: Option<&Array2<f64>>, which: Outline) -> Result<Vec<Slice>> {
    let features = features.map(Array2::view);
    stack
        .slices
        .cells()
        .iter()
        .map(|cells| {
            let rows: Vec<usize> = cells.iter().map(|&c| c as usize).collect();
            Slice::new(stack.coords, &rows, features, which)
        })
        .collect()
}

fn samples(stack: &Stack, params: &Params) -> Result<Option<Vec<Sample>>> {
    match (params.method, stack.counts) {
        (Method::Paste, Some(counts)) => {
            paste_samples(&counts, stack.coords, stack.slices).map(Some)
        }
        (Method::Paste, None) => Err(Error::Internal("PASTE without counts".into())),
        _ => Ok(None),
    }
}

fn steps(slices: &[Slice], samples: Option<&[Sample]>, params: &Params) -> Result<Vec<Step>> {
    let shown = progress::stage("align", slices.len().saturating_sub(1));
    (1..slices.len())
        .map(|at| {
            let pair = Pair {
                source: &slices[at],
                target: &slices[at - 1],
                samples: samples.map(|s| (&s[at], &s[at - 1])),
                params,
            };
            let step = pair.step();
            shown.advance(1);
            step
        })
        .collect()
}

/// Of one slice on the one before it.
fn report(slices: &[Slice], transforms: &[Transform], step: &Step, at: usize) -> Result<Report> {
    let unit = slices[0].grid.spacing;
    let (here, before) = (&slices[at], &slices[at - 1]);
    let (now, onto) = (&transforms[at], &transforms[at - 1]);
    let reach = REACH * unit;
    let given = residual(&here.spots, &Target::new(before.spots.clone())?, reach);
    let target = Target::new(onto.apply_all(&before.spots))?;
    let after = residual(&now.apply_all(&here.spots), &target, reach).over(unit);
    let units = Units::new(
        (&here.grid, &here.spots),
        (&before.grid, &before.spots),
        step.transform.scale(),
    );
    Ok(Report {
        before: given.over(unit),
        after,
        outline: step.outline.map(|o| o * onto.scale() / unit),
        agreement: step.evidence.agreement,
        chance: step.evidence.chance,
        other_side: step.other_side,
        rival: step.rival.map(|r| r.then(onto)),
        units,
        problem: problem(&units, &after, &step.evidence),
    })
}

/// Every cell where its slice was placed, at the height of the slice.
fn moved(stack: &Stack, placed: &[Placed], params: &Params) -> Array2<f64> {
    let unit = placed
        .first()
        .map_or(1.0, |first| micrometre(&first.grid, params.spot_distance));
    let z = heights(&params.gaps, unit);
    let mut out = Array2::zeros((stack.coords.nrows(), 3));
    for (cell, mut row) in out.rows_mut().into_iter().enumerate() {
        let slice = stack.slices.of(cell);
        let from = [stack.coords[[cell, 0]], stack.coords[[cell, 1]]];
        let [x, y] = placed[slice].transform.apply(&from);
        row.assign(&ndarray::arr1(&[
            x,
            y,
            z.get(slice).copied().unwrap_or(0.0),
        ]));
    }
    out
}

#[cfg(test)]
mod tests;
