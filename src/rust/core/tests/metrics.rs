//! Metrics against published numbers, and on degenerate input.
#![allow(clippy::unwrap_used)]

mod common;

use ndarray::Array2;
use serde_json::Value;
use spax_core::metrics::{chaos, lisi, pas, refine_labels, silhouette, Contingency};
use spax_core::rng::{Purpose, Rng};
use spax_core::threads;

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

/// LISI of one cell as harmony writes it: all distances sorted, the cell itself dropped, the rate of the kernel doubled
/// or halved from 1 until the entropy is right.
fn lisi_by_hand(x: &Array2<f32>, labels: &[u32], perplexity: usize, cell: usize) -> f64 {
    let gap = |j: usize| {
        let (here, there) = (x.row(cell), x.row(j));
        let gaps = here.iter().zip(there).map(|(a, b)| f64::from(a - b));
        gaps.map(|g| g * g).sum::<f64>().sqrt()
    };
    let mut near: Vec<(f64, usize)> = (0..x.nrows())
        .filter(|&j| j != cell)
        .map(|j| (gap(j), j))
        .collect();
    near.sort_by(|a, b| a.partial_cmp(b).unwrap());
    near.truncate(3 * perplexity - 1);
    let (mut rate, mut least, mut most) = (1.0f64, f64::NEG_INFINITY, f64::INFINITY);
    let mut p = vec![];
    for _ in 0..200 {
        p = near
            .iter()
            .map(|(d, _)| (-rate * d).exp())
            .collect::<Vec<_>>();
        let sum: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= sum);
        let entropy: f64 = -p.iter().map(|p| p * p.ln()).sum::<f64>();
        let excess = entropy - (perplexity as f64).ln();
        if excess.abs() < 1e-12 {
            break;
        }
        if excess > 0.0 {
            least = rate;
            rate = if most.is_finite() {
                0.5 * (rate + most)
            } else {
                2.0 * rate
            };
        } else {
            most = rate;
            rate = if least.is_finite() {
                0.5 * (rate + least)
            } else {
                0.5 * rate
            };
        }
    }
    let share = |label: u32| -> f64 {
        let mine = near
            .iter()
            .zip(&p)
            .filter(|((_, j), _)| labels[*j] == label);
        mine.map(|(_, p)| p).sum()
    };
    1.0 / (0..3).map(|label| share(label).powi(2)).sum::<f64>()
}

fn three_clouds(n: usize, spread: f64) -> (Array2<f32>, Vec<u32>) {
    let mut rng = Rng::new(3, Purpose::Init, 0);
    let labels: Vec<u32> = (0..n as u32).map(|i| i % 3).collect();
    let x = Array2::from_shape_fn((n, 4), |(i, _)| {
        (spread * f64::from(labels[i]) + 3.0 * rng.uniform()) as f32
    });
    (x, labels)
}

#[test]
fn lisi_is_that_of_all_distances() {
    let (x, labels) = three_clouds(200, 1.0);
    for perplexity in [5, 30] {
        let ours = lisi(x.view(), &labels, perplexity, 1).unwrap();
        for (cell, ours) in ours.iter().enumerate() {
            let direct = lisi_by_hand(&x, &labels, perplexity, cell);
            assert!((ours - direct).abs() < 1e-6, "{cell}: {} {direct}", ours);
        }
    }
}

#[test]
fn lisi_counts_the_labels_that_mix_whatever_the_threads() {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (apart, labels) = three_clouds(300, 100.0);
    let one = threads::install(1, || lisi(apart.view(), &labels, 20, 1)).unwrap();
    assert!(one.iter().all(|l| (l - 1.0).abs() < 1e-12));
    let (mixed, labels) = three_clouds(1500, 0.0);
    let one = threads::install(1, || lisi(mixed.view(), &labels, 30, 1)).unwrap();
    let four = threads::install(4, || lisi(mixed.view(), &labels, 30, 1)).unwrap();
    assert!(mean(&one) > 2.5, "{}", mean(&one));
    assert!(one.iter().all(|l| (1.0 - 1e-12..3.0 + 1e-12).contains(l)));
    assert_eq!(one, four);
}

#[test]
fn lisi_of_equal_points_weighs_them_equally_and_bad_input_is_refused() {
    let same = Array2::from_elem((30, 2), 1f32);
    let labels: Vec<u32> = (0..30).map(|i| i / 15).collect();
    let found = lisi(same.view(), &labels, 10, 1).unwrap();
    assert!(found.iter().all(|l| l.is_finite()));
    let (x, labels) = three_clouds(29, 1.0);
    assert!(lisi(x.view(), &labels, 10, 1).is_err());
    assert!(lisi(x.view(), &labels, 1, 1).is_err());
    assert!(lisi(x.view(), &labels[1..], 5, 1).is_err());
    assert!(lisi(Array2::from_elem((29, 2), f32::NAN).view(), &labels, 5, 1).is_err());
}
