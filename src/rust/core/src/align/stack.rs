//! From slice after slice to one stack (METHODS 1.4, 2.2).

use super::grid::{Grid, Lattice};
use super::transform::Transform;

/// `steps[s - 1]` brings slice `s` onto slice `s - 1` as it was given. Returns what brings each slice, the first included, into the frame of the first.
pub fn to_first(steps: &[Transform]) -> Vec<Transform> {
    let mut all = vec![Transform::identity()];
    for (before, step) in steps.iter().enumerate() {
        all.push(step.then(&all[before]));
    }
    all
}

/// Micrometres between neighbouring spots of Visium.
const VISIUM: f64 = 100.0;

/// The length of a micrometre in units of the first slice, whose neighbouring spots are `spot_distance` micrometres apart; None: a grid is taken as Visium, and
/// other coordinates as micrometres.
pub fn micrometre(first: &Grid, spot_distance: Option<f64>) -> f64 {
    match (spot_distance, first.lattice) {
        (Some(distance), _) => first.smallest / distance,
        (None, Lattice::Irregular) => 1.0,
        (None, _) => first.smallest / VISIUM,
    }
}

/// The height of each slice above the first, in units of the coordinates: the gaps summed, in micrometres, times `unit`, the length of a micrometre.
pub fn heights(gaps: &[f64], unit: f64) -> Vec<f64> {
    let mut sum = 0.0;
    let above = gaps.iter().map(|gap| {
        sum += gap;
        sum * unit
    });
    std::iter::once(0.0)
        .chain(above.collect::<Vec<_>>())
        .collect()
}
