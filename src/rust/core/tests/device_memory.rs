//! What training takes of a device's memory, counted on the emulator: there a device's memory is the process's own.
#![cfg(feature = "emulate")]
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use candle_core::Device;
use ndarray::Array2;
use spax_core::design::Input;
use spax_core::gpu::emulated::{with, Order};
use spax_core::graph::Graph;
use spax_core::preprocess::{Modality, Settings};
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
use spax_core::sparse::CountsView;
use spax_core::systems::{spacross, spalora};

/// The system's allocator, with the bytes in use and the most so far.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        System.dealloc(place, layout);
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The tests of this file count the same bytes.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The most bytes that `work` holds at once beyond those in use before it.
fn peak(work: impl FnOnce()) -> usize {
    let before = IN_USE.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    work();
    MOST.load(Ordering::Relaxed) - before
}

fn numbers(seed: u32, rows: usize, columns: usize) -> Array2<f32> {
    let mut rng = Rng::new(4, Purpose::Data, seed);
    Array2::from_shape_fn((rows, columns), |_| rng.normal() as f32)
}

/// A graph of `n` nodes at random places.
fn graph(seed: u32, n: usize, k: usize) -> Graph {
    let places = numbers(seed, n, 2).mapv(f64::from);
    Graph::knn(places.view(), k).unwrap()
}

fn spacross_trainer(
    n: usize,
    params: spacross::Params,
) -> (spacross::Trainer, spacross::memory::Size) {
    let graph = graph(2, n, 12);
    let input = match params.imputation {
        true => Input::from(&rna(n, 150, 0.1).features),
        false => Input::dense(numbers(1, n, 150)),
    };
    let size = spacross::memory::Size {
        n_cells: n,
        n_columns: 150,
        n_edges: graph.n_edges(),
        n_nonzero: 0,
    };
    let params = params.check(n, 4).unwrap();
    let order = (0..n as u32).collect();
    let trainer = spacross::Trainer::new(input, &graph, order, params, 7, 1, &Device::Cpu);
    (trainer.unwrap(), size)
}

/// Genes of which a cell has the share `filled`.
fn rna(n: usize, n_genes: usize, filled: f64) -> Modality {
    let mut rng = Rng::new(5, Purpose::Data, 0);
    let (mut starts, mut genes, mut values) = (vec![0], vec![], vec![]);
    for _ in 0..n {
        for gene in 0..n_genes {
            if rng.uniform() < filled {
                genes.push(gene as i32);
                values.push(1.0 + (rng.uniform() * 4.0).floor());
            }
        }
        starts.push(genes.len() as i32);
    }
    let settings = Settings {
        min_cells: 1,
        ..Settings::default()
    };
    let counts = CountsView::new(&starts, &genes, &values, n_genes).unwrap();
    Modality::rna(&counts, &Slices::one(n), &settings, 4, None).unwrap()
}

/// Of `m` modalities: genes, then what has few columns.
fn spalora_trainer(n: usize, m: usize, latent: usize) -> (spalora::Trainer, spalora::memory::Size) {
    let mut modalities = vec![rna(n, 100, 0.1)];
    let others = (1..m as u32).map(|seed| Modality::from_matrix(numbers(seed, n, 10)).unwrap());
    modalities.extend(others);
    let params = spalora::Params {
        latent,
        sees: spalora::Sees::Genes,
        init: spalora::Init::Random,
        ..Default::default()
    };
    let graphs: Vec<Graph> = (0..=m).map(|seed| graph(seed as u32, n, 6)).collect();
    let size = spalora::memory::Size {
        n_cells: n,
        n_edges: graphs.iter().map(Graph::n_edges).sum(),
        parts: modalities
            .iter()
            .map(|modality| spalora::memory::Part::of(modality, &params))
            .collect(),
    };
    let cells = spalora::Cells {
        modalities: &modalities,
        spatial: &graphs[0],
        similar: &graphs[1..],
        order: &(0..n as u32).collect::<Vec<_>>(),
    };
    let params = params.check(m).unwrap();
    let trainer = spalora::Trainer::new(cells, params, 7, 1, &Device::Cpu);
    (trainer.unwrap(), size)
}

/// Many epochs in one call peak where few do: what an epoch leaves behind is its losses.
#[test]
fn memory_does_not_grow_with_the_epochs() {
    let _alone = ONE_AT_A_TIME.lock().unwrap();
    let flat = |system: &str, steps: &mut dyn FnMut(usize)| {
        steps(3);
        let [few, many] = [2, 8].map(|epochs| peak(|| steps(epochs)));
        assert!(
            many < few + few / 4,
            "{system}: {few} bytes in 2 epochs, {many} in 8"
        );
    };
    with(Order::Forwards, || {
        let params = spacross::Params {
            update_every: 2,
            top_k: 5,
            ..Default::default()
        };
        let (mut trainer, _) = spacross_trainer(200, params);
        flat("SpaCross", &mut |epochs| {
            trainer.steps(epochs).unwrap();
        });
        let (mut trainer, _) = spalora_trainer(200, 2, 16);
        flat("SpaLORA", &mut |epochs| {
            trainer.steps(epochs).unwrap();
        });
    });
}

/// The estimate of an epoch against what it takes (with what the host takes for draws, which is little).
fn between(what: &str, estimate: u64, steps: impl FnOnce()) {
    let peak = peak(steps) as f64;
    let ratio = estimate as f64 / peak;

    assert!((1.0..2.0).contains(&ratio), "{what}: {ratio} of {peak}");
}

#[test]
fn estimates_of_an_epoch_are_bounds_and_close() {
    let _alone = ONE_AT_A_TIME.lock().unwrap();
    let spacross = |what: &str, params: spacross::Params| {
        let params = spacross::Params {
            update_every: 2,
            ..params
        };
        let (mut trainer, size) = spacross_trainer(700, params.clone());
        let estimate = spacross::memory::epoch_on_device(&size, &params);
        // The hybrid graph is there after three.
        trainer.steps(3).unwrap();
        between(what, estimate, || {
            trainer.steps(1).unwrap();
        });
    };
    let defaults = spacross::Params::default;
    with(Order::Forwards, || {
        spacross("SpaCross", defaults());
        let wide = spacross::Params {
            hidden1: 128,
            latent: 32,
            momentum: 0.9,
            ..defaults()
        };
        spacross("SpaCross, wide and untied", wide);
        let genes = spacross::Params {
            imputation: true,
            ..defaults()
        };
        spacross("SpaCross, genes", genes);
        let pairs = spacross::Params {
            contrast: spacross::Contrast::AllPairs,
            ..defaults()
        };
        spacross("SpaCross, all pairs", pairs);
        for (m, latent) in [(2, 64), (2, 16), (3, 32)] {
            let (mut trainer, size) = spalora_trainer(700, m, latent);
            let params = spalora::Params {
                latent,
                ..Default::default()
            };
            let estimate = spalora::memory::epoch_on_device(&size, &params);
            between(
                &format!("SpaLORA, {m} modalities, {latent} columns"),
                estimate,
                || {
                    trainer.steps(2).unwrap();
                },
            );
        }
    });
}
