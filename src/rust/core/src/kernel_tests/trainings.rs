//! Whole trainings of both systems.

use candle_core::Device;
use ndarray::Array2;

use super::{genes, numbers, BOTH};
use crate::check::{Gap, Spans};
use crate::design::Input;
use crate::gpu::emulated::{with, Order};
use crate::graph::{curve_order, Graph};
use crate::preprocess::{Columns, Features, Modality, ModalityKind};
use crate::rng::{Purpose, Rng};
use crate::slices::Slices;
use crate::systems::spacross::check::{
    described_contrast, first_gradients, record, three_steps, RUNS,
};
use crate::systems::spacross::{Contrast, Params, Trainer};

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

pub(super) fn trainer(n: usize, params: Params, slices: usize) -> Trainer {
    let mut rng = Rng::new(2, Purpose::Data, 0);
    let coords = Array2::from_shape_fn((n, 2), |_| rng.uniform());
    let input = match params.imputation {
        true => Input::from(genes(n, 27, slices)),
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
        let run = || record(|| Ok(trainer(83, params.clone(), slices)), spans, None).unwrap();
        let [ours, backwards] = BOTH.map(|order| with(order, run));
        assert!(ours.repeats(&backwards), "{what}: a race");
        let (gaps, last) = ours.against(&run());
        all_close(what, &gaps, 1e-4);
        all_close(what, &[last], 1e-4);
    }
}

#[test]
fn what_is_made_of_unseen_cells_agrees_with_the_cpu() {
    for imputation in [false, true] {
        let params = Params {
            imputation,
            ..Params::default()
        };
        let run = || {
            let mut trainer = trainer(83, params.clone(), 1);
            trainer.steps(2).unwrap();
            trainer.unseen().unwrap()
        };
        let gap = &with(Order::Forwards, run) - &run();
        let most = gap.iter().fold(0f32, |m, d| m.max(d.abs()));
        assert!(most < 1e-4, "{most}");
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
    let cells = crate::systems::spalora::Cells {
        modalities: &[rna, proteins],
        spatial: &spatial,
        similar: &similar,
        order: &(0..n as u32).collect::<Vec<_>>(),
    };
    let params = params.check(2).unwrap();
    crate::systems::spalora::Trainer::new(cells, params, 7, 1, &Device::Cpu).unwrap()
}

#[test]
fn trainings_of_spalora_agree_with_the_cpu() {
    let spans = Spans {
        steps: 5,
        epochs: 6,
    };
    let run = || crate::systems::spalora::check::record(|| Ok(spalora(83)), spans, None).unwrap();
    let [ours, backwards] = BOTH.map(|order| with(order, run));
    assert!(ours.repeats(&backwards), "a race");
    let (gaps, last) = ours.against(&run());
    all_close("SpaLORA", &gaps, 1e-4);
    all_close("SpaLORA", &[last], 1e-4);
}
