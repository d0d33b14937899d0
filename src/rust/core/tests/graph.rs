//! Graphs against published ones and against brute force.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use ndarray::{Array2, ArrayView2};
use spax_core::graph::{curve_order, spatial_knn, Graph, Neighbours};
use spax_core::rng::{Purpose, Rng};
use spax_core::Error;

fn coords_of(value: &serde_json::Value) -> Array2<f64> {
    let rows = value.as_array().unwrap();
    let flat: Vec<f64> = rows
        .iter()
        .flat_map(|r| r.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()))
        .collect();
    Array2::from_shape_vec((rows.len(), flat.len() / rows.len()), flat).unwrap()
}

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

#[test]
fn the_spatial_graph_is_the_published_one() {
    let published = &common::json("spatial_graph.json")["random"];
    let k = published["k"].as_u64().unwrap() as usize;
    let graph = Graph::knn(coords_of(&published["coords"]).view(), k).unwrap();
    let mut expected: Vec<(u32, u32)> = published["edges_symmetric_union"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e[0].as_u64().unwrap() as u32, e[1].as_u64().unwrap() as u32))
        .collect();
    expected.sort_unstable();
    assert_eq!(edges(&graph), expected);
}

fn edges(graph: &Graph) -> Vec<(u32, u32)> {
    let row = |i: usize| graph.neighbours(i).iter().map(move |&j| (i as u32, j));
    (0..graph.n_nodes()).flat_map(row).collect()
}

#[test]
fn nearest_neighbours_equal_brute_force_on_every_layout() {
    for (name, coords) in layouts() {
        for k in [1, 6, 10, 31, 599] {
            let found = spatial_knn(coords.view(), k).unwrap();
            assert_eq!(found, brute_force(coords.view(), k), "{name}, k = {k}");
        }
    }
}

#[test]
fn the_radius_graph_equals_brute_force_on_every_layout() {
    for (name, coords) in layouts() {
        let near = brute_force(coords.view(), 599);
        for radius in [1.0, 2.0, 40.0] {
            let graph = Graph::radius(coords.view(), radius).unwrap();
            for i in 0..600 {
                let row = i * 599..(i + 1) * 599;
                let inside = near.index[row.clone()].iter().zip(&near.distance[row]);
                let mut expected: Vec<u32> =
                    inside.filter(|e| *e.1 <= radius).map(|e| *e.0).collect();
                expected.sort_unstable();
                assert_eq!(
                    graph.neighbours(i),
                    expected,
                    "{name}, cell {i}, radius {radius}"
                );
            }
        }
    }
}

#[test]
fn unusable_coordinates_are_errors() {
    let good = layouts().remove(0).1;
    for bad in [f64::NAN, f64::INFINITY, 1e200] {
        let mut coords = good.clone();
        coords[[3, 1]] = bad;
        assert!(matches!(
            spatial_knn(coords.view(), 6),
            Err(Error::Coords { .. })
        ));
        assert!(matches!(
            Graph::radius(coords.view(), 6.0),
            Err(Error::Coords { .. })
        ));
        assert!(matches!(
            curve_order(coords.view()),
            Err(Error::Coords { .. })
        ));
    }
    for shape in [(5, 0), (5, 1), (5, 4), (0, 5)] {
        let coords = Array2::zeros(shape);
        assert!(matches!(
            spatial_knn(coords.view(), 2),
            Err(Error::Coords { .. })
        ));
    }
    let same = Array2::from_elem((50, 2), 4.5);
    assert!(matches!(
        spatial_knn(same.view(), 6),
        Err(Error::Coords { .. })
    ));
    assert!(matches!(
        Graph::radius(same.view(), 6.0),
        Err(Error::Coords { .. })
    ));
    for (n, k) in [(0, 1), (1, 1), (6, 6), (6, 0), (6, usize::MAX)] {
        let coords = good.slice(ndarray::s![..n, ..]);
        let blamed = spatial_knn(coords, k).unwrap_err().blamed();
        assert_eq!(blamed, Some("k"), "{n} cells, k = {k}");
    }
    for radius in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(
            Graph::radius(good.view(), radius).unwrap_err().blamed(),
            Some("radius")
        );
    }
    assert!(Graph::radius(Array2::zeros((0, 2)).view(), 1.0).is_err());
}

#[test]
fn edges_are_sorted_single_and_without_loops() {
    let pairs = [(3, 1), (0, 2), (3, 1), (2, 2), (0, 1)];
    let graph = Graph::from_edges(4, pairs.into_iter()).unwrap();
    assert_eq!(edges(&graph), [(0, 1), (0, 2), (3, 1)]);
    let both = graph.symmetric_union();
    assert_eq!(
        edges(&both),
        [(0, 1), (0, 2), (1, 0), (1, 3), (2, 0), (3, 1)]
    );
    assert!(Graph::from_edges(4, [(0, 4)].into_iter()).is_err());
    assert_eq!(
        Graph::from_edges(0, std::iter::empty()).unwrap().n_nodes(),
        0
    );
}

#[test]
fn renaming_nodes_keeps_the_edges() {
    let coords = layouts().remove(0).1;
    let graph = Graph::knn(coords.view(), 6).unwrap();
    let order = curve_order(coords.view()).unwrap();
    let renamed = graph.permuted(&order).unwrap();
    let mut back: Vec<_> = edges(&renamed)
        .iter()
        .map(|e| (order[e.0 as usize], order[e.1 as usize]))
        .collect();
    back.sort_unstable();
    assert_eq!(back, edges(&graph));
    assert!(graph.permuted(&order[1..]).is_err());
    assert!(graph.permuted(&vec![0; 600]).is_err());
}

#[test]
fn normalisation_equals_the_dense_formula() {
    let graph = Graph::from_edges(5, [(0, 1), (0, 2), (1, 2), (3, 1)].into_iter())
        .unwrap()
        .symmetric_union();
    let mut dense = Array2::<f64>::eye(5);
    edges(&graph)
        .iter()
        .for_each(|e| dense[[e.0 as usize, e.1 as usize]] = 1.0);
    let degree = dense.sum_axis(ndarray::Axis(1));
    let normalised = graph.normalised();
    assert_eq!(normalised.nnz(), graph.n_edges() + 5);
    for i in 0..5 {
        let (columns, values) = normalised.row(i);
        assert!(columns.windows(2).all(|w| w[0] < w[1]));
        for (&j, &v) in columns.iter().zip(values) {
            let expected = dense[[i, j as usize]] / (degree[i] * degree[j as usize]).sqrt();
            assert!(expected > 0.0 && (f64::from(v) - expected).abs() < 1e-7);
        }
    }
}

#[test]
fn the_curve_visits_every_cell_once_and_stays_near() {
    for (name, coords) in layouts() {
        let order = curve_order(coords.view()).unwrap();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(
            sorted.iter().enumerate().all(|(i, &c)| i == c as usize),
            "{name}"
        );
        let median_step = |order: &[u32]| -> f64 {
            let step = |w: &[u32]| {
                let gap = &coords.row(w[0] as usize) - &coords.row(w[1] as usize);
                gap.mapv(|x| x * x).sum().sqrt()
            };
            let mut steps: Vec<f64> = order.windows(2).map(step).collect();
            steps.sort_unstable_by(f64::total_cmp);
            steps[steps.len() / 2]
        };
        let random = Rng::new(5, Purpose::Data, 1).permutation(600);
        assert!(median_step(&order) <= 0.3 * median_step(&random), "{name}");
    }
}

#[test]
fn neighbours_do_not_depend_on_the_number_of_threads() {
    for (name, coords) in layouts() {
        let run = |threads| spax_core::threads::install(threads, || spatial_knn(coords.view(), 8));
        assert_eq!(run(1).unwrap(), run(3).unwrap(), "{name}");
    }
}
