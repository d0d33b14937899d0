//! Graphs against published ones and against brute force.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use ndarray::{Array2, ArrayView2};
use spax_core::graph::{
    curve_order, curve_order_within, euclidean_neighbours, inner_product_neighbours, knn_within,
    radius_within, reach, ring_scores, shared_neighbour_edges, smooth, spatial_knn, Graph,
    Neighbours, WIDEST,
};
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
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

fn inner_products_by_brute_force(
    q: ArrayView2<f32>,
    items: ArrayView2<f32>,
) -> Vec<Vec<(f64, u32)>> {
    let products = q.mapv(f64::from).dot(&items.mapv(f64::from).t());
    let row = |r: ndarray::ArrayView1<f64>| {
        let mut all: Vec<(f64, u32)> = r.iter().copied().zip(0..).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all
    };
    products.rows().into_iter().map(row).collect()
}

#[test]
fn the_most_similar_items_equal_brute_force() {
    for (n, m, k) in [
        (333, 333, 20),
        (50, 1001, 7),
        (9, 17, 17),
        (1, 1, 1),
        (130, 40, 1),
    ] {
        let items = embedding(m, true);
        let queries = if n == m {
            items.clone()
        } else {
            embedding(n, false)
        };
        let found = inner_product_neighbours(queries.view(), items.view(), k, false, 1).unwrap();
        let expected = inner_products_by_brute_force(queries.view(), items.view());
        for (i, all) in expected.iter().enumerate() {
            let best: Vec<u32> = all[..k].iter().map(|s| s.1).collect();
            assert_eq!(found.row(i), best, "{n} x {m}, query {i}");
            for (j, s) in all[..k].iter().enumerate() {
                assert!((1.0 - s.0 - found.distance[i * k + j]).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn an_item_is_left_out_of_its_own_answer_only_when_asked() {
    let x = embedding(200, true);
    let with = inner_product_neighbours(x.view(), x.view(), 10, false, 1).unwrap();
    let without = inner_product_neighbours(x.view(), x.view(), 9, true, 1).unwrap();
    for i in 0..200 {
        assert_eq!(with.row(i)[0], i as u32);
        assert_eq!(with.row(i)[1..], *without.row(i));
    }
}

#[test]
fn equal_embeddings_come_in_the_order_of_their_indices() {
    let same = Array2::from_elem((300, 16), 0.25f32);
    let found = inner_product_neighbours(same.view(), same.view(), 5, false, 1).unwrap();
    assert!((0..300).all(|i| found.row(i) == [0, 1, 2, 3, 4]));
    let found = inner_product_neighbours(same.view(), same.view(), 4, true, 1).unwrap();
    assert_eq!(found.row(2), [0, 1, 3, 4]);
    assert_eq!(found.row(299), [0, 1, 2, 3]);
    let found = euclidean_neighbours(same.view(), 4, 1).unwrap();
    assert_eq!(found.row(2), [0, 1, 3, 4]);
}

#[test]
fn euclidean_neighbours_equal_brute_force() {
    for (n, offset) in [(400, 0.0), (400, 100.0), (12, 0.0), (2, 0.0)] {
        let x = embedding(n, true).mapv(|v| v * 5.0 + offset);
        let k = 11.min(n - 1);
        let found = euclidean_neighbours(x.view(), k, 1).unwrap();
        let expected = brute_force(x.mapv(f64::from).view(), k);
        assert_eq!(found.index, expected.index, "{n} + {offset}");
        let close = found.distance.iter().zip(&expected.distance);
        assert!(close.clone().all(|(a, b)| (a - b).abs() < 1e-9));
    }
}

#[test]
fn the_inverted_file_finds_nearly_all_and_does_not_depend_on_threads() {
    // More than 30,000 rows: beyond the exact search.
    let (n, k) = (40_000, 20);
    for clustered in [true, false] {
        let x = embedding(n, clustered);
        let run = |threads| {
            spax_core::threads::install(threads, || {
                inner_product_neighbours(x.view(), x.view(), k, false, 3)
            })
        };
        let found = run(2).unwrap();
        let queries: Vec<usize> = (0..300).map(|i| i * (n / 300)).collect();
        let expected =
            inner_products_by_brute_force(x.select(ndarray::Axis(0), &queries).view(), x.view());
        let hits = |(&q, all): (&usize, &Vec<(f64, u32)>)| {
            all[..k]
                .iter()
                .filter(|s| found.row(q).contains(&s.1))
                .count()
        };
        let recall =
            queries.iter().zip(&expected).map(hits).sum::<usize>() as f64 / (300 * k) as f64;
        assert!(recall >= 0.98, "clustered = {clustered}: recall {recall}");
        if clustered {
            assert_eq!(found, run(1).unwrap());
        }
    }
}

#[test]
fn the_inverted_file_bears_collapsed_embeddings() {
    let mut x = embedding(40_000, false);
    let first = x.row(0).to_owned();
    x.rows_mut()
        .into_iter()
        .step_by(2)
        .for_each(|mut row| row.assign(&first));
    let found = inner_product_neighbours(x.view(), x.view(), 10, true, 1).unwrap();
    assert_eq!(found.row(0), [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    assert_eq!(found.row(39_998), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    let all_same = Array2::from_elem((40_000, 3), 0.5f32);
    let found = inner_product_neighbours(all_same.view(), all_same.view(), 3, false, 1).unwrap();
    assert!((0..40_000).all(|i| found.row(i) == [0, 1, 2]));
}

#[test]
fn unusable_embeddings_are_errors() {
    let x = embedding(50, true);
    for bad in [f32::NAN, f32::INFINITY, f32::MAX] {
        let mut damaged = x.clone();
        damaged[[7, 3]] = bad;
        let result = inner_product_neighbours(damaged.view(), x.view(), 5, false, 1);
        assert!(matches!(result, Err(Error::Numeric { .. })));
        let result = euclidean_neighbours(damaged.view(), 5, 1);
        assert!(matches!(result, Err(Error::Numeric { .. })));
    }
    for (k, exclude_self) in [(0, false), (51, false), (50, true), (usize::MAX, false)] {
        let result = inner_product_neighbours(x.view(), x.view(), k, exclude_self, 1);
        assert_eq!(result.unwrap_err().blamed(), Some("k"), "k = {k}");
    }
    for shape in [(0, 0), (5, 0), (0, 16)] {
        let empty = Array2::<f32>::zeros(shape);
        assert!(inner_product_neighbours(x.view(), empty.view(), 5, false, 1).is_err());
        assert!(euclidean_neighbours(empty.view(), 5, 1).is_err());
        assert!(shared_neighbour_edges(empty.view(), 5, 0.1, 1).is_err());
    }
    let narrow = Array2::<f32>::zeros((50, 3));
    assert!(inner_product_neighbours(x.view(), narrow.view(), 5, false, 1).is_err());
    let none = Array2::<f32>::zeros((0, 16));
    let found = inner_product_neighbours(none.view(), x.view(), 5, false, 1).unwrap();
    assert_eq!(found.n_rows(), 0);
}

#[test]
fn shared_neighbours_equal_the_jaccard_index_of_sets() {
    let (n, k) = (150, 12);
    let x = embedding(n, true);
    let near = brute_force(x.mapv(f64::from).view(), k - 1);
    let set = |i: usize| -> std::collections::HashSet<u32> {
        near.row(i).iter().copied().chain([i as u32]).collect()
    };
    for prune in [0.0, 1.0 / 15.0, 0.3] {
        let edges = shared_neighbour_edges(x.view(), k, prune, 1).unwrap();
        let mut expected = Vec::new();
        for i in 0..n {
            for j in i + 1..n {
                let (a, b) = (set(i), set(j));
                let jaccard = a.intersection(&b).count() as f32 / a.union(&b).count() as f32;
                if jaccard > prune {
                    expected.push((i as u32, j as u32, jaccard));
                }
            }
        }
        assert!(!expected.is_empty());
        let ends = edges.from.iter().zip(&edges.to).zip(&edges.weight);
        assert!(ends.map(|((&f, &t), &w)| (f, t, w)).eq(expected));
    }
}

#[test]
fn smoothing_averages_over_the_nearest_cells() {
    let coords = layouts().remove(0).1;
    let x = embedding(600, true);
    let near = brute_force(coords.view(), 6);
    let nearest = spatial_knn(coords.view(), 6).unwrap();
    let once = smooth(x.view(), &nearest, 1).unwrap();
    for i in 0..600 {
        for a in 0..16 {
            let others = near.row(i).iter().map(|&j| f64::from(x[[j as usize, a]]));
            let mean = (others.sum::<f64>() + f64::from(x[[i, a]])) / 7.0;
            assert!((f64::from(once[[i, a]]) - mean).abs() < 1e-6);
        }
    }
    let twice = smooth(x.view(), &nearest, 2).unwrap();
    assert_eq!(twice, smooth(once.view(), &nearest, 1).unwrap());
    assert!(smooth(x.slice(ndarray::s![1.., ..]), &nearest, 1).is_err());
}

/// Squares of 6 x 6 cells of a grid with a level of their own in each of three columns, and noise on top.
fn squares(noise: f64) -> (Array2<f64>, Array2<f32>) {
    let mut rng = Rng::new(3, Purpose::Data, 0);
    let side = 36;
    let levels = Array2::from_shape_simple_fn((36, 3), || rng.normal());
    let coords = Array2::from_shape_fn((side * side, 2), |(i, a)| [i / side, i % side][a] as f64);
    let x = Array2::from_shape_fn((side * side, 3), |(i, a)| {
        let square = i / side / 6 * 6 + i % side / 6;
        (levels[[square, a]] + noise * rng.normal()) as f32
    });
    (coords, x)
}

/// The nearest of each cell, and the cells along the curve.
fn surroundings(coords: ArrayView2<f64>, k: usize) -> (Neighbours, Vec<u32>) {
    let near = spatial_knn(coords, k).unwrap();
    (near, curve_order(coords).unwrap())
}

/// What a line through the cells outside a region makes of those inside: the mean log-likelihood, times two.
fn line_score(x: &[f64], mean: &[f64], inside: &[bool]) -> f64 {
    let of = |wanted: bool| (0..x.len()).filter(move |&i| inside[i] == wanted);
    let n = of(false).count() as f64;
    let average = |v: &[f64]| of(false).map(|i| v[i]).sum::<f64>() / n;
    let (cx, cm) = (average(x), average(mean));
    let across: f64 = of(false).map(|i| (x[i] - cx) * (mean[i] - cm)).sum();
    let slope = across / of(false).map(|i| (mean[i] - cm).powi(2)).sum::<f64>();
    let left = |i: usize| (x[i] - cx - slope * (mean[i] - cm)).powi(2);
    let variance = of(false).map(left).sum::<f64>() / n;
    let misfit = of(true).map(left).sum::<f64>() / of(true).count() as f64;
    -variance.ln() - misfit / variance
}

#[test]
fn scores_of_one_column_are_those_of_a_line() {
    let (coords, x) = squares(1.0);
    let n = x.nrows();
    let (near, order) = surroundings(coords.view(), WIDEST);
    let brute = brute_force(coords.view(), WIDEST);
    let own: Vec<f64> = x.column(0).iter().map(|&v| f64::from(v)).collect();
    let centre = own.iter().sum::<f64>() / n as f64;
    let variance = own.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / n as f64;
    let scores = ring_scores(x.slice(ndarray::s![.., ..1]), &near, &order).unwrap();
    assert_eq!(scores.len(), 9);
    for (k, scores) in scores {
        let of_cell = |i| {
            brute.row(i)[..k]
                .iter()
                .map(|&j| own[j as usize])
                .sum::<f64>()
                / k as f64
        };
        let mean: Vec<f64> = (0..n).map(of_cell).collect();
        assert_eq!(scores.len(), 10);
        for (region, cells) in order.chunks(n.div_ceil(10)).enumerate() {
            let mut inside = vec![false; n];
            cells.iter().for_each(|&cell| inside[cell as usize] = true);
            // The column is scaled first; the ridge of 1e-6 is all that differs.
            let expected = line_score(&own, &mean, &inside) + variance.ln();
            assert!((scores[region] - expected).abs() < 1e-4, "{k} {region}");
        }
    }
}

#[test]
fn scores_rank_rings_alike_however_columns_are_mixed() {
    let (coords, x) = squares(1.0);
    let (near, order) = surroundings(coords.view(), WIDEST);
    let mixed = Array2::from_shape_fn(x.dim(), |(i, a)| match a {
        0 => 100.0 * x[[i, 1]] - 7.0,
        1 => 0.1 * x[[i, 0]] + 0.2 * x[[i, 1]],
        _ => x[[i, 2]] - x[[i, 0]],
    });
    let plain = ring_scores(x.view(), &near, &order).unwrap();
    let mixed = ring_scores(mixed.view(), &near, &order).unwrap();
    // The scale of the columns adds the same to all.
    let added = mixed[0].1[0] - plain[0].1[0];
    for (a, b) in plain.iter().zip(&mixed) {
        for (p, m) in a.1.iter().zip(&b.1) {
            assert!((m - p - added).abs() < 1e-3, "{a:?} {b:?}");
        }
    }
}

#[test]
fn noise_widens_the_reach() {
    let found: Vec<usize> = [0.1, 1.5, 4.0]
        .iter()
        .map(|&noise| {
            let (coords, x) = squares(noise);
            let (near, order) = surroundings(coords.view(), WIDEST);
            reach(x.view(), &near, &order).unwrap()
        })
        .collect();
    assert_eq!(found[0], 6);
    assert!(found[1] > found[0] && found[2] >= found[1], "{found:?}");
}

/// With as many columns as noise has here, a regression judged on its own cells finds the widest rings best.
#[test]
fn chance_does_not_widen_the_reach() {
    let mut rng = Rng::new(5, Purpose::Data, 0);
    let coords = Array2::from_shape_fn((324, 2), |(i, a)| [i / 18, i % 18][a] as f64);
    let (near, order) = surroundings(coords.view(), WIDEST);
    let x = Array2::from_shape_simple_fn((324, 20), || rng.normal() as f32);
    assert!(reach(x.view(), &near, &order).unwrap() < 12);
}

#[test]
fn the_reach_takes_columns_that_repeat_or_are_constant_and_few_cells() {
    let (coords, x) = squares(1.0);
    let (near, order) = surroundings(coords.view(), WIDEST);
    let found = |x: &Array2<f32>| reach(x.view(), &near, &order).unwrap();
    let odd = Array2::from_shape_fn((x.nrows(), 5), |(i, a)| match a {
        3 => x[[i, 0]],
        4 => 2.0,
        _ => x[[i, a]],
    });
    assert_eq!(found(&odd), found(&x));
    assert_eq!(found(&Array2::zeros(x.dim())), 6);
    // The mean over four neighbours of a chequerboard is nearly constant.
    found(&Array2::from_shape_fn((x.nrows(), 1), |(i, _)| {
        ((i / 36 + i % 36) % 2) as f32
    }));
    let few = |n: usize, k: usize| {
        let (near, order) = surroundings(coords.slice(ndarray::s![..n, ..]), k);
        reach(x.slice(ndarray::s![..n, ..]), &near, &order).unwrap()
    };
    assert_eq!(few(4, 3), 3);
    assert_eq!(few(6, 5), 5);
    assert_eq!(few(7, 6), 6);
    assert!(few(9, 8) <= 8);
    assert!(few(25, 24) <= 24);
    assert!(reach(x.slice(ndarray::s![1.., ..]), &near, &order).is_err());
}

#[test]
fn the_reach_is_the_same_for_any_number_of_threads() {
    let coords = Array2::from_shape_fn((9000, 2), |(i, a)| [i / 90, i % 90][a] as f64);
    let mut rng = Rng::new(8, Purpose::Data, 0);
    let x = Array2::from_shape_simple_fn((9000, 5), || rng.normal() as f32);
    let (near, order) = surroundings(coords.view(), WIDEST);
    let scores =
        |n| spax_core::threads::install(n, || ring_scores(x.view(), &near, &order)).unwrap();
    let one = scores(1);
    assert_eq!(scores(2), one);
    assert_eq!(scores(4), one);
}

/// Two slices that lie on each other, their cells by turns.
#[test]
fn within_slices_each_is_as_if_alone() {
    let coords = layouts().remove(0).1;
    let slices = Slices::new((0..600).map(|i| (i % 3 == 1) as u32).collect()).unwrap();
    let near = knn_within(coords.view(), &slices, 6).unwrap();
    let radius = radius_within(coords.view(), &slices, 2.5).unwrap();
    let order = curve_order_within(coords.view(), &slices).unwrap();
    let mut first = 0;
    for cells in slices.cells() {
        let rows: Vec<usize> = cells.iter().map(|&c| c as usize).collect();
        let own = coords.select(ndarray::Axis(0), &rows);
        let alone = spatial_knn(own.view(), 6).unwrap();
        let inside = Graph::radius(own.view(), 2.5).unwrap();
        let named = |found: &[u32]| found.iter().map(|&i| cells[i as usize]).collect::<Vec<_>>();
        for (i, &cell) in cells.iter().enumerate() {
            assert_eq!(near.row(cell as usize), named(alone.row(i)));
            assert_eq!(
                radius.neighbours(cell as usize),
                named(inside.neighbours(i))
            );
            let at = cell as usize * 6;
            assert_eq!(near.distance[at..at + 6], alone.distance[i * 6..i * 6 + 6]);
        }
        let walk = curve_order(own.view()).unwrap();
        assert_eq!(order[first..first + cells.len()], named(&walk));
        first += cells.len();
    }
    let one = Slices::one(600);
    assert_eq!(
        knn_within(coords.view(), &one, 6).unwrap(),
        spatial_knn(coords.view(), 6).unwrap()
    );
}

#[test]
fn a_directed_graph_keeps_k_neighbours_and_its_union_is_symmetric() {
    let coords = layouts().remove(1).1;
    let directed = Graph::directed(&spatial_knn(coords.view(), 7).unwrap());
    assert!((0..600).all(|i| directed.neighbours(i).len() == 7));
    assert!(!directed.is_symmetric());
    assert!(directed.symmetric_union().is_symmetric());
    assert_eq!(
        directed.symmetric_union(),
        Graph::knn(coords.view(), 7).unwrap()
    );
}
