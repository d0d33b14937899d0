//! Whether an alignment can be believed (METHODS 2.4).

use super::agreement::{matched, Agreement};
use super::icp::Target;
use super::pair::Side;
use super::residual::Residual;
use super::search::sample;
use super::transform::{centroid, Transform};
use super::units::Units;
use crate::{progress, Result};

/// Turns of a slice about its middle, from where it was laid, that are taken for chance: ten degrees apart, none that
/// lays it nearly as it lies.
const CHANCE_TURNS: std::ops::RangeInclusive<i32> = 3..=33;
/// Spots that are looked at.
const LOOKED_AT: usize = 1500;
/// At least this part of the slice lies on the other there.
const LEAST_SHARE: f64 = 0.2;
/// One chance alignment in twenty may agree better than what is reported.
const LEVEL: f64 = 0.95;
/// Less of a slice on the one before is little.
const LEAST_OVERLAP: f64 = 0.5;
/// Less agreement is none, whatever chance gives.
pub(super) const LEAST_AGREEMENT: f64 = 0.1;

/// What is poor about an alignment, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Neighbours and the extent say that the slices are in different units.
    Units,
    /// Little of the slice lies on the one before.
    LittleOverlap,
    /// The features of spots that lie on each other do not agree.
    Disagrees,
    /// Nor more than they do where the slice is laid by chance.
    Chance,
    /// They agree better for the mirror image.
    MirrorImage,
    /// Another turn fits as well, and there are no features to tell.
    Rival,
}

/// How the features agree, where that could be asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    pub agreement: Option<f64>,
    pub chance: Option<f64>,
    /// Whether the mirror image, which was not taken, agrees better.
    pub mirror_better: bool,
    pub rival: bool,
}

pub(super) fn problem(units: &Units, after: &Residual, found: &Evidence) -> Option<Problem> {
    let below = |limit: f64| found.agreement.is_some_and(|a| a < limit);
    let checks = [
        (units.differ(), Problem::Units),
        (after.overlap < LEAST_OVERLAP, Problem::LittleOverlap),
        (below(LEAST_AGREEMENT), Problem::Disagrees),
        (found.chance.is_some_and(below), Problem::Chance),
        (found.mirror_better, Problem::MirrorImage),
        (found.rival, Problem::Rival),
    ];
    checks.into_iter().find(|c| c.0).map(|c| c.1)
}

/// The agreement that only one chance alignment in twenty exceeds: the slice, laid by `transform`, is turned about its
/// middle by all but small angles. None without features, or where turned so it lies on nothing.
pub(super) fn chance(
    source: Side,
    target: Side,
    transform: &Transform,
    reach: f64,
) -> Result<Option<f64>> {
    let (Some(a), Some(b)) = (source.features, target.features) else {
        return Ok(None);
    };
    let spots = sample(source.spots, LOOKED_AT)?;
    let goal = Target::new(target.spots.to_vec())?;
    let middle = centroid(&transform.apply_all(source.spots));
    let mut found = Vec::new();
    for turn in CHANCE_TURNS {
        progress::check()?;
        let turned = transform.then(&about(middle, f64::from(10 * turn).to_radians()));
        let near = spots.iter().filter_map(|&spot| {
            let (distance, other) = goal.closest(&turned.apply(&source.spots[spot as usize]));
            (distance <= reach).then_some((spot, other))
        });
        found.push(matched(a, b, near, spots.len()));
    }
    Ok(exceeded_rarely(found))
}

fn about([x, y]: [f64; 2], angle: f64) -> Transform {
    Transform::translation([-x, -y])
        .then(&Transform::rotation(angle))
        .then(&Transform::translation([x, y]))
}

fn exceeded_rarely(found: Vec<Agreement>) -> Option<f64> {
    let enough = found.into_iter().filter(|a| a.share >= LEAST_SHARE);
    let mut values: Vec<f64> = enough.map(|a| a.correlation).collect();
    values.sort_unstable_by(f64::total_cmp);
    let rank = (LEVEL * values.len() as f64).ceil() as usize;
    rank.checked_sub(1).map(|at| values[at])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use ndarray::Array2;

    const FINE: Evidence = Evidence {
        agreement: Some(0.6),
        chance: Some(0.3),
        mirror_better: false,
        rival: false,
    };

    fn found(spacing: f64, overlap: f64, evidence: Evidence) -> Option<Problem> {
        let units = Units {
            spacing,
            extent: spacing,
        };
        let after = Residual {
            mean: 0.4,
            median: 0.4,
            overlap,
        };
        problem(&units, &after, &evidence)
    }

    #[test]
    fn the_gravest_problem_is_told() {
        assert_eq!(found(1.0, 0.9, FINE), None);
        assert_eq!(found(1.0, 0.9, Evidence::default()), None);
        let wrong = Evidence {
            agreement: Some(0.25),
            mirror_better: true,
            ..FINE
        };
        assert_eq!(found(0.4, 0.4, wrong), Some(Problem::Units));
        assert_eq!(found(1.2, 0.4, wrong), Some(Problem::LittleOverlap));
        assert_eq!(found(1.2, 0.9, wrong), Some(Problem::Chance));
        let mirrored = Evidence {
            agreement: Some(0.5),
            ..wrong
        };
        assert_eq!(found(1.2, 0.9, mirrored), Some(Problem::MirrorImage));
        let none = Evidence {
            agreement: Some(0.05),
            ..mirrored
        };
        assert_eq!(found(1.2, 0.9, none), Some(Problem::Disagrees));
    }

    #[test]
    fn chance_is_high_where_any_turn_agrees_and_low_where_one_does() {
        let spots: Vec<[f64; 2]> = (0..40)
            .flat_map(|x| (0..40).map(move |y| [f64::from(x) - 19.5, f64::from(y) - 19.5]))
            .filter(|p| p[0].hypot(p[1]) < 19.0)
            .collect();
        let of = |feature: fn(&[f64; 2]) -> f64| {
            let values = Array2::from_shape_fn((spots.len(), 1), |(i, _)| feature(&spots[i]));
            let side = Side {
                spots: &spots,
                chosen: &[],
                features: Some(values.view()),
            };
            chance(side, side, &Transform::identity(), 1.0)
                .unwrap()
                .unwrap()
        };
        assert!(of(|p| p[0].hypot(p[1]) - 12.0) > 0.95);
        let layered = of(|p| p[0]);
        assert!((0.7..0.9).contains(&layered), "{layered}");
    }
}
