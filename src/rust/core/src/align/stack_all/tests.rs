#![allow(clippy::unwrap_used)]

use super::super::step::CLEARLY;
use super::*;

const GENES: usize = 12;

/// A piece of tissue without symmetry, its cells on no grid; `n` before the piece was cut.
fn tissue(n: i32) -> Vec<[f64; 2]> {
    let fraction = |i: f64, by: f64| (i * by).fract();
    (0..n)
        .map(f64::from)
        .map(|i| [36.0 * fraction(i, 0.618_034), 24.0 * fraction(i, 0.414_214)])
        .filter(|p| p[0] < 24.0 || p[1] < 14.0)
        .collect()
}

/// Counts vary with the place; genes x cells as R holds them.
fn counts(spots: &[[f64; 2]]) -> (Vec<i32>, Vec<i32>, Vec<f64>) {
    let (mut p, mut i, mut x) = (vec![0], Vec::new(), Vec::new());
    for [a, b] in spots {
        for gene in 0..GENES {
            let g = gene as f64;
            let wave = ((a * (1.0 + g) + b * (4.0 - g)) / 40.0 + g).sin() + (a * b / 150.0).cos();
            i.push(gene as i32);
            x.push((20.0 * (2.5 + wave)).round());
        }
        p.push(x.len() as i32);
    }
    (p, i, x)
}

fn params(mirror: Mirror, scale: Scale) -> Params {
    Params {
        method: Method::Icp,
        outline: Outline::Rim,
        tolerance: 1e-4,
        rounds: 200,
        keeps: vec![1.0, 0.85, 0.7, 0.55],
        starts: 36,
        mirror,
        scale,
        gaps: vec![10.0],
        spot_distance: None,
    }
}

/// The tissue, and the tissue moved by `transform`, aligned.
fn aligned(transform: &Transform, params: &Params) -> Placed {
    // PASTE's time grows with the cube.
    let first = tissue(match params.method {
        Method::Paste => 400,
        _ => 1400,
    });
    let both = [first.clone(), transform.apply_all(&first)].concat();
    let (p, i, x) = counts(&[first.clone(), first].concat());
    let coords = Array2::from_shape_fn((both.len(), 2), |(i, axis)| both[i][axis]);
    let half = both.len() / 2;
    let slices = Slices::new((0..both.len()).map(|i| u32::from(i >= half)).collect()).unwrap();
    let stack = Stack {
        coords: coords.view(),
        slices: &slices,
        counts: Some(CountsView::new(&p, &i, &x, GENES).unwrap()),
    };
    let mut found = align_stack(&stack, params).unwrap();
    let [x, y, z] = [0, 1, 2].map(|axis| found.coords[[half, axis]]);
    let expected = found.slices[1]
        .transform
        .apply(&[coords[[half, 0]], coords[[half, 1]]]);
    assert_eq!(([x, y], z), (expected, 10.0));
    found.slices.remove(1)
}

fn turned() -> Transform {
    Transform::rotation(0.5).then(&Transform::translation([7.0, -3.0]))
}

#[test]
fn a_slice_that_was_not_turned_over_is_believed() {
    for mirror in [Mirror::Auto, Mirror::Never, Mirror::Allowed] {
        let found = aligned(&turned(), &params(mirror, Scale::Grids));
        let pair = found.pair.unwrap();
        assert!(!found.transform.mirrored());
        assert!(pair.after.mean < 1e-6 && pair.problem.is_none());
        let (agreement, chance) = (pair.agreement.unwrap(), pair.chance.unwrap());
        assert!(agreement > 0.99 && chance < 0.9, "{agreement} {chance}");
        assert!(pair.other_side.is_none_or(|o| o < agreement / CLEARLY));
    }
}

#[test]
fn a_flipped_slice_is_turned_over_or_not_believed() {
    let flipped = Transform::mirror().then(&turned());
    let found = aligned(&flipped, &params(Mirror::Auto, Scale::Grids));
    let pair = found.pair.unwrap();
    assert!(found.transform.mirrored());
    assert!(pair.after.mean < 1e-6 && pair.problem.is_none());
    assert!(pair.other_side.unwrap() < pair.agreement.unwrap());
    let found = aligned(&flipped, &params(Mirror::Never, Scale::Grids));
    assert!(!found.transform.mirrored());
    assert!(found.pair.unwrap().problem.is_some());
}

#[test]
fn a_slice_in_another_unit_is_scaled_or_not_believed() {
    let shrunk = turned().then(&Transform::scaling(0.4));
    let found = aligned(&shrunk, &params(Mirror::Auto, Scale::Always));
    assert!((found.transform.scale() - 2.5).abs() < 1e-6);
    let pair = found.pair.unwrap();
    assert!(pair.problem.is_none() && pair.after.mean < 1e-6);
    for scale in [Scale::Grids, Scale::Never] {
        let pair = aligned(&shrunk, &params(Mirror::Auto, scale)).pair.unwrap();
        assert_eq!(pair.problem, Some(Problem::Units));
    }
}

#[test]
fn paste_turns_a_flipped_slice_over() {
    let flipped = Transform::mirror().then(&turned());
    let paste = Params {
        method: Method::Paste,
        ..params(Mirror::Auto, Scale::Grids)
    };
    let found = aligned(&flipped, &paste);
    let pair = found.pair.unwrap();
    assert!(found.transform.mirrored() && pair.problem.is_none());
    assert!(pair.after.mean < 0.5, "{}", pair.after.mean);
}
