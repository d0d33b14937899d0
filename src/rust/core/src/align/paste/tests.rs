#![allow(clippy::unwrap_used)]

use ndarray::Array2;

use super::*;

fn problem(alpha: f32) -> (Problem, Vec<[f64; 2]>) {
    let source = [
        [0.0, 0.0],
        [1.0, 0.2],
        [2.3, 0.1],
        [0.4, 1.5],
        [1.9, 2.2],
        [3.0, 3.1],
    ];
    let turn = Transform::rotation(2.0).then(&Transform::translation([4.0, 1.0]));
    let order = [3, 5, 0, 1, 4, 2];
    let target: Vec<[f64; 2]> = order.iter().map(|&i| turn.apply(&source[i])).collect();
    let noise = |i: usize| (i as f64 * 12.9898).sin().abs() as f32;
    let params = PasteParams {
        alpha: f64::from(alpha),
        spacing: 1.0,
        rounds: 300,
        starts: 12,
        sides: Sides::Given,
    };
    let dissimilarity = (0..36).map(noise).collect();
    (
        Problem::new(dissimilarity, &source, &target, &params),
        target,
    )
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let insert = |p: Vec<usize>| (0..n).map(move |at| [&p[..at], &[n - 1], &p[at..]].concat());
    permutations(n - 1).into_iter().flat_map(insert).collect()
}

fn plan_of(order: &[usize]) -> Vec<f32> {
    let mut plan = vec![0.0; 36];
    for (i, &j) in order.iter().enumerate() {
        plan[i * 6 + j] = 1.0 / 6.0;
    }
    plan
}

/// The objective, term by term.
fn direct(problem: &Problem, plan: &[f32]) -> f64 {
    let mut sum = 0.0;
    for i in 0..6 {
        for j in 0..6 {
            sum += f64::from(
                (1.0 - problem.alpha) * problem.dissimilarity[i * 6 + j] * plan[i * 6 + j],
            );
            for k in 0..6 {
                for l in 0..6 {
                    let apart = problem.source[i * 6 + k] - problem.target[j * 6 + l];
                    sum += f64::from(
                        problem.alpha * apart * apart * plan[i * 6 + j] * plan[k * 6 + l],
                    );
                }
            }
        }
    }
    sum
}

#[test]
fn objective_and_gradient_are_those_of_the_definition() {
    let (problem, _) = problem(0.3);
    let state = problem
        .state(Plan::scaled(&(0..36).map(|i| (i as f32).cos()).collect::<Vec<_>>(), 6, 6).unwrap());
    assert!((state.objective - direct(&problem, &state.plan.values)).abs() < 1e-4);
    let gradient = problem.gradient(&state.product);
    let other = plan_of(&[1, 2, 3, 4, 5, 0]);
    let along: Vec<f32> = other
        .iter()
        .zip(&state.plan.values)
        .map(|(a, b)| a - b)
        .collect();
    let at = |t: f32| {
        let plan: Vec<f32> = state
            .plan
            .values
            .iter()
            .zip(&along)
            .map(|(p, d)| p + t * d)
            .collect();
        direct(&problem, &plan)
    };
    let numeric = (at(0.05) - at(-0.05)) / 0.1;
    assert!((dot(&gradient, &along) - numeric).abs() < 1e-3 * numeric.abs().max(1.0));
}

#[test]
fn six_points_get_the_best_of_all_permutations() {
    for alpha in [0.1, 0.5, 0.9] {
        let (problem, target) = problem(alpha);
        let source = [
            [0.0, 0.0],
            [1.0, 0.2],
            [2.3, 0.1],
            [0.4, 1.5],
            [1.9, 2.2],
            [3.0, 3.1],
        ];
        let params = PasteParams {
            alpha: f64::from(alpha),
            spacing: 1.0,
            rounds: 300,
            starts: 12,
            sides: Sides::Given,
        };
        let poses = poses(&source, &target, &params);
        let guesses = poses.iter().map(|pose| log_nearness(pose, &target));
        let (found, _) = problem.solve(guesses, 300).unwrap();
        let best = permutations(6)
            .iter()
            .map(|order| direct(&problem, &plan_of(order)))
            .fold(f64::INFINITY, f64::min);
        assert!(
            found.objective < best + 0.01 * best.abs(),
            "alpha {alpha}: {} {best}",
            found.objective
        );
    }
}

#[test]
fn kl_is_that_of_the_definition() {
    let a = ndarray::array![[1.0, 0.0, 3.0], [2.0, 2.0, 2.0]];
    let b = ndarray::array![[1.0, 0.0, 3.0], [0.0, 5.0, 1.0]];
    let found = kl_dissimilarity(a.view(), b.view());
    let profile = |row: ndarray::ArrayView1<f64>| {
        let total: f64 = row.sum() + 0.03;
        row.iter().map(|v| (v + 0.01) / total).collect::<Vec<_>>()
    };
    for i in 0..2 {
        for j in 0..2 {
            let (x, y) = (profile(a.row(i)), profile(b.row(j)));
            let direct: f64 = x.iter().zip(&y).map(|(x, y)| x * (x / y).ln()).sum();
            assert!((f64::from(found[i * 2 + j]) - direct).abs() < 1e-5);
        }
    }
}

/// A round tissue, whose outline tells no turn, with expression in stripes.
fn disc(n: usize) -> (Vec<[f64; 2]>, Array2<f64>) {
    let points: Vec<[f64; 2]> = (0..n)
        .map(|i| (10.0 * (i as f64 / n as f64).sqrt(), i as f64 * 2.399_963))
        .map(|(r, a)| [r * a.cos(), r * a.sin()])
        .collect();
    let counts = Array2::from_shape_fn((n, 8), |(i, g)| {
        let [x, y] = points[i];
        (6.0 * (-(x - 2.0 * g as f64 + 7.0).powi(2) / 8.0).exp()
            + if g == 0 { 0.3 * (y + 10.0) } else { 0.0 })
        .round()
    });
    (points, counts)
}

#[test]
fn a_turn_that_only_expression_shows_is_found_for_any_number_of_threads() {
    let (points, counts) = disc(220);
    let turn = Transform::rotation(2.1).then(&Transform::translation([30.0, -4.0]));
    let target = turn.apply_all(&points);
    let params = PasteParams {
        alpha: 0.1,
        spacing: 1.2,
        rounds: 100,
        starts: 12,
        sides: Sides::Given,
    };
    let run = |threads| {
        crate::threads::install(threads, || {
            paste(&points, &target, counts.view(), counts.view(), &params)
        })
        .unwrap()
    };
    let found = run(1);
    let off = found.transform.then(&turn.inverse());
    assert!(
        off.angle().abs() < 1f64.to_radians(),
        "{} degrees",
        off.angle().to_degrees()
    );
    assert!(found.transform.apply(&points[7])[0] - target[7][0] < 0.6);
    assert_eq!(found.plan, run(3).plan);
}

#[test]
fn impossible_input_is_refused() {
    let (points, counts) = disc(20);
    let params = PasteParams {
        alpha: 0.1,
        spacing: 1.0,
        rounds: 5,
        starts: 1,
        sides: Sides::Given,
    };
    assert!(paste(
        &points[..2],
        &points,
        counts.slice(ndarray::s![..2, ..]),
        counts.view(),
        &params
    )
    .is_err());
    assert!(paste(
        &points,
        &points[..10],
        counts.view(),
        counts.view(),
        &params
    )
    .is_err());
}
