//! Clustering through the public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ndarray::{Array2, Axis};
use spax_core::cluster::{
    consensus, count_nonempty, gaussian_mixture, kmeans, KMeansSettings, Mixture, MixtureSettings,
};
use spax_core::rng::{Purpose, Rng};

/// `n` rows around `k` centres that lie `gap` standard deviations apart, and their true groups.
fn blobs(n: usize, d: usize, k: usize, gap: f64, seed: u64) -> (Array2<f32>, Vec<u32>) {
    let mut rng = Rng::new(seed, Purpose::Data, 0);
    let truth: Vec<u32> = (0..n).map(|i| (i % k) as u32).collect();
    let x = Array2::from_shape_fn((n, d), |(i, j)| {
        let group = truth[i] as usize;
        let side = if j == 0 {
            group
        } else {
            (group >> (j - 1)) & 1
        };
        (gap * side as f64 + rng.normal()) as f32
    });
    (x, truth)
}

/// Whether two labellings divide the rows alike.
fn same_partition(a: &[u32], b: &[u32]) -> bool {
    let mut there = std::collections::HashMap::new();
    let mut back = std::collections::HashMap::new();
    a.iter()
        .zip(b)
        .all(|(x, y)| *there.entry(x).or_insert(y) == y && *back.entry(y).or_insert(x) == x)
}

fn threads_agree<T: PartialEq + Send>(work: impl Fn() -> T + Sync) -> bool {
    let on = |n| spax_core::threads::install(n, || Ok(work())).unwrap();
    let one = on(1);
    one == on(2) && one == on(4)
}

/// The rows of `x` in a random order, and which row went where.
fn shuffled(x: &Array2<f32>) -> (Array2<f32>, Vec<usize>) {
    let order = Rng::new(5, Purpose::Data, 1).permutation(x.nrows());
    let order: Vec<usize> = order.into_iter().map(|i| i as usize).collect();
    (x.select(Axis(0), &order), order)
}

#[test]
fn kmeans_finds_separated_blobs_in_any_row_order() {
    let (x, truth) = blobs(900, 3, 5, 30.0, 1);
    let fit = kmeans(x.view(), 5, &KMeansSettings::default()).unwrap();
    assert!(same_partition(&fit.labels, &truth));
    let (moved, order) = shuffled(&x);
    let again = kmeans(moved.view(), 5, &KMeansSettings::default()).unwrap();
    let back: Vec<u32> = order.iter().map(|&i| fit.labels[i]).collect();
    assert!(same_partition(&back, &again.labels));
    assert!((again.inertia / fit.inertia - 1.0).abs() < 1e-5);
}

#[test]
fn kmeans_centres_are_means_and_inertia_is_what_the_labels_give() {
    let (x, _) = blobs(3000, 4, 6, 3.0, 2);
    let settings = KMeansSettings {
        max_iterations: 1000,
        tolerance: 0.0,
        ..Default::default()
    };
    let fit = kmeans(x.view(), 6, &settings).unwrap();
    let mut sums = Array2::<f64>::zeros((6, 4));
    let mut counts = [0.0; 6];
    let mut inertia = 0.0;
    for (row, &label) in x.rows().into_iter().zip(&fit.labels) {
        let label = label as usize;
        counts[label] += 1.0;
        for (j, &v) in row.iter().enumerate() {
            sums[[label, j]] += f64::from(v);
            inertia += (f64::from(v) - fit.centres[[label, j]]).powi(2);
        }
    }
    for ((c, j), sum) in sums.indexed_iter() {
        assert!((sum / counts[c] - fit.centres[[c, j]]).abs() < 1e-5);
    }
    assert!((inertia / fit.inertia - 1.0).abs() < 1e-5);
}

#[test]
fn kmeans_is_the_same_for_any_number_of_threads_and_differs_by_round() {
    let (x, _) = blobs(5000, 7, 9, 1.0, 3);
    let run = |round| {
        let settings = KMeansSettings {
            starts: 3,
            round,
            ..Default::default()
        };
        let fit = kmeans(x.view(), 9, &settings).unwrap();
        (fit.labels, fit.centres, fit.inertia.to_bits())
    };
    assert!(threads_agree(|| run(0)));
    assert_ne!(run(0).0, run(1).0);
}

#[test]
fn kmeans_on_a_sample_labels_every_row() {
    let (x, truth) = blobs(6000, 2, 4, 30.0, 4);
    let settings = KMeansSettings {
        fit_rows: 300,
        ..Default::default()
    };
    let fit = kmeans(x.view(), 4, &settings).unwrap();
    assert!(same_partition(&fit.labels, &truth));
    let all = kmeans(x.view(), 4, &KMeansSettings::default()).unwrap();
    assert!(fit.inertia >= all.inertia && fit.inertia < 1.05 * all.inertia);
}

#[test]
fn kmeans_fills_every_group_when_enough_rows_are_distinct() {
    // Nearly all rows are equal: the seeds and Lloyd's steps alone would leave groups empty.
    let x = Array2::from_shape_fn(
        (500, 2),
        |(i, j)| {
            if i < 5 {
                (i * 2 + j) as f32
            } else {
                -1.0
            }
        },
    );
    for k in 1..=6 {
        let fit = kmeans(x.view(), k, &KMeansSettings::default()).unwrap();
        assert_eq!(count_nonempty(&fit.labels, k), k);
    }
    // Distinct rows that single precision cannot tell apart once the far row is centred.
    let close = vec![1.0, 1.0 + f32::EPSILON, 1.0 + 2.0 * f32::EPSILON, 1e20];
    let close = Array2::from_shape_vec((4, 1), close).unwrap();
    let fit = kmeans(close.view(), 4, &KMeansSettings::default()).unwrap();
    assert_eq!(count_nonempty(&fit.labels, 4), 4);
}

#[test]
fn kmeans_takes_any_scale() {
    let (x, truth) = blobs(300, 2, 3, 30.0, 6);
    for (factor, offset) in [(1e36, 0.0), (1e-30, 0.0), (1.0, 3e4)] {
        let y = x.mapv(|v| v * factor + offset);
        let fit = kmeans(y.view(), 3, &KMeansSettings::default()).unwrap();
        assert!(same_partition(&fit.labels, &truth), "factor {factor}");
        assert!(fit.inertia.is_finite() && fit.centres.iter().all(|c| c.is_finite()));
    }
}

#[test]
fn kmeans_takes_degenerate_shapes_and_refuses_bad_input() {
    let fit = |x: &Array2<f32>, k| kmeans(x.view(), k, &KMeansSettings::default());
    let equal = Array2::from_elem((50, 3), 2.5f32);
    let same = fit(&equal, 4).unwrap();
    assert!(same.labels.iter().all(|&l| l < 4) && same.inertia == 0.0);
    let line = Array2::from_shape_fn((40, 1), |(i, _)| i as f32);
    assert_eq!(count_nonempty(&fit(&line, 40).unwrap().labels, 40), 40);
    assert_eq!(fit(&line, 0).unwrap_err().blamed(), Some("n.domains"));
    assert_eq!(fit(&line, 41).unwrap_err().blamed(), Some("n.domains"));
    for bad in [f32::NAN, f32::INFINITY] {
        let mut x = line.clone();
        x[[7, 0]] = bad;
        assert_eq!(fit(&x, 2).unwrap_err().blamed(), Some("embedding"));
    }
    assert!(fit(&Array2::zeros((0, 3)), 1).is_err());
    assert!(fit(&Array2::zeros((3, 0)), 1).is_err());
}

fn mixture(x: &Array2<f32>, k: usize) -> Mixture {
    gaussian_mixture(x.view(), k, &MixtureSettings::default()).unwrap()
}

fn assert_finite(fit: &Mixture) {
    let numbers = fit.means.iter().chain(&fit.covariance).chain(&fit.weights);
    assert!(numbers.chain([&fit.bic]).all(|v| v.is_finite()));
}

#[test]
fn a_mixture_of_one_is_the_mean_and_the_covariance() {
    let (x, _) = blobs(500, 3, 2, 4.0, 7);
    let settings = MixtureSettings {
        regularisation: 0.0,
        ..Default::default()
    };
    let fit = gaussian_mixture(x.view(), 1, &settings).unwrap();
    let y = x.mapv(f64::from);
    let mean = y.mean_axis(Axis(0)).unwrap();
    let centred = &y - &mean;
    let covariance = centred.t().dot(&centred) / 500.0;
    assert!((&fit.means.row(0) - &mean).iter().all(|v| v.abs() < 1e-10));
    assert!((&fit.covariance - &covariance)
        .iter()
        .all(|v| v.abs() < 1e-10));
    let flat: Vec<f64> = covariance.iter().copied().collect();
    let det = nalgebra::DMatrix::from_row_slice(3, 3, &flat).determinant();
    let closed = -250.0 * (3.0 * std::f64::consts::TAU.ln() + det.ln() + 3.0);
    assert!((fit.log_likelihood - closed).abs() < 1e-8 * closed.abs());
    assert!((fit.bic - (2.0 * closed - 9.0 * 500f64.ln())).abs() < 1e-6);
    assert!(fit.converged && fit.n_nonempty == 1);
}

#[test]
fn a_mixture_finds_long_parallel_groups_that_kmeans_cuts_across() {
    let mut rng = Rng::new(8, Purpose::Data, 0);
    let truth: Vec<u32> = (0..900).map(|i| i % 3).collect();
    let x = Array2::from_shape_fn((900, 2), |(i, j)| match j {
        0 => 100.0 * rng.normal() as f32,
        _ => 8.0 * truth[i] as f32 + rng.normal() as f32,
    });
    let fit = mixture(&x, 3);
    assert!(same_partition(&fit.labels, &truth));
    assert_eq!(fit.n_nonempty, 3);
    let (moved, order) = shuffled(&x);
    let back: Vec<u32> = order.iter().map(|&i| truth[i]).collect();
    assert!(same_partition(&mixture(&moved, 3).labels, &back));
    let centres = kmeans(x.view(), 3, &KMeansSettings::default()).unwrap();
    assert!(!same_partition(&centres.labels, &truth));
}

#[test]
fn a_mixture_is_the_same_for_any_number_of_threads() {
    let (x, _) = blobs(3000, 5, 6, 2.0, 9);
    for fit_rows in [500, 5000] {
        let settings = MixtureSettings {
            starts: 4,
            fit_rows,
            ..Default::default()
        };
        assert!(threads_agree(|| {
            let fit = gaussian_mixture(x.view(), 6, &settings).unwrap();
            (fit.labels, fit.means, fit.log_likelihood.to_bits())
        }));
    }
}

#[test]
fn a_mixture_fills_every_group_when_enough_rows_are_distinct() {
    let few = Array2::from_shape_fn((400, 2), |(i, j)| match i {
        0..=4 => (i * i + j) as f32,
        _ => -1.0,
    });
    let one_gaussian = blobs(60, 2, 1, 0.0, 10).0;
    let line = Array2::from_shape_fn((12, 1), |(i, _)| i as f32);
    for (x, most) in [(few, 6), (one_gaussian, 30), (line, 12)] {
        for k in 1..=most {
            let fit = mixture(&x, k);
            assert_eq!(fit.n_nonempty, k);
            assert_eq!(count_nonempty(&fit.labels, k), k);
            assert_finite(&fit);
        }
    }
}

#[test]
fn a_mixture_takes_degenerate_shapes_and_refuses_bad_input() {
    let mut rng = Rng::new(11, Purpose::Data, 0);
    let wide = Array2::from_shape_fn((10, 40), |_| rng.normal() as f32);
    let mut constant = Array2::from_shape_fn((50, 3), |_| rng.normal() as f32);
    constant.column_mut(1).fill(5.0);
    let twice = ndarray::concatenate![Axis(1), constant, constant];
    let equal = Array2::from_elem((20, 2), 3.0f32);
    for x in [
        &wide,
        &constant,
        &twice,
        &(&constant * 1e-30),
        &(&constant * 1e30),
    ] {
        let fit = mixture(x, 3);
        assert_eq!(fit.n_nonempty, 3);
        assert_finite(&fit);
    }
    let same = mixture(&equal, 3);
    assert_eq!(same.n_nonempty, 1);
    assert_finite(&same);
    let blamed = |x: &Array2<f32>, k, settings: MixtureSettings| {
        gaussian_mixture(x.view(), k, &settings)
            .unwrap_err()
            .blamed()
    };
    assert_eq!(blamed(&equal, 0, Default::default()), Some("n.domains"));
    assert_eq!(blamed(&equal, 21, Default::default()), Some("n.domains"));
    constant[[3, 0]] = f32::NAN;
    assert_eq!(blamed(&constant, 2, Default::default()), Some("embedding"));
    let settings = MixtureSettings {
        tolerance: f64::NAN,
        ..Default::default()
    };
    assert_eq!(blamed(&equal, 2, settings), Some("tolerance"));
}

#[test]
fn the_consensus_of_noisy_runs_is_nearer_to_the_truth_than_a_run() {
    let (x, truth) = blobs(1500, 2, 4, 3.0, 12);
    let one_start = |round| {
        let settings = KMeansSettings {
            starts: 1,
            max_iterations: 1,
            round,
            ..Default::default()
        };
        kmeans(x.view(), 4, &settings).unwrap().labels
    };
    let runs: Vec<Vec<u32>> = (0..15).map(one_start).collect();
    let agree = |labels: &[u32]| {
        let mut pairs = 0;
        for i in 0..truth.len() {
            pairs += (0..i)
                .filter(|&j| (labels[i] == labels[j]) == (truth[i] == truth[j]))
                .count();
        }
        pairs
    };
    let both = consensus(&runs, 4).unwrap();
    assert_eq!(count_nonempty(&both, 4), 4);
    let mean = runs.iter().map(|r| agree(r)).sum::<usize>() / runs.len();
    assert!(agree(&both) > mean);
}
