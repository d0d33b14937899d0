//! Iterative closest points (METHODS 2.2).

use rayon::prelude::*;

use super::transform::{best_fit, Transform};
use crate::graph::sites::Sites;
use crate::{progress, Result};

/// How points are matched, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Matching {
    /// Stop when the mean distance changes by less, in the units of the points.
    pub tolerance: f64,
    /// Or after so many rounds.
    pub rounds: usize,
    /// The fraction of points that count, the nearest ones: below 1 for slices that overlap in part.
    pub keep: f64,
}

/// Where closest points led.
#[derive(Clone, Debug)]
pub struct Icp {
    /// From the source to the target.
    pub transform: Transform,
    /// Of each point to its nearest, before the last step, in the order of the source.
    pub distances: Vec<f64>,
    /// Mean of those that count.
    pub mean: f64,
    /// Rounds done.
    pub rounds: usize,
}

/// Moves the points of `source`, first placed by `start`, onto `target` by turns and shifts: each round pairs every
/// point with the nearest of the target and takes the best fit of the pairs. The result is `start` and then the best
/// fit of the points so placed to their last place.
///
/// # Errors
/// None but faults of the tree.
pub fn icp(
    source: &[[f64; 2]],
    target: &Target,
    start: &Transform,
    matching: &Matching,
) -> Result<Icp> {
    let placed = start.apply_all(source);
    let mut moved = placed.clone();
    let mut found = Icp {
        transform: *start,
        distances: Vec::new(),
        mean: f64::INFINITY,
        rounds: 0,
    };
    while found.rounds < matching.rounds && !moved.is_empty() {
        progress::check()?;
        let near = target.nearest(&moved);
        let weights = kept(&near, matching.keep);
        let goal: Vec<[f64; 2]> = near.iter().map(|n| target.points[n.1 as usize]).collect();
        let step = best_fit(&moved, &goal, Some(&weights));
        moved = step.apply_all(&moved);
        let mean = weighted_mean(&near, &weights);
        let change = (found.mean - mean).abs();
        found.distances = near.iter().map(|n| n.0).collect();
        (found.mean, found.rounds) = (mean, found.rounds + 1);
        if change < matching.tolerance {
            break;
        }
    }
    found.transform = start.then(&best_fit(&placed, &moved, None));
    Ok(found)
}

/// Points to be found near others.
pub struct Target {
    points: Vec<[f64; 2]>,
    sites: Sites<2>,
}

impl Target {
    /// # Errors
    /// No points.
    pub fn new(points: Vec<[f64; 2]>) -> Result<Self> {
        if points.is_empty() {
            return Err(crate::Error::coords("a slice without spots to align by"));
        }
        let sites = Sites::new(&points)?;
        Ok(Self { points, sites })
    }

    /// The points themselves.
    pub fn points(&self) -> &[[f64; 2]] {
        &self.points
    }

    /// How far the nearest point is, and which it is.
    pub fn closest(&self, point: &[f64; 2]) -> (f64, u32) {
        self.sites.closest(point)
    }

    /// The same for each of the points.
    pub fn nearest(&self, points: &[[f64; 2]]) -> Vec<(f64, u32)> {
        points
            .par_iter()
            .with_min_len(256)
            .map(|p| self.sites.closest(p))
            .collect()
    }
}

/// 1 for the nearest fraction of the points (and all as near as the last of them), 0 for the others.
fn kept(near: &[(f64, u32)], keep: f64) -> Vec<f64> {
    let mut distances: Vec<f64> = near.iter().map(|n| n.0).collect();
    let last = ((keep * near.len() as f64).ceil() as usize).clamp(1, near.len()) - 1;
    let (_, &mut limit, _) = distances.select_nth_unstable_by(last, f64::total_cmp);
    near.iter()
        .map(|n| if n.0 <= limit { 1.0 } else { 0.0 })
        .collect()
}

fn weighted_mean(near: &[(f64, u32)], weights: &[f64]) -> f64 {
    let sum: f64 = near.iter().zip(weights).map(|(n, w)| n.0 * w).sum();
    sum / weights.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const MATCHING: Matching = Matching {
        tolerance: 1e-6,
        rounds: 100,
        keep: 1.0,
    };

    fn ellipse(n: usize) -> Vec<[f64; 2]> {
        (0..n)
            .map(|i| std::f64::consts::TAU * i as f64 / n as f64)
            .map(|a| [6.0 * a.cos() + 0.5 * (3.0 * a).sin(), 3.0 * a.sin()])
            .collect()
    }

    #[test]
    fn a_small_turn_is_found_for_any_number_of_threads() {
        let points = ellipse(3000);
        let turn = Transform::rotation(0.2).then(&Transform::translation([0.3, -0.4]));
        let run = |threads| {
            crate::threads::install(threads, || {
                let target = Target::new(turn.apply_all(&points))?;
                icp(&points, &target, &Transform::identity(), &MATCHING)
            })
            .unwrap()
        };
        let found = run(1);
        assert!(
            (found.transform.angle() - 0.2).abs() < 1e-3,
            "{:?}",
            found.transform
        );
        assert_eq!(found.transform, run(3).transform);
    }

    /// Along an L, from its corner at the origin.
    fn ell(n: usize) -> Vec<[f64; 2]> {
        let corners: [[f64; 2]; 7] = [
            [0.0, 0.0],
            [12.0, 0.0],
            [12.0, 5.0],
            [7.0, 5.0],
            [7.0, 8.0],
            [0.0, 8.0],
            [0.0, 0.0],
        ];
        let sides = corners.windows(2).flat_map(|w| {
            let length = (w[1][0] - w[0][0]).abs() + (w[1][1] - w[0][1]).abs();
            let steps = (length * n as f64 / 40.0).round() as usize;
            let at = move |i: usize| {
                let t = i as f64 / steps as f64;
                [
                    w[0][0] + t * (w[1][0] - w[0][0]),
                    w[0][1] + t * (w[1][1] - w[0][1]),
                ]
            };
            (0..steps).map(at)
        });
        sides.collect()
    }

    #[test]
    fn trimming_ignores_what_the_target_lacks() {
        let whole = ell(600);
        let turn = Transform::rotation(0.1).then(&Transform::translation([0.2, 0.1]));
        let target = Target::new(turn.apply_all(&whole[..420])).unwrap();
        let error = |keep| {
            let matching = Matching { keep, ..MATCHING };
            let found = icp(&whole, &target, &Transform::identity(), &matching).unwrap();
            (found.transform.angle() - 0.1).abs()
        };
        assert!(error(0.7) < 0.5f64.to_radians(), "{}", error(0.7));
        assert!(error(1.0) > 5.0 * error(0.7));
    }

    #[test]
    fn degenerate_points_do_not_panic() {
        let cases = [
            vec![[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]],
            vec![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
            vec![[3.0, 3.0]; 5],
            vec![[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]],
        ];
        for from in &cases {
            for to in &cases {
                let target = Target::new(to.clone()).unwrap();
                let found = icp(from, &target, &Transform::rotation(1.0), &MATCHING).unwrap();
                assert!(found.mean.is_finite() && found.transform.angle().is_finite());
                assert!(!found.transform.mirrored());
            }
        }
        assert!(Target::new(Vec::new()).is_err());
    }
}
