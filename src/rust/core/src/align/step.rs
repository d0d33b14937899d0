//! One slice onto the one before it.

use std::f64::consts::TAU;

use super::agreement::{agreement, Agreement};
use super::icp::Matching;
use super::pair::{align_pair, PairParams};
use super::paste_stack::{paste_sample, Sample};
use super::search::search;
use super::sides::Sides;
use super::slice::Slice;
use super::stack_all::{Method, Mirror, Params};
use super::transform::Transform;
use super::verdict::{chance, Evidence, LEAST_AGREEMENT};
use crate::Result;

/// Two spots lie on each other within this many spacings.
pub(super) const REACH: f64 = 1.0;
/// Results whose mean distances are this close are as good as each other.
const NEAR_EQUAL: f64 = 0.25;
/// A slice is turned over only if its features then agree better by this factor: sections are rarely turned over, and of tissue that is nearly symmetric
/// the mirror image agrees nearly as well.
pub(super) const CLEARLY: f64 = 1.1;

/// From one slice to the one before it.
pub(super) struct Step {
    pub transform: Transform,
    pub rival: Option<Transform>,
    /// Mean distance of the spots that were aligned by.
    pub outline: Option<f64>,
    /// How the features agree where the side that was not taken would lie best.
    pub other_side: Option<f64>,
    pub evidence: Evidence,
}

/// Both slices, the source at the scale of the target.
pub(super) struct Pair<'a> {
    pub source: &'a Slice,
    pub target: &'a Slice,
    /// For PASTE.
    pub samples: Option<(&'a Sample, &'a Sample)>,
    pub params: &'a Params,
}

/// Where a method laid the scaled source.
struct Laid {
    transform: Transform,
    rival: Option<Transform>,
    outline: Option<f64>,
    agreement: Option<f64>,
}

impl Pair<'_> {
    /// What brings the source onto the target, and what speaks for it.
    pub fn step(&self) -> Result<Step> {
        let scale = self.scale();
        let spots = scale.apply_all(&self.source.spots);
        let sides = match self.params.mirror {
            Mirror::Allowed => Sides::Both,
            _ => Sides::Given,
        };
        let (laid, other) = self.compared(self.lay(&spots, sides)?, &spots)?;
        let chance = match self.params.method {
            Method::Still => None,
            _ => self.chance(&spots, &laid.transform)?,
        };
        Ok(Step {
            transform: scale.then(&laid.transform),
            rival: laid.rival.map(|r| scale.then(&r)),
            outline: laid.outline,
            other_side: other.map(|o| o.agreement),
            evidence: Evidence {
                agreement: laid.agreement,
                chance,
                mirror_better: other.is_some_and(|o| o.better),
                rival: laid.rival.is_some(),
            },
        })
    }

    /// Slices that are left where they lie are not scaled either.
    fn scale(&self) -> Transform {
        match self.params.method {
            Method::Still => Transform::identity(),
            _ => Transform::scaling(
                self.params
                    .scale
                    .factor(&self.source.grid, &self.target.grid),
            ),
        }
    }

    fn reach(&self) -> f64 {
        REACH * self.target.grid.spacing
    }

    fn lay(&self, spots: &[[f64; 2]], sides: Sides) -> Result<Laid> {
        match (self.params.method, self.samples) {
            (Method::Icp, _) => self.by_outline(spots, sides),
            (Method::Paste, Some((source, target))) => {
                let scale = self.scale().scale();
                self.found(spots, paste_sample(source, target, scale, sides)?)
            }
            _ => self.found(spots, Transform::identity()),
        }
    }

    fn by_outline(&self, spots: &[[f64; 2]], sides: Sides) -> Result<Laid> {
        let (source, target) = (
            self.source.side(spots),
            self.target.side(&self.target.spots),
        );
        let found = align_pair(source, target, &self.pair_params(sides))?;
        Ok(Laid {
            transform: found.best.transform,
            rival: found.rival.map(|r| r.transform),
            outline: found.best.mean.is_finite().then_some(found.best.mean),
            agreement: found.best.agreement,
        })
    }

    fn found(&self, spots: &[[f64; 2]], transform: Transform) -> Result<Laid> {
        Ok(Laid {
            transform,
            rival: None,
            outline: None,
            agreement: self.agreement(spots, &transform)?.map(|a| a.correlation),
        })
    }

    fn pair_params(&self, sides: Sides) -> PairParams {
        let (params, spacing) = (self.params, self.target.grid.spacing);
        let keeps = match self.source.features {
            Some(_) => params.keeps.len(),
            None => 1,
        };
        PairParams {
            matching: Matching {
                tolerance: params.tolerance * spacing,
                rounds: params.rounds,
                keep: 1.0,
            },
            keeps: params.keeps.iter().take(keeps).copied().collect(),
            reach: self.reach(),
            starts: self.starts(),
            sides,
            near_equal: NEAR_EQUAL,
        }
    }

    fn starts(&self) -> Vec<f64> {
        let n = self.params.starts.max(1);
        (0..n).map(|i| TAU * i as f64 / n as f64).collect()
    }

    fn agreement(&self, spots: &[[f64; 2]], transform: &Transform) -> Result<Option<Agreement>> {
        let (source, target) = (
            self.source.side(spots),
            self.target.side(&self.target.spots),
        );
        agreement(source, target, transform, self.reach())
    }

    fn chance(&self, spots: &[[f64; 2]], transform: &Transform) -> Result<Option<f64>> {
        let (source, target) = (
            self.source.side(spots),
            self.target.side(&self.target.spots),
        );
        chance(source, target, transform, self.reach())
    }
}

/// The side that was not taken.
#[derive(Clone, Copy)]
struct Other {
    agreement: f64,
    /// Whether its features agree better.
    better: bool,
}

impl Pair<'_> {
    /// What was found, or in its place the mirror image, where that may be and its features agree clearly better; and what of the two was not taken. Nothing is
    /// compared without features, for slices that keep their turn, or where both sides were free.
    fn compared(&self, found: Laid, spots: &[[f64; 2]]) -> Result<(Laid, Option<Other>)> {
        let (mirror, method) = (self.params.mirror, self.params.method);
        if mirror == Mirror::Allowed || method == Method::Still || self.params.starts < 2 {
            return Ok((found, None));
        }
        let there = self.by_expression(spots)?;
        let (Some(here), Some(there)) = (self.agreement(spots, &found.transform)?, there) else {
            return Ok((found, None));
        };
        if mirror == Mirror::Auto && better(&there, &here, CLEARLY) {
            let turned = self.lay(spots, Sides::Mirrored)?;
            let as_laid = self.agreement(spots, &turned.transform)?;
            if as_laid.is_some_and(|laid| better(&laid, &here, CLEARLY)) {
                let other = Other {
                    agreement: here.correlation,
                    better: false,
                };
                return Ok((turned, Some(other)));
            }
        }
        let least = match mirror {
            Mirror::Auto => 1.0,
            _ => CLEARLY,
        };
        let other = Other {
            agreement: there.correlation,
            better: better(&there, &here, least),
        };
        Ok((found, Some(other)))
    }

    /// How the mirror image agrees where expression alone would lay it.
    fn by_expression(&self, spots: &[[f64; 2]]) -> Result<Option<Agreement>> {
        let (source, target) = (
            self.source.side(spots),
            self.target.side(&self.target.spots),
        );
        let place = search(
            source,
            target,
            &self.starts(),
            Sides::Mirrored,
            self.reach(),
        )?;
        match place {
            Some(transform) => self.agreement(spots, &transform),
            None => Ok(None),
        }
    }
}

/// More spots that lie on others are not enough.
fn better(a: &Agreement, b: &Agreement, factor: f64) -> bool {
    let alike = a.correlation >= LEAST_AGREEMENT.max(b.correlation);
    alike && a.score() > factor * b.score().max(0.0)
}
