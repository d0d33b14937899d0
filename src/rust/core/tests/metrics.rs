//! Metrics against published numbers, and smoothing against the definition.
#![allow(clippy::unwrap_used)]

mod common;

use ndarray::Array2;
use serde_json::Value;
use spax_core::graph::{shared_neighbour_edges, smooth, spatial_knn};
use spax_core::metrics::{chaos, pas, refine_labels, silhouette, Contingency};
use spax_core::rng::{Purpose, Rng};

fn codes(values: &Value) -> Vec<u32> {
    let code = |v: &Value| match v.as_str() {
        Some(text) => text.parse().unwrap(),
        None => v.as_u64().unwrap() as u32,
    };
    values.as_array().unwrap().iter().map(code).collect()
}

fn coords(values: &Value) -> Array2<f64> {
    let rows = values.as_array().unwrap();
    Array2::from_shape_fn((rows.len(), 2), |(i, c)| rows[i][c].as_f64().unwrap())
}

#[test]
fn scores_are_the_published_ones() {
    let file = common::json("metrics.json");
    let (truth, found) = (codes(&file["truth"]), codes(&file["pred"]));
    let at = coords(&file["coords"]);
    let scores = Contingency::new(&truth, &found).unwrap().agreement();
    let ours = [
        ("ARI", scores.ari),
        ("NMI", scores.nmi),
        ("HOM", scores.hom),
        ("COM", scores.com),
        ("CHAOS", chaos(&found, at.view()).unwrap()),
        ("PAS", pas(&found, at.view(), 10).unwrap()),
        ("ASW", silhouette(&found, at.view()).unwrap()),
    ];
    for (name, value) in ours {
        let published = file[name].as_f64().unwrap();
        assert!(
            (value - published).abs() < 1e-6 * published.abs(),
            "{name}: {value} {published}"
        );
    }
    assert_eq!(
        refine_labels(&found, at.view(), 10).unwrap(),
        codes(&file["refined_k10"])
    );
}

#[test]
fn degenerate_labels_and_coordinates_give_numbers_or_errors() {
    let at = Array2::from_shape_fn((30, 2), |(i, c)| (i * (c + 3) % 7) as f64);
    let alone: Vec<u32> = (0..30).collect();
    assert_eq!(silhouette(&alone, at.view()).unwrap(), 0.0);
    assert!(silhouette(&[1; 30], at.view()).unwrap().is_nan());
    assert_eq!(chaos(&alone, at.view()).unwrap(), 0.0);
    assert!(pas(&alone, at.view(), 30).is_err());
    assert!(pas(&alone[..29], at.view(), 3).is_err());
    assert!(refine_labels(&alone, at.view(), 0).is_err());
}

fn random(n: usize, d: usize, seed: u32) -> Array2<f64> {
    let mut rng = Rng::new(4, Purpose::Data, seed);
    Array2::from_shape_fn((n, d), |_| rng.normal())
}

#[test]
fn smoothing_averages_a_cell_and_its_nearest() {
    let at = random(80, 2, 0);
    let x = random(80, 3, 1).mapv(|v| v as f32);
    let near = spatial_knn(at.view(), 4).unwrap();
    let once = smooth(x.view(), at.view(), 5, 1).unwrap();
    for cell in 0..80 {
        for c in 0..3 {
            let sum: f32 = near.row(cell).iter().map(|&o| x[[o as usize, c]]).sum();
            assert!((once[[cell, c]] - (sum + x[[cell, c]]) / 5.0).abs() < 1e-5);
        }
    }
    let again = smooth(once.view(), at.view(), 5, 1).unwrap();
    let twice = smooth(x.view(), at.view(), 5, 2).unwrap();
    assert_eq!(again, twice);
    assert_eq!(smooth(x.view(), at.view(), 1, 3).unwrap(), x);
}

#[test]
fn shared_neighbours_are_the_jaccard_index() {
    let (n, k) = (60, 8);
    let x = random(n, 4, 2).mapv(|v| v as f32);
    let edges = shared_neighbour_edges(x.view(), k, 1.0 / 15.0, 1).unwrap();
    let distance = |a: usize, b: usize| {
        let gap = &x.row(a) - &x.row(b);
        gap.dot(&gap)
    };
    let set = |a: usize| {
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&p, &q| distance(a, p).total_cmp(&distance(a, q)));
        order.truncate(k);
        order
    };
    let mut expected = vec![];
    for a in 0..n {
        for b in a + 1..n {
            let (sa, sb) = (set(a), set(b));
            let shared = sa.iter().filter(|m| sb.contains(m)).count() as f32;
            let weight = shared / (2.0 * k as f32 - shared);
            if weight > 1.0 / 15.0 {
                expected.push((a as u32, b as u32, weight));
            }
        }
    }
    let ours: Vec<_> = (0..edges.from.len())
        .map(|e| (edges.from[e], edges.to[e], edges.weight[e]))
        .collect();
    assert_eq!(ours, expected);
}
