//! Predictive components: against recorded numbers of a plain implementation, and against the definition.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use ndarray::{s, Array2, Axis};
use serde_json::Value;
use spax_core::engine::{Components, Tissue};
use spax_core::graph::spatial_knn;
use spax_core::predictive::{
    compact_folds, count_twins, ring_means, scattered_folds, without_twins, Directions, Grams,
    Ridge, Rings,
};
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

fn matrix(value: &Value, columns: usize) -> Array2<f64> {
    let values = numbers(value);
    Array2::from_shape_vec((values.len() / columns, columns), values).unwrap()
}

/// Cells on a plane whose components follow it, with noise.
fn cells(n: usize, p: usize, seed: u64) -> (Array2<f64>, Array2<f32>) {
    let mut rng = Rng::new(seed, Purpose::Data, 0);
    let coords = Array2::from_shape_fn((n, 2), |_| rng.uniform() * 10.0);
    let x = Array2::from_shape_fn((n, p), |(i, j)| {
        let (a, b) = (coords[[i, 0]], coords[[i, 1]]);
        ((a * (1.0 + 0.3 * j as f64)).sin() + b.cos() + rng.normal()) as f32
    });
    (coords, x)
}

#[test]
fn equals_the_recorded_numbers() {
    let recorded: Value =
        serde_json::from_str(include_str!("conformance/predictive.json")).unwrap();
    let p = recorded["p"].as_u64().unwrap() as usize;
    let x = matrix(&recorded["x"], p).mapv(|v| v as f32);
    let coords = matrix(&recorded["xy"], 2);
    let edges: Vec<usize> = numbers(&recorded["edges"])
        .iter()
        .map(|&e| e as usize)
        .collect();
    let folds: Vec<u8> = numbers(&recorded["folds"])
        .iter()
        .map(|&f| f as u8)
        .collect();
    let rings = Rings::new(&edges, x.nrows() - 1).unwrap();
    let near = spatial_knn(coords.view(), rings.reach()).unwrap();
    let z = ring_means(x.view(), &near, &rings).unwrap();
    let grams = Grams::new(z.view(), x.view(), &folds).unwrap();
    let predictors: Vec<usize> = (0..z.ncols()).collect();
    let ridge = Ridge::fit(&grams, &predictors, 0..p).unwrap();
    assert_eq!(ridge.lambda, recorded["lambda"].as_f64().unwrap());
    assert!((ridge.r2 - recorded["r2"].as_f64().unwrap()).abs() < 1e-6);
    let d = recorded["d"].as_u64().unwrap() as usize;
    let directions = Directions::of(
        &[ridge],
        &grams,
        predictors,
        std::slice::from_ref(&(0..p)),
        0.0,
        d,
    )
    .unwrap();
    let found = directions.columns(z.view(), x.view()).unwrap();
    let wanted = matrix(&recorded["columns"], d);
    for (found, wanted) in found.columns().into_iter().zip(wanted.columns()) {
        let found = found.mapv(f64::from);
        let sign = found.dot(&wanted).signum();
        let size = wanted.dot(&wanted).sqrt() / (wanted.len() as f64).sqrt();
        for (a, b) in found.iter().zip(wanted) {
            assert!((a * sign - b).abs() < 1e-6 * size, "{a} {b}");
        }
    }
}

#[test]
fn rings_are_means_of_ranks_and_leave_the_cell_out() {
    let (coords, x) = cells(120, 19, 1);
    let rings = Rings::new(&[1, 4, 10], 119).unwrap();
    let near = spatial_knn(coords.view(), rings.reach()).unwrap();
    let z = ring_means(x.view(), &near, &rings).unwrap();
    assert_eq!((rings.len(), rings.reach(), z.dim()), (2, 9, (120, 38)));
    for cell in 0..120 {
        let row = near.row(cell);
        assert!(!row.contains(&(cell as u32)));
        for (ring, ranks) in [0..3, 3..9].into_iter().enumerate() {
            let rows: Vec<usize> = row[ranks].iter().map(|&i| i as usize).collect();
            let mean = x.select(Axis(0), &rows).mean_axis(Axis(0)).unwrap();
            for (j, mean) in mean.iter().enumerate() {
                assert!((z[[cell, ring * 19 + j]] - mean).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn rings_end_where_neighbours_do() {
    assert_eq!(Rings::new(&[1, 7, 19, 37], 20).unwrap().reach(), 20);
    assert_eq!(Rings::new(&[1, 7, 19, 37], 6).unwrap().len(), 1);
    for bad in [&[1, 7, 7][..], &[0, 3], &[5, 3], &[]] {
        assert_eq!(Rings::new(bad, 50).unwrap_err().blamed(), Some("rings"));
    }
    assert_eq!(Rings::new(&[1, 7], 0).unwrap_err().kind(), "coords");
}

/// Error of ridge on the cells that a fold leaves out, one cell after the other.
#[test]
fn validation_equals_its_definition() {
    let (coords, x) = cells(90, 4, 2);
    let rings = Rings::new(&[1, 5, 9], 89).unwrap();
    let near = spatial_knn(coords.view(), rings.reach()).unwrap();
    let z = ring_means(x.view(), &near, &rings).unwrap();
    let folds = scattered_folds(90);
    let grams = Grams::new(z.view(), x.view(), &folds).unwrap();
    let ridge = Ridge::fit(&grams, &[0, 1, 2, 3, 4, 5, 6, 7], 1..3).unwrap();
    let zs = (z.mapv(f64::from) - &grams.centre) / &grams.spread;
    let centred = x.mapv(f64::from) - &x.mapv(f64::from).mean_axis(Axis(0)).unwrap();
    let y = centred.slice(s![.., 1..3]).to_owned();
    let (mut least, mut best) = (f64::INFINITY, 0.0);
    for lambda in spax_core::predictive::LAMBDAS {
        let mut error = 0.0;
        for fold in 0..5u8 {
            let rows = |out: bool| -> Vec<usize> {
                (0..90).filter(|&i| (folds[i] == fold) == out).collect()
            };
            let (zi, yi) = (
                zs.select(Axis(0), &rows(false)),
                y.select(Axis(0), &rows(false)),
            );
            let (zo, yo) = (
                zs.select(Axis(0), &rows(true)),
                y.select(Axis(0), &rows(true)),
            );
            let left = zi.t().dot(&zi) + Array2::<f64>::eye(8) * (lambda * zi.nrows() as f64);
            let left = nalgebra::DMatrix::from_fn(8, 8, |i, j| left[[i, j]]);
            let right = zi.t().dot(&yi);
            let right = nalgebra::DMatrix::from_fn(8, 2, |i, j| right[[i, j]]);
            let b = left.lu().solve(&right).unwrap();
            let b = Array2::from_shape_fn((8, 2), |(i, j)| b[(i, j)]);
            error += (yo - zo.dot(&b)).mapv(|v| v * v).sum();
        }
        if error < least {
            (least, best) = (error, lambda);
        }
    }
    assert_eq!(ridge.lambda, best);
    let r2 = 1.0 - least / y.mapv(|v| v * v).sum();
    assert!((ridge.r2 - r2).abs() < 1e-9, "{} {r2}", ridge.r2);
}

#[test]
fn a_share_of_the_own_residual_is_put_back() {
    let (coords, x) = cells(200, 5, 3);
    let rings = Rings::new(&[1, 7, 13], 199).unwrap();
    let near = spatial_knn(coords.view(), rings.reach()).unwrap();
    let z = ring_means(x.view(), &near, &rings).unwrap();
    let grams = Grams::new(z.view(), x.view(), &scattered_folds(200)).unwrap();
    let predictors: Vec<usize> = (0..10).collect();
    let ridges = [0..2, 2..5].map(|part| Ridge::fit(&grams, &predictors, part).unwrap());
    let own = 0.3;
    let directions = Directions::of(&ridges, &grams, predictors, &[0..2, 2..5], own, 5).unwrap();
    let found = directions
        .columns(z.view(), x.view())
        .unwrap()
        .mapv(f64::from);
    let zs = (z.mapv(f64::from) - &grams.centre) / &grams.spread;
    let weights = ndarray::concatenate![Axis(1), ridges[0].weights, ridges[1].weights];
    let centred = x.mapv(f64::from) - &x.mapv(f64::from).mean_axis(Axis(0)).unwrap();
    let predicted = zs.dot(&weights) * (1.0 - own) + centred * own;
    // All directions of a matrix keep the distances between its rows.
    for (i, j) in [(0, 1), (5, 90), (199, 3)] {
        let apart = |m: &Array2<f64>| (&m.row(i) - &m.row(j)).mapv(|v| v * v).sum();
        assert!((apart(&found) / apart(&predicted) - 1.0).abs() < 1e-5);
    }
    let variances: Vec<f64> = found.columns().into_iter().map(|c| c.dot(&c)).collect();
    assert!(variances.windows(2).all(|pair| pair[0] >= pair[1]));
}

#[test]
fn folds_share_the_cells_out_evenly_and_regions_are_compact() {
    for folds in [scattered_folds(1003), compact_folds(1003)] {
        for fold in 0..5 {
            let n = folds.iter().filter(|&&f| f == fold).count();
            assert!((190..212).contains(&n), "{n}");
        }
    }
    let borders = |folds: Vec<u8>| folds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(borders(compact_folds(1003)) < 50 && borders(scattered_folds(1003)) > 600);
}

#[test]
fn twins_are_no_neighbours() {
    let (coords, x) = cells(80, 3, 4);
    let again: Vec<usize> = (0..80).chain([7, 30]).collect();
    let (mut coords, mut x) = (coords.select(Axis(0), &again), x.select(Axis(0), &again));
    // One that stands in the place of another, but is another cell, stays a neighbour.
    coords.push_row(coords.row(12).to_owned().view()).unwrap();
    x.push_row(x.row(13).to_owned().view()).unwrap();
    let near = spatial_knn(coords.view(), 9).unwrap();
    let twins = count_twins(x.view(), &near);
    assert_eq!((twins[7], twins[80], twins[30], twins[12]), (1, 1, 1, 0));
    assert_eq!(twins.iter().sum::<usize>(), 4);
    let clean = without_twins(x.view(), &near, 8).unwrap();
    assert!(!clean.row(7).contains(&80) && !clean.row(80).contains(&7));
    assert_eq!(clean.row(12)[0], 82);
    assert_eq!(clean.row(7), &near.row(7)[1..]);
}

#[test]
fn neither_the_order_of_the_cells_nor_threads_change_anything() {
    let (coords, x) = cells(400, 12, 5);
    let predict = |rows: &[usize], threads: usize| {
        let tissue = Tissue::new(
            coords.select(Axis(0), rows),
            Slices::one(400),
            true,
            threads,
        );
        let tissue = Arc::new(tissue.unwrap());
        let x = x.select(Axis(0), rows);
        let predicted = Components::of_columns(x.view(), &tissue).unwrap();
        predicted.predict(&tissue, 0.0).unwrap().columns()
    };
    let all: Vec<usize> = (0..400).collect();
    let shuffled: Vec<usize> = {
        let order = Rng::new(3, Purpose::Data, 0).permutation(400);
        order.iter().map(|&i| i as usize).collect()
    };
    let (plain, moved) = (predict(&all, 1), predict(&shuffled, 2));
    for (place, &cell) in shuffled.iter().enumerate() {
        assert_eq!(plain.row(cell), moved.row(place));
    }
}

#[test]
fn neighbours_lie_within_a_slice() {
    let (coords, x) = cells(300, 12, 6);
    let slices = Slices::new((0..300).map(|i| u32::from(i >= 150)).collect()).unwrap();
    let columns = |far: f64| {
        let mut coords = coords.clone();
        coords.slice_mut(s![150.., 0]).mapv_inplace(|v| v + far);
        let tissue = Tissue::new(coords, slices.clone(), true, 2).unwrap();
        let components = Components::of_columns(x.view(), &tissue).unwrap();
        components.predict(&tissue, 0.0).unwrap().columns()
    };
    let (laid_over, apart) = (columns(0.0), columns(1000.0));
    let most = (&laid_over - &apart)
        .iter()
        .fold(0f32, |m, d| m.max(d.abs()));
    assert!(most < 1e-4, "{most}");
}

#[test]
fn a_stack_adds_what_lies_above_and_below() {
    let (coords, x) = cells(300, 12, 6);
    let slices = Slices::new((0..300).map(|i| i / 100).collect()).unwrap();
    let matrices = |stacked: bool| -> Vec<Array2<f32>> {
        let tissue = Tissue::new(coords.clone(), slices.clone(), stacked, 2).unwrap();
        let components = Components::of_columns(x.view(), &tissue).unwrap();
        let predicted = components.predict(&tissue, 0.0).unwrap();
        let views = predicted.matrices();
        views.into_iter().map(|m| m.to_owned()).collect()
    };
    let (apart, stack) = (matrices(false), matrices(true));
    let families = 2;
    assert_eq!(stack.len() * families, apart.len() * (families + 1));
    let most = apart.iter().zip(&stack).fold(0f32, |most, (a, b)| {
        (a - b).iter().fold(most, |m, d| m.max(d.abs()))
    });
    assert!(most < 1e-4, "{most}");
}

#[test]
fn a_modality_of_shuffled_cells_counts_for_nothing() {
    let (coords, x) = cells(600, 12, 7);
    let order = Rng::new(4, Purpose::Data, 0).permutation(600);
    let rows: Vec<usize> = order.iter().map(|&i| i as usize).collect();
    let shuffled = x.select(Axis(0), &rows);
    let tissue = Tissue::new(coords, Slices::one(600), true, 2).unwrap();
    let of = |x: &Array2<f32>| Components::of_columns(x.view(), &tissue).unwrap();
    let predict = |parts: &[Components]| {
        let joined = Components::join(parts).unwrap();
        joined.predict(&tissue, 0.1).unwrap()
    };
    let alone = predict(&[of(&x)]);
    let both = predict(&[of(&shuffled), of(&x)]);
    assert_eq!(both.quality.unheard, [0]);
    assert!(both.quality.r2[0] < 0.0025 && both.quality.r2[1] > 0.05);
    let (alone, both) = (alone.columns(), both.columns());
    let (heard, nothing) = both.view().split_at(Axis(1), alone.ncols());
    let most = (&alone - &heard)
        .iter()
        .chain(&nothing)
        .fold(0f32, |m, d| m.max(d.abs()));
    assert!(most < 1e-4, "{most}");
    assert!(predict(&[of(&x), of(&x)]).quality.unheard.is_empty());
    // Nothing to go by is no reason to look at nothing, but to say so.
    let twice = predict(&[of(&shuffled), of(&shuffled)]).quality;
    assert!(twice.unheard.is_empty() && twice.nothing);
    assert!(predict(&[of(&shuffled)]).quality.nothing);
    assert!(!predict(&[of(&x)]).quality.nothing);
}
