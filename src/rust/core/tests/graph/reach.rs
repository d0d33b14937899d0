//! Averages over neighbours, and over how many.

use ndarray::{Array2, ArrayView2};
use spax_core::graph::{curve_order, reach, ring_scores, smooth, spatial_knn, Neighbours, WIDEST};
use spax_core::rng::{Purpose, Rng};

use super::{brute_force, embedding, layouts};

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
