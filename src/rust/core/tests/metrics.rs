//! Metrics against published numbers, and on degenerate input.
#![allow(clippy::unwrap_used)]

mod common;

use ndarray::Array2;
use serde_json::Value;
use spax_core::metrics::{chaos, pas, refine_labels, silhouette, Contingency};

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
