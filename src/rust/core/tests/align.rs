//! Alignment against recorded numbers.
#![allow(clippy::unwrap_used, clippy::needless_range_loop)]

use serde_json::Value;
use spax_core::align::{best_fit, heights, icp, Matching, Target, Transform};

fn read(name: &str) -> Value {
    let path = format!("{}/tests/conformance/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn points(value: &Value) -> Vec<[f64; 2]> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(numbers)
        .map(|p| [p[0], p[1]])
        .collect()
}

fn assert_transform(found: &Transform, expected: &Value) {
    let rows: Vec<Vec<f64>> = expected.as_array().unwrap().iter().map(numbers).collect();
    for axis in 0..2 {
        for column in 0..2 {
            assert!((found.turn()[axis][column] - rows[axis][column]).abs() < 1e-6);
        }
        assert!((found.shift()[axis] - rows[axis][2]).abs() < 1e-6);
    }
}

#[test]
fn icp_repeats_the_published_run() {
    let data = read("icp.json");
    let source = points(&data["source"]);
    let target = Target::new(points(&data["target"])).unwrap();
    let matching = Matching {
        tolerance: data["tolerance"].as_f64().unwrap(),
        rounds: data["max_iterations"].as_u64().unwrap() as usize,
        keep: 1.0,
    };
    let found = icp(&source, &target, &Transform::identity(), &matching).unwrap();
    assert_transform(&found.transform, &data["transform"]);
    assert_eq!(
        found.rounds as u64,
        data["last_iteration"].as_u64().unwrap() + 1
    );
    for (found, expected) in found.distances.iter().zip(numbers(&data["distances"])) {
        assert!((found - expected).abs() < 1e-6);
    }
}

#[test]
fn best_fit_of_pairs_repeats_the_published_one() {
    let data = read("icp.json");
    let found = best_fit(&points(&data["source"]), &points(&data["target"]), None);
    assert_transform(&found, &data["best_fit_on_pairs"]);
}

#[test]
fn heights_and_the_graph_of_a_stack_repeat_the_published_ones() {
    let data = read("stack_3d.json");
    let slices: Vec<Vec<[f64; 2]>> = data["coords"]
        .as_array()
        .unwrap()
        .iter()
        .map(points)
        .collect();
    let first =
        ndarray::Array2::from_shape_fn((slices[0].len(), 2), |(i, axis)| slices[0][i][axis]);
    let smallest = spax_core::align::grid_of(first.view()).unwrap().smallest;
    let unit = smallest / data["c2c_dist"].as_f64().unwrap();
    let z = heights(&numbers(&data["slice_dist_micron"]), unit);
    let expected: Vec<Vec<f64>> = data["loc"]
        .as_array()
        .unwrap()
        .iter()
        .map(numbers)
        .collect();
    let stack: Vec<[f64; 3]> = slices
        .iter()
        .zip(&z)
        .flat_map(|(s, &z)| s.iter().map(move |p| [p[0], p[1], z]))
        .collect();
    for (found, expected) in stack.iter().zip(&expected) {
        assert!(found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-6));
    }
    let coords = ndarray::Array2::from_shape_fn((stack.len(), 3), |(i, axis)| stack[i][axis]);
    let k = data["k"].as_u64().unwrap() as usize;
    let near = spax_core::graph::spatial_knn(coords.view(), k).unwrap();
    let mut edges: Vec<(u32, u32)> = (0..stack.len())
        .flat_map(|i| near.row(i).iter().map(move |&j| (i as u32, j)))
        .collect();
    edges.sort_unstable();
    let published: Vec<(u32, u32)> = data["edges_directed"]
        .as_array()
        .unwrap()
        .iter()
        .map(numbers)
        .map(|e| (e[0] as u32, e[1] as u32))
        .collect();
    assert_eq!(edges, published);
}
