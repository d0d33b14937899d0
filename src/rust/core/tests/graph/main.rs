//! Graphs against published ones and against brute force.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod coordinates;
mod edges;
mod embeddings;
mod reach;

use ndarray::{Array2, ArrayView2};
use spax_core::graph::{Graph, Neighbours};
use spax_core::rng::{Purpose, Rng};

fn brute_force(coords: ArrayView2<f64>, k: usize) -> Neighbours {
    let n = coords.nrows();
    let mut out = Neighbours {
        k,
        index: vec![],
        distance: vec![],
    };
    for i in 0..n {
        let squared = |j: usize| -> f64 {
            let pairs = coords.row(i).into_iter().zip(coords.row(j));
            pairs.map(|(a, b)| (a - b) * (a - b)).sum()
        };
        let mut all: Vec<(f64, u32)> = (0..n)
            .filter(|&j| j != i)
            .map(|j| (squared(j), j as u32))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        out.index.extend(all[..k].iter().map(|a| a.1));
        out.distance.extend(all[..k].iter().map(|a| a.0.sqrt()));
    }
    out
}

/// Layouts that break kd-trees, 600 cells each unless said.
fn layouts() -> Vec<(&'static str, Array2<f64>)> {
    let mut rng = Rng::new(1, Purpose::Data, 0);
    let mut draw = || rng.uniform_in(-50.0, 900.0);
    let uniform = Array2::from_shape_simple_fn((600, 2), &mut draw);
    let solid = Array2::from_shape_simple_fn((600, 3), &mut draw);
    let line = Array2::from_shape_simple_fn((600, 1), &mut draw);
    let grid = |f: fn(usize) -> [f64; 2]| Array2::from_shape_fn((600, 2), |(i, a)| f(i)[a]);
    vec![
        ("square grid", grid(|i| [(i % 25) as f64, (i / 25) as f64])),
        (
            "hexagonal grid",
            grid(|i| {
                [
                    (2 * (i % 25) + i / 25 % 2) as f64,
                    (i / 25) as f64 * 3f64.sqrt(),
                ]
            }),
        ),
        (
            "ten columns",
            Array2::from_shape_fn((600, 2), |(i, a)| {
                if a == 0 {
                    (i % 10) as f64
                } else {
                    line[[i, 0]]
                }
            }),
        ),
        (
            "a column",
            Array2::from_shape_fn((600, 2), |(i, a)| if a == 0 { 3.0 } else { line[[i, 0]] }),
        ),
        ("a row with steps", grid(|i| [(i / 3) as f64, -1.0])),
        (
            "a slanting line",
            Array2::from_shape_fn((600, 2), |(i, a)| line[[i, 0]] * (1.0 + a as f64)),
        ),
        (
            "a line along the turned axis",
            Array2::from_shape_fn((600, 2), |(i, a)| {
                line[[i, 0]] * if a == 0 { 1f64.cos() } else { -1f64.sin() }
            }),
        ),
        (
            "each place 20 times",
            Array2::from_shape_fn((600, 2), |(i, a)| uniform[[i % 30, a]]),
        ),
        (
            "half in one place",
            Array2::from_shape_fn(
                (600, 2),
                |(i, a)| if i % 2 == 0 { 7.0 } else { uniform[[i, a]] },
            ),
        ),
        ("two places", grid(|i| [(i % 2) as f64, 0.0])),
        (
            "far from the origin",
            uniform.mapv(|x| (x * 1e3).round() / 1e3 + 1e9),
        ),
        (
            "one far outlier",
            Array2::from_shape_fn(
                (600, 2),
                |(i, a)| if i == 5 { 1e7 } else { uniform[[i, a]] },
            ),
        ),
        (
            "signed zeros",
            grid(|i| [if i % 2 == 0 { 0.0 } else { -0.0 }, (i / 4) as f64]),
        ),
        (
            "layers",
            Array2::from_shape_fn((600, 3), |(i, a)| {
                if a == 2 {
                    (i % 4) as f64 * 10.0
                } else {
                    solid[[i, a]]
                }
            }),
        ),
        (
            "a solid grid",
            Array2::from_shape_fn((600, 3), |(i, a)| [i % 8, i / 8 % 8, i / 64][a] as f64),
        ),
        ("uniform", uniform.clone()),
        ("solid", solid.clone()),
    ]
}

fn edges(graph: &Graph) -> Vec<(u32, u32)> {
    let row = |i: usize| graph.neighbours(i).iter().map(move |&j| (i as u32, j));
    (0..graph.n_nodes()).flat_map(row).collect()
}

/// L2-normalised rows: Gaussian clusters with full spread in 16 dimensions, or a curved sheet.
fn embedding(n: usize, clustered: bool) -> Array2<f32> {
    let mut rng = Rng::new(11, Purpose::Data, u32::from(clustered));
    let weights = Array2::from_shape_simple_fn((12, 16), || rng.normal());
    let mut x = Array2::zeros((n, 16));
    for mut row in x.rows_mut() {
        let (u, v, cluster) = (3.0 * rng.uniform(), 3.0 * rng.uniform(), rng.below(12));
        for a in 0..16 {
            let sheet = (u * weights[[0, a]] + v * weights[[1, a]]).sin()
                + 0.5 * (u * weights[[2, a]] - v * weights[[3, a]]).cos();
            row[a] = if clustered {
                2.0 * weights[[cluster, a]] + rng.normal()
            } else {
                sheet + 0.05 * rng.normal()
            };
        }
        let norm = row.dot(&row).sqrt();
        row /= norm;
    }
    x.mapv(|v: f64| v as f32)
}
