//! Training as a whole: determinism, shapes, degenerate input.
#![allow(clippy::unwrap_used, clippy::panic)]

use candle_core::Device;
use ndarray::Array2;
use spax_core::design::Input;
use spax_core::engine::tensors::Tensors;
use spax_core::graph::{curve_order, Graph};
use spax_core::preprocess::{Centre, Features, ScaledGenes};
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
use spax_core::sparse::Csr;
use spax_core::systems::spacross::hybrid::{normalise_rows, select_pairs_across, Reach};
use spax_core::systems::spacross::{Contrast, Encoder, EpochLosses, Params, Trainer};
use spax_core::{threads, Error, Result};

/// Two halves of a square that differ in their first columns.
fn slice(n: usize, columns: usize, seed: u32) -> (Array2<f64>, Array2<f32>) {
    let mut rng = Rng::new(2, Purpose::Data, seed);
    let coords = Array2::from_shape_fn((n, 2), |_| rng.uniform());
    let x = Array2::from_shape_fn((n, columns), |(i, c)| {
        let side = if coords[[i, 0]] > 0.5 { 2.0 } else { -2.0 };
        (rng.normal() + if c < 3 { side } else { 0.0 }) as f32
    });
    (coords, x)
}

fn quick() -> Params {
    Params {
        update_every: 4,
        epochs: 10,
        ..Params::default()
    }
}

fn trainer(coords: &Array2<f64>, input: Input, params: Params, threads: usize) -> Result<Trainer> {
    let n = coords.nrows();
    let k = 6.min(n - 1);
    let (graph, order) = threads::install(threads, || {
        Ok((Graph::knn(coords.view(), k)?, curve_order(coords.view())?))
    })?;
    let params = params.check(n, 2.min(n))?;
    Trainer::new(input, &graph, order, params, 5, threads, &Device::Cpu)
}

fn run(threads: usize, params: Params) -> (Vec<EpochLosses>, Array2<f32>) {
    let (coords, x) = slice(3000, 20, 0);
    let mut trainer = trainer(&coords, Input::dense(x), params, threads).unwrap();
    let losses = (0..10).map(|_| trainer.step().unwrap()).collect();
    (losses, trainer.embedding().unwrap())
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    for contrast in [Contrast::Node, Contrast::AllPairs] {
        let params = || Params {
            contrast,
            ..quick()
        };
        let one = run(1, params());
        assert!(one.0[9].contrast.is_some(), "the hybrid graph takes part");
        assert_eq!(one, run(2, params()));
        assert_eq!(one, run(4, params()));
    }
}

#[test]
fn training_lowers_the_loss_and_separates_the_halves() {
    let (coords, x) = slice(1000, 20, 1);
    let mut trainer = trainer(&coords, Input::dense(x), Params::default(), 2).unwrap();
    let losses: Vec<f32> = (0..60)
        .map(|_| trainer.step().unwrap().reconstruction)
        .collect();
    assert!(
        losses[59] < losses[0] - 0.1,
        "{} to {}",
        losses[0],
        losses[59]
    );
    let z = trainer.embedding().unwrap();
    let groups = spax_core::cluster::kmeans(z.view(), 2, &Default::default()).unwrap();
    let right = (0..1000)
        .filter(|&i| (groups.labels[i] == 0) == (coords[[i, 0]] > 0.5))
        .count();
    assert!(right.max(1000 - right) > 930, "{right} of 1000");
}

#[test]
fn results_come_back_in_the_callers_order() {
    let (coords, x) = slice(400, 10, 2);
    let mut trainer = trainer(&coords, Input::dense(x), quick(), 1).unwrap();
    for _ in 0..10 {
        trainer.step().unwrap();
    }
    let z = trainer.embedding().unwrap();
    // Neighbours in the embedding are of the same half, cell by cell as they were given.
    let half = |i: usize| coords[[i, 0]] > 0.5;
    let near = spax_core::graph::euclidean_neighbours(z.view(), 1, 1).unwrap();
    let same = (0..400)
        .filter(|&i| half(i) == half(near.row(i)[0] as usize))
        .count();
    assert!(same > 340, "{same} of 400");
}

#[test]
fn an_unseen_cell_says_nothing_of_itself() {
    let (coords, x) = slice(200, 10, 2);
    let mut changed = x.clone();
    changed.row_mut(7).fill(5.0);
    // Without training both have the weights that the seed draws.
    let [plain, other] =
        [x, changed].map(|x| trainer(&coords, Input::dense(x), quick(), 1).unwrap());
    let (seen, seen_other) = (plain.embedding().unwrap(), other.embedding().unwrap());
    assert_ne!(seen.row(7), seen_other.row(7));
    let (unseen, unseen_other) = (plain.unseen().unwrap(), other.unseen().unwrap());
    assert_eq!(unseen.row(7), unseen_other.row(7));
    assert_ne!(unseen, unseen_other);
}

#[test]
fn sparse_scaled_genes_train_like_dense_ones() {
    let (coords, x) = slice(300, 12, 3);
    let counts = x.mapv(|v| (v + 3.0).max(0.0));
    let mut indptr = vec![0];
    let (mut indices, mut values) = (vec![], vec![]);
    for row in counts.rows() {
        for (g, &v) in row.iter().enumerate().filter(|(_, &v)| v > 0.0) {
            indices.push(g as u32);
            values.push(v);
        }
        indptr.push(indices.len());
    }
    let genes = ScaledGenes::new(Csr::new(12, indptr, indices, values).unwrap()).unwrap();
    let params = || Params {
        imputation: true,
        dropout: 0.0,
        ..quick()
    };
    let dense = Input::dense(genes.to_dense());
    let mut dense = trainer(&coords, dense, params(), 1).unwrap();
    let mut sparse = trainer(&coords, Input::from(genes), params(), 1).unwrap();
    for _ in 0..3 {
        let (a, b) = (dense.step().unwrap(), sparse.step().unwrap());
        assert!((a.total - b.total).abs() < 1e-4 * a.total.abs());
    }
    let reconstruction = sparse.reconstruct().unwrap();
    assert_eq!(reconstruction.dim(), (300, 12));
    assert!(reconstruction.iter().all(|v| v.is_finite() && *v >= 0.0));
}

/// Random shapes and settings: an error or finite results, never a panic.
#[test]
fn any_shape_gives_an_error_or_finite_results() {
    let mut rng = Rng::new(77, Purpose::Data, 0);
    let mut trained = 0;
    for case in 0..60 {
        let n = 3 + rng.below(60);
        let columns = 1 + rng.below(9);
        let (coords, mut x) = slice(n, columns, 100 + case);
        match rng.below(4) {
            0 => x.fill(0.0),
            1 => x.column_mut(0).fill(1e15),
            2 => x.row_mut(0).fill(0.0),
            _ => {}
        }
        let params = Params {
            latent: 1 + rng.below(20),
            hidden1: 1 + rng.below(70),
            mask_rate: rng.uniform(),
            dropout: rng.uniform() * 0.9,
            replace_rate: rng.uniform(),
            momentum: rng.uniform() * 0.99,
            top_k: 1 + rng.below(30),
            update_every: 1 + rng.below(3),
            imputation: rng.below(2) == 0,
            contrast: [Contrast::Node, Contrast::AllPairs, Contrast::Off][rng.below(3)],
            learning_rate: 10f64.powf(rng.uniform_in(-4.0, -1.0)),
            ..Params::default()
        };
        let result = trainer(&coords, Input::dense(x), params, 1).and_then(|mut trainer| {
            for _ in 0..6 {
                let losses = trainer.step()?;
                assert!(losses.total.is_finite());
            }
            trained += 1;
            trainer.embedding()
        });
        match result {
            Ok(z) => assert!(z.iter().all(|v| v.is_finite()), "case {case}"),
            Err(Error::Internal(message)) => panic!("case {case}: {message}"),
            Err(_) => {}
        }
    }
    assert!(trained > 20, "only {trained} cases trained");
}

#[test]
fn options_out_of_range_are_named() {
    let check = |params: Params| match params.check(100, 5) {
        Err(Error::Option { option, .. }) => option,
        _ => "none",
    };
    let base = Params::default;
    assert_eq!(
        check(Params {
            dropout: 1.0,
            ..base()
        }),
        "dropout"
    );
    assert_eq!(
        check(Params {
            mask_rate: 0.0,
            ..base()
        }),
        "mask_rate"
    );
    assert_eq!(
        check(Params {
            epochs: 0,
            ..base()
        }),
        "epochs"
    );
    assert_eq!(
        check(Params {
            learning_rate: f64::NAN,
            ..base()
        }),
        "learning_rate"
    );
    assert_eq!(check(base()), "none");
    let all_pairs = Params {
        contrast: Contrast::AllPairs,
        ..base()
    };
    assert!(matches!(
        all_pairs.check(50_000, 5),
        Err(Error::Argument {
            argument: "contrast",
            ..
        })
    ));
}

/// Three slices by turns, one twice as large.
fn three(n: usize) -> Slices {
    Slices::new((0..n).map(|i| [0, 1, 1, 2][i % 4]).collect()).unwrap()
}

fn unit_rows(n: usize, width: usize) -> Array2<f32> {
    let mut rng = Rng::new(9, Purpose::Data, 0);
    let mut x = Array2::from_shape_simple_fn((n, width), || rng.normal() as f32);
    normalise_rows(x.as_slice_mut().unwrap(), width);
    x
}

/// The similar nodes of one, by sorting all: of the own slice, or of the others.
fn similar(x: &Array2<f32>, slices: &Slices, node: usize, k: usize, own: bool) -> Vec<usize> {
    let likeness = |j: usize| x.row(node).dot(&x.row(j));
    let wanted = |&j: &usize| j != node && (slices.of(j) == slices.of(node)) == own;
    let mut all: Vec<usize> = (0..x.nrows()).filter(wanted).collect();
    all.sort_by(|&a, &b| likeness(b).total_cmp(&likeness(a)).then(a.cmp(&b)));
    all.truncate(k);
    all
}

#[test]
fn pairs_across_slices_are_mutual_and_pass_the_cluster_test() {
    let n = 160;
    let (x, slices) = (unit_rows(n, 8), three(n));
    let (coords, _) = slice(n, 1, 0);
    let spatial = Graph::knn(coords.view(), 5).unwrap();
    let clusters: Vec<Vec<u32>> = (1..3u32)
        .map(|run| (0..n as u32).map(|i| i * run % 5).collect())
        .collect();
    let reach = Reach {
        within: 9,
        across: 12,
    };
    let near: Vec<Vec<usize>> = (0..n)
        .map(|i| {
            let mut near = similar(&x, &slices, i, reach.within, true);
            near.extend(similar(&x, &slices, i, reach.across, false));
            near
        })
        .collect();
    let mutual = |a: usize, b: usize| near[a].contains(&b) && near[b].contains(&a);
    let passes = |a: usize, b: usize| {
        spatial.contains(a, b as u32) || clusters.iter().any(|run| run[a] == run[b])
    };
    for test in [None, Some(&clusters[..])] {
        let pairs = select_pairs_across(x.view(), &slices, reach, &spatial, test, 1).unwrap();
        let found: Vec<(u32, u32)> = pairs.anchor.into_iter().zip(pairs.positive).collect();
        let mut wanted = vec![];
        for a in 0..n {
            let kept = |b: &usize| mutual(a, *b) && (test.is_none() || passes(a, *b));
            wanted.extend((0..n).filter(kept).map(|b| (a as u32, b as u32)));
        }
        assert_eq!(found, wanted);
        let across = |p: &&(u32, u32)| slices.of(p.0 as usize) != slices.of(p.1 as usize);
        assert!(found.iter().filter(across).count() > 20);
    }
}

/// Also on a graph whose edges go one way.
#[test]
fn several_slices_give_the_same_bytes_for_any_number_of_threads() {
    let (coords, x) = slice(1200, 20, 0);
    let near = spax_core::graph::spatial_knn(coords.view(), 6).unwrap();
    let directed = Graph::directed(&near);
    for graph in [&directed, &directed.symmetric_union()] {
        let run = |threads: usize| {
            let order = curve_order(coords.view()).unwrap();
            let params = quick().check(1200, 2).unwrap();
            let input = Input::dense(x.clone());
            let trainer = Trainer::new(input, graph, order, params, 5, threads, &Device::Cpu);
            let mut trainer = trainer.unwrap().with_slices(&three(1200)).unwrap();
            let losses: Vec<EpochLosses> = (0..6).map(|_| trainer.step().unwrap()).collect();
            assert!(losses[5].contrast.is_some());
            (losses, trainer.embedding().unwrap())
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(4));
    }
}

#[test]
fn sparse_genes_of_several_slices_multiply_like_dense_ones() {
    let (n, p) = (90, 14);
    let (_, x) = slice(n, p, 4);
    let mut indptr = vec![0];
    let (mut indices, mut values) = (vec![], vec![]);
    for row in x.rows() {
        for (g, &v) in row.iter().enumerate().filter(|(_, &v)| v > 0.0) {
            indices.push(g as u32);
            values.push(v);
        }
        indptr.push(indices.len());
    }
    let matrix = Csr::new(p, indptr, indices, values).unwrap();
    let genes = ScaledGenes::centred(matrix, &three(n), Centre::MeansAndSpread).unwrap();
    let order: Vec<u32> = (0..n as u32).rev().collect();
    let dense = Input::dense(genes.to_dense()).permuted(&order);
    let sparse = Input::from(genes).permuted(&order);
    let w: Vec<f32> = unit_rows(3, p).into_raw_vec_and_offset().0;
    let g: Vec<f32> = unit_rows(n, 3).into_raw_vec_and_offset().0;
    let close = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(close(
        dense.times_transposed(&w, 3),
        sparse.times_transposed(&w, 3)
    ));
    assert!(close(dense.gram(&g, 3), sparse.gram(&g, 3)));
    assert!((0..n as u32).all(|i| (dense.norm(i) - sparse.norm(i)).abs() < 1e-4));
}

#[test]
fn saved_weights_embed_the_cells_trained_on_to_the_same_bits() {
    let (coords, x) = slice(200, 6, 5);
    let mut trained = trainer(&coords, Input::dense(x.clone()), quick(), 2).unwrap();
    for _ in 0..4 {
        trained.step().unwrap();
    }
    let tensors = trained.weights().unwrap();
    let bytes = tensors.write(None).unwrap();
    let encoder = Encoder::from_tensors(&Tensors::read(&bytes).unwrap()).unwrap();
    let graph = Graph::knn(coords.view(), 6).unwrap();
    let order = curve_order(coords.view()).unwrap();
    let features = Features::from_matrix(x);
    let embed = |n| threads::install(n, || encoder.embed_cells(&features, &graph, &order));
    assert_eq!(embed(1).unwrap(), trained.embedding().unwrap());
    assert_eq!(embed(4).unwrap(), trained.embedding().unwrap());
    let (_, wide) = slice(200, 7, 5);
    let error = encoder.embed_cells(&Features::from_matrix(wide), &graph, &order);
    assert_eq!(error.unwrap_err().kind(), "model");
}

#[test]
fn weights_that_are_missing_or_do_not_fit_are_refused() {
    let (coords, x) = slice(60, 6, 5);
    let trained = trainer(&coords, Input::dense(x), quick(), 1).unwrap();
    let good = trained.weights().unwrap();
    let names: Vec<String> = good.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names.len(), 20);
    for name in names {
        let mut without = Tensors::default();
        let mut bent = good.clone();
        for (other, array) in good.iter().filter(|(other, _)| **other != name) {
            without.insert(other.clone(), array.clone());
        }
        bent.insert(name.clone(), Array2::zeros((3, 5)).into_dyn());
        for bad in [without, bent] {
            assert!(
                matches!(Encoder::from_tensors(&bad), Err(Error::Model { .. })),
                "{name}"
            );
        }
    }
}
