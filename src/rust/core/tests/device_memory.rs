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

fn spacross_trainer(n: usize) -> spacross::Trainer {
    let params = spacross::Params {
        update_every: 2,
        top_k: 5,
        ..Default::default()
    };
    let input = Input::dense(numbers(1, n, 30));
    let params = params.check(n, 4).unwrap();
    let order = (0..n as u32).collect();
    spacross::Trainer::new(input, &graph(2, n, 6), order, params, 7, 1, &Device::Cpu).unwrap()
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

fn spalora_trainer(n: usize) -> spalora::Trainer {
    let modalities = [
        rna(n, 100, 0.1),
        Modality::from_matrix(numbers(3, n, 10)).unwrap(),
    ];
    let params = spalora::Params {
        latent: 16,
        sees: spalora::Sees::Genes,
        init: spalora::Init::Random,
        ..Default::default()
    };
    spalora::Trainer::new(
        &[&modalities[0], &modalities[1]],
        &graph(1, n, 6),
        &[&graph(2, n, 6), &graph(3, n, 6)],
        (0..n as u32).collect(),
        params.check(2).unwrap(),
        7,
        1,
        &Device::Cpu,
    )
    .unwrap()
}

/// Many epochs in one call peak where few do: what an epoch leaves behind is its losses.
#[test]
fn memory_does_not_grow_with_the_epochs() {
    let _alone = ONE_AT_A_TIME.lock().unwrap();
    let n = 200;
    let flat = |system: &str, steps: &mut dyn FnMut(usize)| {
        steps(3);
        let [few, many] = [2, 20].map(|epochs| peak(|| steps(epochs)));
        assert!(
            many < few + few / 4,
            "{system}: {few} bytes in 2 epochs, {many} in 20"
        );
    };
    with(Order::Forwards, || {
        let mut trainer = spacross_trainer(n);
        flat("SpaCross", &mut |epochs| {
            trainer.steps(epochs).unwrap();
        });
        let mut trainer = spalora_trainer(n);
        flat("SpaLORA", &mut |epochs| {
            trainer.steps(epochs).unwrap();
        });
    });
}
