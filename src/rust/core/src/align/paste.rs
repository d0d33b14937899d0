//! PASTE: fused Gromov-Wasserstein transport between two slices, and the turn and shift it implies (METHODS 2.3).
//! Zeira et al., Nature Methods 19, 567-575 (2022).

use std::f64::consts::TAU;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::sides::Sides;
use super::sinkhorn::Plan;
use super::transform::{best_fit, centroid, Transform};
use crate::dense::times_transposed;
use crate::graph::sites::squared;
use crate::{progress, Error, Result};

/// The transport problem: minimise (1 - alpha) <M, P> + alpha sum (A_ik - B_jl)^2 P_ij P_kl over plans P with uniform
/// sums.
struct Problem {
    /// Dissimilarity of expression, n x m.
    dissimilarity: Vec<f32>,
    /// Distances within the source (n x n) and the target (m x m).
    source: Vec<f32>,
    target: Vec<f32>,
    n: usize,
    m: usize,
    alpha: f32,
    /// The part of the quadratic term that no plan changes, by row and by column.
    row_squares: Vec<f32>,
    column_squares: Vec<f32>,
}

/// Settings of [`paste`].
#[derive(Clone, Copy, Debug)]
pub struct PasteParams {
    /// The weight of distances against expression.
    pub alpha: f64,
    /// The unit of the distances: that between neighbouring spots.
    pub spacing: f64,
    /// Rounds at most.
    pub rounds: usize,
    /// Turns to try first, evenly around.
    pub starts: usize,
    /// Which side up the source may be laid.
    pub sides: Sides,
}

/// A transport, as the transform that fits it best.
#[derive(Clone, Debug)]
pub struct Paste {
    /// From source to target.
    pub transform: Transform,
    /// What the plan costs.
    pub objective: f64,
    /// Rounds that it took.
    pub rounds: usize,
    /// Source x target, row-major.
    pub plan: Vec<f32>,
}

/// A plan with A P B, which gradient and objective need.
struct State {
    plan: Plan,
    product: Vec<f32>,
    objective: f64,
}

/// Stop when a round lowers the objective by less than this fraction.
const TOLERANCE: f64 = 1e-5;
/// The step of the mirror descent, in standard deviations of the gradient.
const STEP: f64 = 0.05;
/// Guesses from which the descent is run to its end.
const TRIED: usize = 2;

/// Aligns `source` to `target` by place and expression. `source_counts` and `target_counts` are spots x genes, the same
/// genes in both. Memory is that of a few n x m arrays: give samples of large slices.
///
/// # Errors
/// Fewer than 3 spots, or counts of another shape.
pub fn paste(
    source: &[[f64; 2]],
    target: &[[f64; 2]],
    source_counts: ArrayView2<f64>,
    target_counts: ArrayView2<f64>,
    params: &PasteParams,
) -> Result<Paste> {
    let fits = source_counts.nrows() == source.len() && target_counts.nrows() == target.len();
    if !fits || source_counts.ncols() != target_counts.ncols() {
        return Err(Error::Internal("counts that do not fit the spots".into()));
    }
    if source.len().min(target.len()) < 3 {
        return Err(Error::coords("a slice with fewer than 3 spots"));
    }
    let dissimilarity = kl_dissimilarity(source_counts, target_counts);
    let problem = Problem::new(dissimilarity, source, target, params);
    let poses = poses(source, target, params);
    let guesses = poses.iter().map(|pose| log_nearness(pose, target));
    let (found, rounds) = problem.solve(guesses, params.rounds)?;
    Ok(Paste {
        transform: procrustes(source, target, &found.plan, params.sides),
        objective: found.objective,
        rounds,
        plan: found.plan.values,
    })
}

/// sum_g x log(x / y) of expression profiles: counts plus 0.01, divided by their sum.
fn kl_dissimilarity(a: ArrayView2<f64>, b: ArrayView2<f64>) -> Vec<f32> {
    let (x, y) = (profiles(a), profiles(b));
    let genes = a.ncols();
    let logs: Vec<f32> = y.iter().map(|v| v.ln()).collect();
    let mut out = times_transposed(&x, &logs, genes, b.nrows());
    for (row, profile) in out.chunks_mut(b.nrows()).zip(x.chunks(genes)) {
        let own: f32 = profile.iter().map(|v| v * v.ln()).sum();
        row.iter_mut().for_each(|v| *v = own - *v);
    }
    out
}

fn profiles(counts: ArrayView2<f64>) -> Vec<f32> {
    let row = |row: ndarray::ArrayView1<f64>| {
        let total: f64 = row.iter().map(|v| v + 0.01).sum();
        row.iter()
            .map(|v| ((v + 0.01) / total) as f32)
            .collect::<Vec<_>>()
    };
    counts.rows().into_iter().flat_map(row).collect()
}

fn distances(points: &[[f64; 2]], unit: f64) -> Vec<f32> {
    let row = |p: &[f64; 2]| {
        let to = move |q: &[f64; 2]| ((p[0] - q[0]).hypot(p[1] - q[1]) / unit) as f32;
        points.iter().map(to).collect::<Vec<_>>()
    };
    points.par_iter().flat_map_iter(row).collect()
}

fn mean_squares(matrix: &[f32], n: usize) -> Vec<f32> {
    let mean = |row: &[f32]| row.iter().map(|v| f64::from(v * v)).sum::<f64>() / n as f64;
    matrix.chunks(n).map(|row| mean(row) as f32).collect()
}

/// Summed in fixed blocks.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let blocks: Vec<f64> = a
        .par_chunks(1 << 14)
        .zip(b.par_chunks(1 << 14))
        .map(|(a, b)| {
            a.iter()
                .zip(b)
                .map(|(x, y)| f64::from(*x) * f64::from(*y))
                .sum()
        })
        .collect();
    blocks.iter().sum()
}

impl Problem {
    fn new(
        dissimilarity: Vec<f32>,
        source: &[[f64; 2]],
        target: &[[f64; 2]],
        params: &PasteParams,
    ) -> Self {
        let a = distances(source, params.spacing);
        let b = distances(target, params.spacing);
        Self {
            dissimilarity,
            row_squares: mean_squares(&a, source.len()),
            column_squares: mean_squares(&b, target.len()),
            source: a,
            target: b,
            n: source.len(),
            m: target.len(),
            alpha: params.alpha as f32,
        }
    }

    /// A P B; both matrices are symmetric.
    fn product(&self, plan: &[f32]) -> Vec<f32> {
        let transposed = times_transposed(&self.target, plan, self.m, self.n);
        times_transposed(&self.source, &transposed, self.n, self.m)
    }

    fn state(&self, plan: Plan) -> State {
        let product = self.product(&plan.values);
        let objective = self.objective(&plan.values, &product);
        State {
            plan,
            product,
            objective,
        }
    }

    fn objective(&self, plan: &[f32], product: &[f32]) -> f64 {
        let alpha = f64::from(self.alpha);
        let mean = |v: &[f32]| v.iter().map(|&x| f64::from(x)).sum::<f64>() / v.len() as f64;
        let fixed = mean(&self.row_squares) + mean(&self.column_squares);
        (1.0 - alpha) * dot(&self.dissimilarity, plan) + alpha * (fixed - 2.0 * dot(product, plan))
    }

    fn gradient(&self, product: &[f32]) -> Vec<f32> {
        let alpha = self.alpha;
        let mut out = self.dissimilarity.clone();
        out.par_chunks_mut(self.m)
            .zip(product.par_chunks(self.m))
            .enumerate()
            .for_each(|(i, (row, product))| {
                for ((value, product), column) in
                    row.iter_mut().zip(product).zip(&self.column_squares)
                {
                    let bend = self.row_squares[i] + column - 2.0 * product;
                    *value = (1.0 - alpha) * *value + 2.0 * alpha * bend;
                }
            });
        out
    }

    /// The plans with the least objectives of that which knows nothing and those of the guesses.
    fn begun(&self, guesses: impl Iterator<Item = Vec<f32>>) -> Result<Vec<State>> {
        let mut best = vec![self.state(Plan::uniform(self.n, self.m))];
        for guess in guesses {
            best.push(self.state(Plan::scaled(&guess, self.n, self.m)?));
            best.sort_by(|a, b| a.objective.total_cmp(&b.objective));
            best.truncate(TRIED);
        }
        Ok(best)
    }

    /// The least objective of the descents from the best guesses.
    fn solve(
        &self,
        guesses: impl Iterator<Item = Vec<f32>>,
        rounds: usize,
    ) -> Result<(State, usize)> {
        let states = self.begun(guesses)?;
        let mut best: Option<(State, usize)> = None;
        for state in states {
            let found = self.descend(state, rounds)?;
            if best
                .as_ref()
                .is_none_or(|b| found.0.objective < b.0.objective)
            {
                best = Some(found);
            }
        }
        Ok(best.unwrap_or_else(|| (self.state(Plan::uniform(self.n, self.m)), 0)))
    }

    /// Mirror descent with an exact line search: the objective is quadratic along a line.
    fn descend(&self, mut state: State, rounds: usize) -> Result<(State, usize)> {
        for round in 1..=rounds {
            progress::check()?;
            let gradient = self.gradient(&state.product);
            let next = self.mirror_step(&state.plan, &gradient)?;
            let change: Vec<f32> = next
                .values
                .iter()
                .zip(&state.plan.values)
                .map(|(a, b)| a - b)
                .collect();
            let product = self.product(&change);
            let slope = dot(&gradient, &change);
            let bend = -2.0 * f64::from(self.alpha) * dot(&product, &change);
            let length = line_minimum(slope, bend) as f32;
            let before = state.objective;
            add(&mut state.plan.values, &change, length);
            add(&mut state.product, &product, length);
            state.objective = self.objective(&state.plan.values, &state.product);
            if before - state.objective <= TOLERANCE * before.abs() {
                return Ok((state, round));
            }
        }
        Ok((state, rounds))
    }

    fn mirror_step(&self, plan: &Plan, gradient: &[f32]) -> Result<Plan> {
        let n = gradient.len() as f64;
        let mean = gradient.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let spread = gradient
            .iter()
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum::<f64>()
            / n;
        let step = (STEP * spread.sqrt()).max(1e-12) as f32;
        let kernel: Vec<f32> = plan
            .values
            .par_iter()
            .zip(gradient)
            .map(|(p, g)| p.max(1e-30).ln() - g / step)
            .collect();
        Plan::scaled(&kernel, self.n, self.m)
    }
}

/// Where slope t + bend t^2 is least within [0, 1].
fn line_minimum(slope: f64, bend: f64) -> f64 {
    if bend > 0.0 {
        return (-slope / (2.0 * bend)).clamp(0.0, 1.0);
    }
    if slope + bend < 0.0 {
        1.0
    } else {
        0.0
    }
}

fn add(to: &mut [f32], change: &[f32], length: f32) {
    to.par_iter_mut()
        .zip(change)
        .for_each(|(t, c)| *t += length * c);
}

/// The spots of the source laid on the middle of the target, at one turn after another.
fn poses(source: &[[f64; 2]], target: &[[f64; 2]], params: &PasteParams) -> Vec<Vec<[f64; 2]>> {
    let (from, to) = (centroid(source), centroid(target));
    let laid = |side: &Transform, i: usize| {
        let turn = Transform::rotation(TAU * i as f64 / params.starts.max(1) as f64);
        Transform::translation([-from[0], -from[1]])
            .then(side)
            .then(&turn)
            .then(&Transform::translation(to))
            .apply_all(source)
    };
    let sides = params.sides.each();
    sides
        .iter()
        .flat_map(|side| (0..params.starts).map(move |i| laid(side, i)))
        .collect()
}

/// The logarithm of a plan that pairs spots near each other in this pose.
fn log_nearness(pose: &[[f64; 2]], target: &[[f64; 2]]) -> Vec<f32> {
    let middle = centroid(target);
    let spread: f64 = target.iter().map(|q| squared(q, &middle)).sum();
    // A tenth of the spread: blurred enough to feel the right turn from half the way to the next.
    let width = 0.01 * spread / target.len() as f64;
    let near = |p: &[f64; 2]| {
        let p = *p;
        target
            .iter()
            .map(move |q| (-squared(&p, q) / (2.0 * width)) as f32)
    };
    pose.par_iter().flat_map_iter(near).collect()
}

/// The turn and shift that bring every spot closest to those it is sent to, weighted by the plan.
fn procrustes(source: &[[f64; 2]], target: &[[f64; 2]], plan: &Plan, sides: Sides) -> Transform {
    let mut goals = Vec::with_capacity(source.len());
    let mut weights = Vec::with_capacity(source.len());
    for row in plan.values.chunks(plan.columns) {
        let mass: f64 = row.iter().map(|&v| f64::from(v)).sum();
        let sum = row.iter().zip(target).fold([0.0; 2], |s, (&v, q)| {
            [s[0] + f64::from(v) * q[0], s[1] + f64::from(v) * q[1]]
        });
        let mass = mass.max(f64::MIN_POSITIVE);
        goals.push([sum[0] / mass, sum[1] / mass]);
        weights.push(mass);
    }
    let error = |t: &Transform| -> f64 {
        let one = |((p, q), w): ((&[f64; 2], &[f64; 2]), &f64)| {
            let p = t.apply(p);
            w * squared(&p, q)
        };
        source.iter().zip(&goals).zip(&weights).map(one).sum()
    };
    let fit =
        |side: Transform| side.then(&best_fit(&side.apply_all(source), &goals, Some(&weights)));
    let fits = sides.each().into_iter().map(fit);
    fits.min_by(|a, b| error(a).total_cmp(&error(b)))
        .unwrap_or(Transform::identity())
}

#[cfg(test)]
mod tests;
