//! The kernels of `cuda/` and what launches them, run by the emulator and held to the CPU's operations: values, gradients,
//! whole trainings. Sizes are no multiples of warps, groups or tiles.
#![allow(clippy::unwrap_used, clippy::panic)]

use candle_core::{Device, Tensor, Var};
use candle_nn::Optimizer;
use ndarray::Array2;

use crate::check::{Gap, Spans};
use crate::cluster::{kmeans, kmeans_on, KMeansSettings};
use crate::design::Input;
use crate::gpu::emulated::{with, Order};
use crate::gpu::{Kernels, Matrix};
use crate::graph::{curve_order, inner_product_neighbours, Graph};
use crate::nn::adam::{self, Adam};
use crate::nn::dropout::Dropout;
use crate::nn::gather::gather;
use crate::nn::linear::{linear, project, small_times};
use crate::nn::norm_act::{moments, norm_act, Activation, Settings};
use crate::nn::propagate::Operator;
use crate::nn::running::Running;
use crate::preprocess::{Columns, Features, Modality, ModalityKind, ScaledGenes};
use crate::rng::{Philox, Purpose, Rng};
use crate::slices::Slices;
use crate::sparse::Csr;
use crate::systems::spacross::check::{
    described_contrast, first_gradients, record, three_steps, RUNS,
};
use crate::systems::spacross::draws::Draws;
use crate::systems::spacross::hybrid::most_similar;
use crate::systems::spacross::{Contrast, Params, Trainer};

const BOTH: [Order; 2] = [Order::Forwards, Order::Backwards];

fn numbers(seed: u32, n: usize) -> Vec<f32> {
    let mut rng = Rng::new(3, Purpose::Data, seed);
    (0..n).map(|_| rng.normal() as f32).collect()
}

fn tensor(seed: u32, rows: usize, columns: usize) -> Tensor {
    Tensor::from_vec(numbers(seed, rows * columns), (rows, columns), &Device::Cpu).unwrap()
}

fn var(seed: u32, rows: usize, columns: usize) -> Var {
    Var::from_tensor(&tensor(seed, rows, columns)).unwrap()
}

fn values(x: &Tensor) -> Vec<f32> {
    x.contiguous()
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap()
}

/// A scalar of a matrix that treats every entry differently.
fn weigh(x: &Tensor) -> Tensor {
    let weights = Tensor::from_vec(numbers(99, x.elem_count()), x.shape(), &Device::Cpu).unwrap();
    (x * weights).unwrap().sum_all().unwrap()
}

fn close(what: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let square = |x: f32| f64::from(x).powi(2);
    let gap: f64 = ours.iter().zip(theirs).map(|(a, b)| square(a - b)).sum();
    let size: f64 = theirs.iter().map(|&b| square(b)).sum();
    assert!(
        gap.sqrt() <= 1e-5 * size.sqrt().max(1e-6),
        "{what}: {} of {}",
        gap.sqrt(),
        size.sqrt()
    );
}

/// A result and the gradients of its weighted sum, on the CPU and by the kernels with the threads of a block in either
/// order: the two orders give the same bytes, and both the CPU's numbers.
fn same(what: &str, variables: &[&Var], f: impl Fn() -> Tensor) {
    let run = || {
        let out = f();
        let gradients = weigh(&out).backward().unwrap();
        let gradient = |v: &&Var| values(gradients.get(v).unwrap());
        let mut all = vec![values(&out)];
        all.extend(variables.iter().map(gradient));
        all
    };
    let expected = run();
    let [forwards, backwards] = BOTH.map(|order| with(order, run));
    let bits =
        |all: &[Vec<f32>]| -> Vec<u32> { all.iter().flatten().map(|v| v.to_bits()).collect() };
    assert_eq!(bits(&forwards), bits(&backwards), "{what}: a race");
    for (i, (ours, theirs)) in forwards.iter().zip(&expected).enumerate() {
        close(&format!("{what}, array {i}"), ours, theirs);
    }
}

/// Rows of 0 to `most` entries.
fn sparse(rows: usize, columns: usize, most: usize) -> Csr {
    let mut rng = Rng::new(4, Purpose::Data, rows as u32);
    let (mut starts, mut indices) = (vec![0], vec![]);
    for row in 0..rows {
        let n = if row % 5 == 0 { 0 } else { rng.below(most + 1) };
        let mut chosen: Vec<u32> = rng.permutation(columns).into_iter().take(n).collect();
        chosen.sort_unstable();
        indices.extend(chosen);
        starts.push(indices.len());
    }
    let values = numbers(5, indices.len());
    Csr::new(columns, starts, indices, values).unwrap()
}

#[test]
fn propagation_at_every_width() {
    let matrix = sparse(37, 37, 9);
    for width in [1, 3, 4, 16, 17, 20, 64, 200, 1028] {
        let x = var(1, 37, width);
        same(&format!("width {width}"), &[&x], || {
            let operator = Operator::new(matrix.clone()).on(&Device::Cpu).unwrap();
            operator.apply(&x).unwrap()
        });
    }
}

#[test]
fn propagation_of_long_rows() {
    // More than 128 entries a row on average, so that a block shares each.
    let matrix = sparse(11, 700, 690);
    assert!(matrix.nnz() > 128 * 11);
    for width in [4, 16, 64, 200, 1028] {
        let x = var(1, 700, width);
        same(&format!("width {width}"), &[&x], || {
            let operator = Operator::new(matrix.clone()).on(&Device::Cpu).unwrap();
            operator.apply(&x).unwrap()
        });
    }
}

#[test]
fn an_empty_matrix_gives_zeros() {
    let empty = Csr::new(6, vec![0; 5], vec![], vec![]).unwrap();
    with(Order::Forwards, || {
        let kernels = Kernels::of(&Device::Cpu).unwrap().unwrap();
        let matrix = Matrix::new(&kernels, &empty).unwrap();
        let out = matrix
            .times(&kernels, &tensor(1, 6, 3))
            .unwrap()
            .into_tensor();
        assert_eq!(values(&out), vec![0.0; 12]);
    });
}

#[test]
fn dense_products() {
    for (n, p, q) in [(1, 1, 1), (53, 7, 5), (4100, 3, 2), (9000, 2, 3)] {
        let (x, w) = (var(1, n, p), var(2, q, p));
        same(&format!("linear {n}"), &[&x, &w], || {
            linear(&x, &w).unwrap()
        });
    }
    let (a, b) = (var(1, 6, 9), var(2, 9, 4));
    same("small", &[&a, &b], || small_times(&a, &b).unwrap());
}

fn genes(n: usize, p: usize, n_slices: usize) -> ScaledGenes {
    let ids: Vec<u32> = (0..n).map(|i| (i % n_slices) as u32).collect();
    ScaledGenes {
        matrix: sparse(n, p, p),
        slices: Slices::new(ids).unwrap(),
        mean: (0..n_slices * p).map(|g| 0.1 + 0.01 * g as f64).collect(),
        sd: vec![1.0; p],
        scale: (0..p).map(|g| 0.5 + 0.1 * g as f64).collect(),
        evened: Vec::new(),
    }
}

#[test]
fn projections_of_the_input() {
    let w = var(2, 8, 23);
    type Make = Box<dyn Fn() -> Input>;
    let x = Array2::from_shape_vec((61, 23), numbers(1, 61 * 23)).unwrap();
    let inputs: [(&str, Make); 3] = [
        ("dense", Box::new(move || Input::dense(x.clone()))),
        ("genes", Box::new(|| Input::scaled(genes(61, 23, 1)))),
        (
            "genes of three slices",
            Box::new(|| Input::scaled(genes(61, 23, 3))),
        ),
    ];
    for (what, input) in inputs {
        same(what, &[&w], || {
            let input = std::sync::Arc::new(input().on(&Device::Cpu).unwrap());
            project(&input, &w).unwrap()
        });
    }
}

/// Draws of every kind of row: kept, masked, replaced by others (some of them the same).
fn draws(n: usize) -> Draws {
    let draws = Draws::new(n, 0.45, 0.4, 6, 2);
    match with_kernels() {
        Some(kernels) => draws.pack().place(&kernels).unwrap(),
        None => draws,
    }
}

fn with_kernels() -> Option<Kernels> {
    Kernels::of(&Device::Cpu).unwrap()
}

#[test]
fn gathered_rows() {
    for (n, width) in [(300, 64), (41, 16), (67, 3), (29, 200)] {
        let (x, token) = (var(1, n, width), var(2, 1, width));
        same("online", &[&x, &token], || {
            gather(&x, &token, &draws(n).online).unwrap()
        });
        same("target", &[&x, &token], || {
            gather(&x, &token, &draws(n).target).unwrap()
        });
        same("remasked", &[&x, &token], || {
            gather(&x, &token, &draws(n).remasked).unwrap()
        });
    }
}

fn dropout(p: f64) -> Dropout {
    Dropout::new(p, Philox::new(0x1234_5678_9abc_def0, Purpose::Dropout), 77)
}

fn settings(p: f64, activation: Activation) -> Settings {
    Settings {
        epsilon: 1e-3,
        momentum: 0.1,
        activation,
        dropout: dropout(p),
    }
}

fn normed(x: &Var, affine: &Var, p: f64, activation: Activation) -> Tensor {
    let running = Running::of(0.0, 1.0, x.dim(1).unwrap()).unwrap();
    norm_act(x, affine, &running, settings(p, activation), true).unwrap()
}

#[test]
fn norm_activation_and_dropout() {
    use Activation::{Elu, Identity, Relu};
    for (n, width) in [(150, 64), (33, 16), (97, 1), (40, 200), (5, 67), (260, 8)] {
        let (x, affine) = (var(1, n, width), var(2, 2, width));
        for (p, activation) in [(0.2, Elu), (0.2, Relu), (0.5, Identity), (0.0, Elu)] {
            same(
                &format!("{n} x {width}, {activation:?}"),
                &[&x, &affine],
                || normed(&x, &affine, p, activation),
            );
        }
    }
}

/// Every factor, bit by bit: a seed drops the same values on both.
#[test]
fn dropout_masks_are_the_cpus() {
    for width in [1, 16, 64, 65, 200] {
        let n = 130;
        let x = Var::from_tensor(&tensor(1, n, width)).unwrap();
        // Without scale and with shift 1 every value is 1 before dropout.
        let affine = [vec![0f32; width], vec![1f32; width]].concat();
        let affine = Var::from_vec(affine, (2, width), &Device::Cpu).unwrap();
        let ours = with(Order::Forwards, || {
            values(&normed(&x, &affine, 0.3, Activation::Identity))
        });
        let mut theirs = vec![0f32; n * width];
        for (row, out) in theirs.chunks_exact_mut(width).enumerate() {
            dropout(0.3).factors(row, out);
        }
        assert_eq!(ours, theirs, "width {width}");
    }
}

#[test]
fn running_moments_follow_the_batch() {
    let (n, width) = (70, 5);
    let (x, affine) = (var(1, n, width), var(2, 2, width));
    let settings = settings(0.0, Activation::Identity);
    let moved = with(Order::Forwards, || {
        let running = Running::of(0.5, 2.0, width).unwrap();
        norm_act(&x, &affine, &running, settings, false).unwrap();
        running.get().unwrap()
    });
    let batch = moments(&values(&x), width);
    for c in 0..width {
        let unbiased = batch.variance[c] * n as f64 / (n as f64 - 1.0);
        assert!((moved.mean[c] - (0.5 + 0.1 * (batch.mean[c] - 0.5))).abs() < 1e-12);
        assert!((moved.variance[c] - (2.0 + 0.1 * (unbiased - 2.0))).abs() < 1e-12);
    }
}

#[test]
fn adam_steps() {
    let start = [tensor(1, 7, 3), tensor(2, 1, 300), tensor(3, 2, 2)];
    let run = |clip: f64| {
        let vars: Vec<Var> = start
            .iter()
            .map(|t| Var::from_tensor(&t.copy().unwrap()).unwrap())
            .collect();
        let settings = adam::Settings {
            learning_rate: 0.1,
            weight_decay: 0.01,
            clip_norm: clip,
        };
        let mut adam = Adam::new(vars.clone(), settings).unwrap();
        let mut all = vec![];
        for _ in 0..3 {
            // The third parameter has no gradient and stays.
            let loss = (weigh(&vars[0].sqr().unwrap()) + weigh(&vars[1])).unwrap();
            let norm = adam.step_with_norm(&loss.backward().unwrap()).unwrap();
            all.push(norm.to_scalar::<f64>().unwrap() as f32);
            all.extend(vars.iter().flat_map(|v| values(v)));
        }
        all
    };
    for clip in [1.0, 1e9] {
        let ours = with(Order::Forwards, || run(clip));
        close("adam", &ours, &run(clip));
        assert_eq!(ours, with(Order::Backwards, || run(clip)));
    }
}

#[test]
fn attention_over_embeddings() {
    for (n, m, d) in [(37, 2, 64), (9, 3, 5), (66, 2, 130)] {
        let (x, w, u) = (var(1, n, m * d), var(2, d, d), var(3, 1, d));
        same(&format!("{n} {m} {d}"), &[&x, &w, &u], || {
            crate::nn::attention::attention(&x, &w, &u).unwrap().0
        });
    }
    let x = var(1, 31, 12);
    same("columns", &[&x], || {
        crate::nn::columns::columns(&x, 5, 4).unwrap()
    });
}

#[test]
fn nearest_by_inner_product() {
    for (n, d, k) in [(300, 16, 19), (131, 3, 1), (129, 32, 63), (20, 5, 19)] {
        let unit = |seed: u32| {
            let mut x = numbers(seed, n * d);
            crate::systems::spacross::hybrid::normalise_rows(&mut x, d);
            // Some rows are equal: ties go to the lower index.
            x.copy_within(0..d, 7 * d);
            x.copy_within(0..d, (n - 1) * d);
            Array2::from_shape_vec((n, d), x).unwrap()
        };
        let (queries, items) = (unit(1), unit(2));
        let near = inner_product_neighbours(queries.view(), items.view(), k, true, 1).unwrap();
        let placed = |x: &Array2<f32>| {
            Tensor::from_slice(x.as_slice().unwrap(), (n, d), &Device::Cpu).unwrap()
        };
        let (scores, ids) = with(Order::Forwards, || {
            let kernels = with_kernels().unwrap();
            most_similar(&kernels, &placed(&queries), &placed(&items), k).unwrap()
        });
        let ids = ids.to_vec().unwrap();
        for (query, (ids, scores)) in ids.chunks(k).zip(values(&scores).chunks(k)).enumerate() {
            let exact = |&i: &u32| -> f64 {
                let pairs = queries.row(query).into_iter().zip(items.row(i as usize));
                pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let expected = near.row(query);
            for (e, (id, theirs)) in ids.iter().zip(expected).enumerate() {
                assert!(*id as usize != query);
                assert!((f64::from(scores[e]) - exact(id)).abs() < 1e-5);
                assert!(
                    id == theirs || (exact(id) - exact(theirs)).abs() < 1e-6,
                    "{query}: {id} {theirs}"
                );
            }
            let ties = scores.windows(2).zip(ids.windows(2));
            assert!(ties
                .into_iter()
                .all(|(s, i)| s[0] > s[1] || (s[0] == s[1] && i[0] < i[1])));
        }
    }
}

#[test]
fn lloyds_iterations() {
    for (n, d, k) in [(517, 16, 7), (300, 2, 1), (40, 3, 40)] {
        let x = Array2::from_shape_vec((n, d), numbers(1, n * d)).unwrap();
        let settings = KMeansSettings {
            starts: 1,
            seed: 3,
            ..KMeansSettings::default()
        };
        let theirs = kmeans(x.view(), k, &settings).unwrap();
        for order in BOTH {
            let ours = with(order, || {
                kmeans_on(&with_kernels().unwrap(), x.view(), k, &settings).unwrap()
            });
            assert_eq!(ours.labels, theirs.labels);
            assert!((ours.inertia - theirs.inertia).abs() <= 1e-6 * theirs.inertia);
        }
    }
}

fn folder() -> std::path::PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance").into()
}

fn all_close(name: &str, gaps: &[Gap], tolerance: f64) {
    assert!(!gaps.is_empty());
    for gap in gaps {
        assert!(gap.gap <= tolerance, "{name}: {gap:?}");
    }
}

#[test]
fn the_published_runs() {
    for name in RUNS {
        let gaps = with(Order::Forwards, || {
            let mut gaps = three_steps(&folder(), name, &Device::Cpu).unwrap();
            gaps.extend(first_gradients(&folder(), name, &Device::Cpu).unwrap());
            gaps.extend(described_contrast(&folder(), name, &Device::Cpu).unwrap());
            gaps
        });
        all_close(name, &gaps, 1e-4);
    }
}

fn trainer(n: usize, params: Params, slices: usize) -> Trainer {
    let mut rng = Rng::new(2, Purpose::Data, 0);
    let coords = Array2::from_shape_fn((n, 2), |_| rng.uniform());
    let input = match params.imputation {
        true => Input::scaled(genes(n, 27, slices)),
        false => Input::dense(Array2::from_shape_vec((n, 70), numbers(1, n * 70)).unwrap()),
    };
    let graph = Graph::knn(coords.view(), 6).unwrap();
    let order = curve_order(coords.view()).unwrap();
    // Any rate: one beyond what the options allow makes a training go astray.
    let learning_rate = params.learning_rate;
    let allowed = Params {
        learning_rate: 1e-3,
        ..params
    };
    let mut params = allowed.check(n, 4).unwrap();
    params.params.learning_rate = learning_rate;
    let trainer = Trainer::new(input, &graph, order, params, 7, 1, &Device::Cpu).unwrap();
    let ids: Vec<u32> = (0..n).map(|i| (i % slices) as u32).collect();
    trainer.with_slices(&Slices::new(ids).unwrap()).unwrap()
}

/// All epochs: masks, hybrid graphs, losses, steps. The first half makes the hybrid graph, the second trains on it.
#[test]
fn trainings_agree_with_the_cpu() {
    let all = Params {
        update_every: 3,
        top_k: 5,
        ..Params::default()
    };
    let odd = Params {
        hidden1: 65,
        hidden2: 31,
        gcn_hidden: 9,
        latent: 13,
        project: 11,
        momentum: 0.9,
        contrast: Contrast::AllPairs,
        ..all.clone()
    };
    let genes = Params {
        imputation: true,
        ..all.clone()
    };
    let cases = [
        ("default", all, 1),
        ("odd widths", odd, 1),
        ("genes", genes.clone(), 1),
        ("slices", genes, 2),
    ];
    let spans = Spans {
        steps: 5,
        epochs: 6,
    };
    for (what, params, slices) in cases {
        let run = || record(|| Ok(trainer(83, params.clone(), slices)), spans).unwrap();
        let [ours, backwards] = BOTH.map(|order| with(order, run));
        assert!(ours.repeats(&backwards), "{what}: a race");
        let (gaps, last) = ours.against(&run());
        all_close(what, &gaps, 1e-4);
        all_close(what, &[last], 1e-4);
    }
}

#[test]
fn a_training_that_leaves_the_finite_numbers_is_told() {
    for imputation in [false, true] {
        let params = Params {
            learning_rate: 1e30,
            imputation,
            ..Params::default()
        };
        let run = || trainer(83, params.clone(), 1).steps(12);
        for result in [run(), with(Order::Forwards, run)] {
            assert!(matches!(result, Err(crate::Error::Numeric { .. })));
        }
    }
}

/// Of sparse genes and dense proteins.
fn spalora(n: usize) -> crate::systems::spalora::Trainer {
    let mut rng = Rng::new(2, Purpose::Data, 0);
    let mut graph = |k: usize| {
        let places = Array2::from_shape_fn((n, 2), |_| rng.uniform());
        Graph::knn(places.view(), k).unwrap()
    };
    let (spatial, similar) = (graph(5), [graph(7), graph(7)]);
    let rna = genes(n, 27, 1);
    let rna = Modality {
        kind: ModalityKind::Rna,
        mean_expression: rna.column_means(),
        projection: None,
        features: Features {
            input: Columns::Scaled(rna),
            ..Features::from_matrix(Array2::zeros((0, 0)))
        },
        components: Array2::zeros((n, 0)),
    };
    let proteins = Array2::from_shape_vec((n, 10), numbers(3, n * 10)).unwrap();
    let proteins = Modality::from_matrix(proteins).unwrap();
    let params = crate::systems::spalora::Params {
        latent: 12,
        init: crate::systems::spalora::Init::Random,
        sees: crate::systems::spalora::Sees::Genes,
        ..Default::default()
    };
    crate::systems::spalora::Trainer::new(
        &[&rna, &proteins],
        &spatial,
        &[&similar[0], &similar[1]],
        (0..n as u32).collect(),
        params.check(2).unwrap(),
        7,
        1,
        &Device::Cpu,
    )
    .unwrap()
}

#[test]
fn trainings_of_spalora_agree_with_the_cpu() {
    let spans = Spans {
        steps: 5,
        epochs: 6,
    };
    let run = || crate::systems::spalora::check::record(|| Ok(spalora(83)), spans).unwrap();
    let [ours, backwards] = BOTH.map(|order| with(order, run));
    assert!(ours.repeats(&backwards), "a race");
    let (gaps, last) = ours.against(&run());
    all_close("SpaLORA", &gaps, 1e-4);
    all_close("SpaLORA", &[last], 1e-4);
}
