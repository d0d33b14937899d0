//! Metrics against published values and against their formulas.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use ndarray::{Array2, ArrayView2};
use spax_core::metrics::{
    acc, adjusted_rand, chaos, completeness, dis, homogeneity, normalised_mutual_information,
    order_domains, pas, refine_labels, silhouette,
};
use spax_core::rng::{Purpose, Rng};
use spax_core::Error;

struct Published {
    values: serde_json::Value,
    coords: Array2<f64>,
    truth: Vec<u32>,
    labels: Vec<u32>,
}

fn published() -> Published {
    let values = common::json("metrics.json");
    let numbers = |value: &serde_json::Value| -> Vec<u32> {
        let each = value.as_array().unwrap().iter();
        each.map(|v| v.as_u64().unwrap() as u32).collect()
    };
    let rows = values["coords"].as_array().unwrap();
    let coords = Array2::from_shape_fn((rows.len(), 2), |(i, a)| rows[i][a].as_f64().unwrap());
    Published {
        coords,
        truth: numbers(&values["truth"]),
        labels: numbers(&values["pred"]),
        values,
    }
}

#[test]
fn metrics_are_the_published_ones() {
    let p = published();
    let (truth, labels, coords) = (&p.truth, &p.labels, p.coords.view());
    let found = [
        ("ARI", adjusted_rand(truth, labels)),
        ("NMI", normalised_mutual_information(truth, labels)),
        ("HOM", homogeneity(truth, labels)),
        ("COM", completeness(truth, labels)),
        ("ACC", acc(truth, labels)),
        ("CHAOS", chaos(labels, coords)),
        ("PAS", pas(labels, coords, 10)),
        ("DIS", dis(labels, coords)),
        ("ASW", silhouette(labels, coords, 1)),
    ];
    for (name, value) in found {
        let expected = p.values[name].as_f64().unwrap();
        assert!((value.unwrap() - expected).abs() < 1e-9, "{name}");
    }
}

#[test]
fn refined_labels_are_the_published_ones() {
    let p = published();
    let expected: Vec<u32> = p.values["refined_k10"]
        .as_array()
        .unwrap()
        .iter()
        .map(|label| label.as_str().unwrap().parse().unwrap())
        .collect();
    let refined = refine_labels(&p.labels, p.coords.view(), 10).unwrap();
    assert_eq!(refined, expected);
    assert_ne!(refined, p.labels);
}

#[test]
fn agreement_does_not_depend_on_names() {
    let p = published();
    let renamed: Vec<u32> = p.labels.iter().map(|l| 4_000_000_000 - l * 7).collect();
    for metric in [
        adjusted_rand,
        normalised_mutual_information,
        homogeneity,
        completeness,
    ] {
        let (a, b) = (
            metric(&p.truth, &p.labels).unwrap(),
            metric(&p.truth, &renamed).unwrap(),
        );
        assert!((a - b).abs() < 1e-12);
        assert!((metric(&renamed, &p.labels).unwrap() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn agreement_of_trivial_labellings_follows_scikit_learn() {
    let (one, each, two) = ([0; 4], [0, 1, 2, 3], [0, 0, 1, 1]);
    let all = |truth: &[u32], labels: &[u32]| {
        [
            adjusted_rand,
            normalised_mutual_information,
            homogeneity,
            completeness,
        ]
        .map(|metric| metric(truth, labels).unwrap())
    };
    assert_eq!(all(&one, &one), [1.0; 4]);
    assert_eq!(all(&[7], &[3]), [1.0; 4]);
    assert_eq!(all(&each, &each), [1.0; 4]);
    assert_eq!(all(&one, &each), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(all(&each, &one), [0.0, 0.0, 0.0, 1.0]);
    let split = all(&two, &each);
    assert!((split[1] - 2.0 / 3.0).abs() < 1e-12 && split[0] == 0.0);
    assert!((split[2] - 1.0).abs() < 1e-12 && (split[3] - 0.5).abs() < 1e-12);
    // By hand: 1 pair together in both, 4 in one, 3 in the other, of 15.
    let value = adjusted_rand(&[0, 0, 0, 1, 1, 2], &[0, 0, 1, 1, 2, 2]).unwrap();
    let expected = 4.0 * 3.0 / 15.0;
    assert!((value - (1.0 - expected) / (3.5 - expected)).abs() < 1e-12);
}

fn silhouette_by_definition(labels: &[u32], coords: ArrayView2<f64>) -> f64 {
    let n = labels.len();
    let domains: std::collections::BTreeSet<u32> = labels.iter().copied().collect();
    let width = |i: usize| {
        let mean = |domain: u32| {
            let others = (0..n).filter(|&j| j != i && labels[j] == domain);
            let gaps = others.map(|j| {
                let gap = &coords.row(i) - &coords.row(j);
                gap.dot(&gap).sqrt()
            });
            let (sum, count) = gaps.fold((0.0, 0.0), |(s, c), d| (s + d, c + 1.0));
            (sum / count, count)
        };
        let (own, count) = mean(labels[i]);
        let others = domains.iter().filter(|&&d| d != labels[i]);
        let nearest = others.map(|&d| mean(d).0).fold(f64::INFINITY, f64::min);
        if count == 0.0 {
            0.0
        } else {
            (nearest - own) / own.max(nearest)
        }
    };
    (0..n).map(width).sum::<f64>() / n as f64
}

fn tissue(n: usize, width: usize) -> (Vec<u32>, Array2<f64>) {
    let mut rng = Rng::new(2, Purpose::Data, 7);
    let coords = Array2::from_shape_simple_fn((n, width), || rng.uniform_in(0.0, 10.0));
    let labels = coords
        .rows()
        .into_iter()
        .map(|r| (r[0] * 0.4) as u32 * 3)
        .collect();
    (labels, coords)
}

#[test]
fn the_silhouette_follows_its_definition() {
    for width in [2, 3] {
        let (mut labels, coords) = tissue(301, width);
        labels[5] = 77;
        let found = silhouette(&labels, coords.view(), 1).unwrap();
        let expected = silhouette_by_definition(&labels, coords.view());
        assert!((found - expected).abs() < 1e-12, "{width}");
    }
}

#[test]
fn the_sampled_silhouette_is_near_the_exact_one() {
    // The same tissue with every cell thrice has nearly the same silhouette, and is too large to be measured whole.
    let (labels, coords) = tissue(12_000, 2);
    let exact = silhouette(&labels, coords.view(), 1).unwrap();
    let thrice = coords.select(
        ndarray::Axis(0),
        &(0..36_000).map(|i| i % 12_000).collect::<Vec<_>>(),
    );
    let found = silhouette(&labels.repeat(3), thrice.view(), 1).unwrap();
    assert!((found - exact).abs() < 0.01, "{found} against {exact}");
    assert_ne!(found, exact);
}

#[test]
fn chaos_leaves_out_domains_of_one_or_two() {
    // Corners of a square: a domain of four, one of two, one of one. Standard deviations by hand.
    let coords = ndarray::array![
        [0.0, 0.0],
        [0.0, 1.0],
        [1.0, 0.0],
        [1.0, 1.0],
        [9.0, 5.0],
        [9.0, 6.0],
        [5.0, 9.0]
    ];
    let deviation = |axis: usize| {
        let column = coords.column(axis);
        let mean = column.sum() / 7.0;
        (column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 7.0).sqrt()
    };
    let step = 1.0 / deviation(0).max(deviation(1));
    let found = chaos(&[0, 0, 0, 0, 1, 1, 2], coords.view()).unwrap();
    assert!((found - 4.0 * step / 7.0).abs() < 1e-12);
}

#[test]
fn a_majority_of_foreign_neighbours_must_be_strict() {
    // On a line at 0, 2, 6, 12, 20, 30.
    let coords = Array2::from_shape_fn(
        (6, 2),
        |(i, a)| if a == 0 { (i * (i + 1)) as f64 } else { 0.0 },
    );
    let labels = [0, 0, 0, 1, 1, 1];
    // Nearest two: 0 -> 1 2, 1 -> 0 2, 2 -> 1 and 0 (as far as 3), 3 -> 2 4, 4 -> 3 5, 5 -> 4 3.
    assert_eq!(pas(&labels, coords.view(), 2).unwrap(), 0.0);
    assert_eq!(
        pas(&[0, 1, 0, 1, 1, 1], coords.view(), 2).unwrap(),
        1.0 / 6.0
    );
}

#[test]
fn domains_are_numbered_along_the_tissue() {
    let (labels, coords) = tissue(500, 2);
    // Stripes along x: 0, 3, 6, 9.
    let order = order_domains(&labels, 12, coords.view()).unwrap();
    assert_eq!([order[0], order[3], order[6], order[9]], [0, 1, 2, 3]);
    let mut all = order.clone();
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..12));
    let shuffled: Vec<u32> = labels.iter().map(|l| (l + 6) % 12).collect();
    let order = order_domains(&shuffled, 12, coords.view()).unwrap();
    assert_eq!([order[6], order[9], order[0], order[3]], [0, 1, 2, 3]);
}

#[test]
fn few_cells_and_wrong_shapes_are_errors_or_finite() {
    for n in 0..5usize {
        let coords = Array2::from_shape_fn((n, 2), |(i, a)| (i * (a + 1)) as f64);
        let labels = vec![1u32; n];
        let values = [
            chaos(&labels, coords.view()),
            pas(&labels, coords.view(), 1),
            dis(&labels, coords.view()),
            silhouette(&labels, coords.view(), 1),
            adjusted_rand(&labels, &labels),
            acc(&labels, &labels),
        ];
        assert!(values
            .iter()
            .all(|v| v.as_ref().is_ok_and(|v| v.is_finite()) || v.is_err()));
        assert_eq!(
            values.iter().filter(|v| v.is_err()).count(),
            [6, 3, 1, 1, 1][n],
            "{n}"
        );
        assert_eq!(order_domains(&labels, 2, coords.view()).is_ok(), n > 0);
        assert_eq!(refine_labels(&labels, coords.view(), 1).is_ok(), n > 1);
    }
    let (labels, coords) = tissue(40, 2);
    let short = &labels[1..];
    assert!(adjusted_rand(&labels, short).is_err());
    assert!(chaos(short, coords.view()).is_err());
    assert!(pas(short, coords.view(), 3).is_err());
    assert!(silhouette(short, coords.view(), 1).is_err());
    assert!(order_domains(&labels, 2, coords.view()).is_err());
    assert_eq!(
        refine_labels(&labels, coords.view(), 40)
            .unwrap_err()
            .blamed(),
        Some("k")
    );
    let mut holes = coords.clone();
    holes[[3, 0]] = f64::NAN;
    assert!(matches!(
        chaos(&labels, holes.view()),
        Err(Error::Coords { .. })
    ));
    assert!(matches!(
        silhouette(&labels, holes.view(), 1),
        Err(Error::Coords { .. })
    ));
    let each: Vec<u32> = (0..40).collect();
    assert!(silhouette(&each, coords.view(), 1).is_err());
    let same = Array2::from_elem((40, 2), 3.0);
    assert_eq!(chaos(&labels, same.view()).unwrap(), 0.0);
    assert_eq!(silhouette(&labels, same.view(), 1).unwrap(), 0.0);
}
