//! From slice after slice to one stack (METHODS 1.4, 2.2).

use super::transform::Transform;

/// `steps[s - 1]` brings slice `s` onto slice `s - 1` as it was given. Returns what brings each slice, the first included, into the frame of the first.
pub fn to_first(steps: &[Transform]) -> Vec<Transform> {
    let mut all = vec![Transform::identity()];
    for (before, step) in steps.iter().enumerate() {
        all.push(step.then(&all[before]));
    }
    all
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
