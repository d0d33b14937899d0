//! Every long operation stops soon after it is cancelled from another thread.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use candle_core::Device;
use ndarray::Array2;
use spax_core::align::{
    align_stack, paste, Method, Mirror, Outline, Params, PasteParams, Scale, Sides, Stack,
};
use spax_core::cluster::{consensus, gaussian_mixture, kmeans, KMeansSettings, MixtureSettings};
use spax_core::design::Input;
use spax_core::graph::{
    correlation_knn, curve_order, euclidean_neighbours, reach, shared_neighbour_edges, smooth,
    spatial_knn, Graph,
};
use spax_core::metrics::{lisi, silhouette};
use spax_core::preprocess::{lsi, prepare, Modality, Settings};
use spax_core::progress::{self, Progress};
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
use spax_core::sparse::CountsView;
use spax_core::systems::{spacross, spalora};
use spax_core::{threads, Error, Result};

/// What a Ctrl-C may take, less the tenth of a second until R's thread looks for it.
const SOON: f64 = 0.2;

/// How often work that ended before its moment is begun again: a fast machine needs it, and work that never looks comes to an end.
const ROUNDS: usize = 50;

/// Seconds until cancelled work has ended: the work itself must say that it was interrupted.
fn seconds_to_stop(name: &str, after: Duration, work: &(impl Fn() -> Result<()> + Sync)) -> f64 {
    let progress = Progress::new();
    let theirs = progress.clone();
    let rounds = || (0..ROUNDS).try_for_each(|_| work());
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let outcome = progress::with(theirs, || threads::install(2, rounds));
            (outcome, Instant::now())
        });
        std::thread::sleep(after);
        let cancelled = Instant::now();
        progress.cancel();
        let (outcome, ended) = worker.join().unwrap();
        let interrupted = matches!(outcome, Err(Error::Interrupted));
        assert!(interrupted, "{name} after {after:?}: {outcome:?}");
        ended.saturating_duration_since(cancelled).as_secs_f64()
    })
}

static ALONE: Mutex<()> = Mutex::new(());

/// One test at a time, from its first line: the threads of several, and what makes their data, would wait for each other.
fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tries at each moment. A busy machine may be slow for some time, but code that does not look is slow each time.
const TRIES: usize = 8;

/// Cancels at each of these moments (in milliseconds).
fn stops(name: &str, moments: &[u64], work: impl Fn() -> Result<()> + Sync) {
    for &moment in moments {
        let after = Duration::from_millis(moment);
        let tries = (0..TRIES).map(|_| seconds_to_stop(name, after, &work));
        let mut longest = Vec::new();
        let soon = tries.inspect(|&s| longest.push(s)).any(|s| s < SOON);
        assert!(soon, "{name} after {after:?}: {longest:?} s");
    }
}

fn numbers(rows: usize, columns: usize) -> Array2<f32> {
    let mut rng = Rng::new(1, Purpose::Data, 0);
    Array2::from_shape_fn((rows, columns), |(i, _)| {
        (i % 7) as f32 + 2.0 * rng.normal() as f32
    })
}

fn places(n: usize) -> Array2<f64> {
    let mut rng = Rng::new(2, Purpose::Data, 0);
    Array2::from_shape_fn((n, 2), |_| rng.uniform())
}

fn labels(n: usize, k: usize, seed: u64) -> Vec<u32> {
    let mut rng = Rng::new(seed, Purpose::Data, 0);
    (0..n).map(|_| rng.below(k) as u32).collect()
}

/// The slots of counts of which one in `rare` is not zero.
struct Slots {
    indptr: Vec<i32>,
    genes: Vec<i32>,
    values: Vec<f64>,
    n_genes: usize,
}

impl Slots {
    fn new(n_cells: usize, n_genes: usize, rare: usize) -> Self {
        let mut rng = Rng::new(3, Purpose::Data, 0);
        let (mut indptr, mut genes, mut values) = (vec![0], Vec::new(), Vec::new());
        for _ in 0..n_cells {
            let mut gene = rng.below(2 * rare - 1);
            while gene < n_genes {
                genes.push(gene as i32);
                values.push(1.0 + rng.below(4) as f64);
                gene += 1 + rng.below(2 * rare - 1);
            }
            indptr.push(genes.len() as i32);
        }
        Self {
            indptr,
            genes,
            values,
            n_genes,
        }
    }

    fn view(&self) -> CountsView<'_> {
        CountsView::new(&self.indptr, &self.genes, &self.values, self.n_genes).unwrap()
    }
}

#[test]
fn preparing_stops() {
    let _alone = alone();
    let counts = Slots::new(6000, 4000, 15);
    let settings = Settings::default();
    stops("principal components", &[5, 100, 300, 700], || {
        prepare(&counts.view(), &settings).map(|_| ())
    });
    let near = spatial_knn(places(6000).view(), 18).unwrap();
    let slices = Slices::one(6000);
    stops("spatial components", &[100, 600], || {
        Modality::rna(&counts.view(), &slices, &settings, 50, Some(&near)).map(|_| ())
    });
    let peaks = Slots::new(6000, 8000, 15);
    stops("latent semantic indexing", &[50, 500], || {
        lsi(&peaks.view(), 50, 1).map(|_| ())
    });
}

#[test]
fn clustering_stops() {
    let _alone = alone();
    let x = numbers(20_000, 20);
    stops("mixture", &[20, 300, 1000], || {
        gaussian_mixture(x.view(), 9, &MixtureSettings::default()).map(|_| ())
    });
    let many = numbers(300_000, 20);
    stops("k-means", &[20, 300], || {
        kmeans(many.view(), 20, &KMeansSettings::default()).map(|_| ())
    });
    let runs: Vec<Vec<u32>> = (0..8).map(|run| labels(60_000, 6, run)).collect();
    stops("consensus", &[10, 300], || consensus(&runs, 6).map(|_| ()));
}

#[test]
fn searching_neighbours_stops() {
    let _alone = alone();
    let coords = places(500_000);
    stops("neighbours in space", &[300, 700], || {
        spatial_knn(coords.view(), 30).map(|_| ())
    });
    let fewer = places(60_000);
    stops("radius", &[50, 300], || {
        Graph::radius(fewer.view(), 0.06).map(|_| ())
    });
    let x = numbers(30_000, 30);
    stops("exact neighbours", &[20, 500], || {
        euclidean_neighbours(x.view(), 20, 1).map(|_| ())
    });
    stops("shared neighbours", &[20, 500], || {
        shared_neighbour_edges(x.view(), 20, 0.07, 1).map(|_| ())
    });
    let many = numbers(90_000, 50);
    stops("approximate neighbours", &[50, 500], || {
        correlation_knn(many.view(), 20, 1).map(|_| ())
    });
}

#[test]
fn averaging_and_scoring_stop() {
    let _alone = alone();
    let coords = places(60_000);
    let near = spatial_knn(coords.view(), 36).unwrap();
    let x = numbers(60_000, 50);
    stops("smoothing", &[20, 300], || {
        smooth(x.view(), &near, 100).map(|_| ())
    });
    let order: Vec<u32> = (0..60_000).collect();
    stops("width of the average", &[20, 300], || {
        reach(x.view(), &near, &order).map(|_| ())
    });
    let found = labels(60_000, 9, 1);
    stops("silhouette", &[20, 300], || {
        silhouette(&found, coords.view()).map(|_| ())
    });
    stops("local Simpson's index", &[20, 500], || {
        lisi(x.slice(ndarray::s![..25_000, ..]), &found[..25_000], 30, 1).map(|_| ())
    });
}

#[test]
fn aligning_stops() {
    let _alone = alone();
    let coords = ndarray::concatenate![ndarray::Axis(0), places(6000), places(6000)];
    let slices = Slices::new((0..12_000).map(|cell| cell / 6000).collect()).unwrap();
    let slots = Slots::new(12_000, 30, 3);
    let stack = Stack {
        coords: coords.view(),
        slices: &slices,
        counts: Some(slots.view()),
    };
    let params = Params {
        method: Method::Icp,
        outline: Outline::All,
        tolerance: 1e-6,
        rounds: 200,
        keeps: vec![1.0, 0.8, 0.6],
        starts: 36,
        mirror: Mirror::Allowed,
        scale: Scale::Grids,
        gaps: vec![10.0],
        spot_distance: None,
    };
    stops("closest points and search", &[50, 500], || {
        align_stack(&stack, &params).map(|_| ())
    });
    let spots: Vec<[f64; 2]> = places(900)
        .rows()
        .into_iter()
        .map(|r| [r[0], r[1]])
        .collect();
    let counts = numbers(900, 300).mapv(|v| f64::from(v.abs()));
    let params = PasteParams {
        alpha: 0.1,
        spacing: 0.03,
        rounds: 100,
        starts: 12,
        sides: Sides::Both,
    };
    stops("transport", &[50, 300], || {
        paste(&spots, &spots, counts.view(), counts.view(), &params).map(|_| ())
    });
}

#[test]
fn training_stops() {
    let _alone = alone();
    let coords = places(40_000);
    let graph = Graph::knn(coords.view(), 6).unwrap();
    let order = curve_order(coords.view()).unwrap();
    let x = numbers(40_000, 200);
    let params = spacross::Params {
        update_every: 1,
        ..spacross::Params::default()
    };
    let params = params.check(40_000, 7).unwrap();
    stops("SpaCross", &[300, 1500, 3000], || {
        let input = Input::dense(x.clone());
        let (order, params) = (order.clone(), params.clone());
        let trainer = spacross::Trainer::new(input, &graph, order, params, 1, 2, &Device::Cpu);
        trainer?.steps(100).map(|_| ())
    });
    let modalities =
        [50, 40].map(|columns| Modality::from_matrix(numbers(40_000, columns)).unwrap());
    let params = spalora::Params::default().check(2).unwrap();
    let similar = [graph.clone(), graph.clone()];
    stops("SpaLORA", &[100, 600, 1500], || {
        let cells = spalora::Cells {
            modalities: &modalities,
            spatial: &graph,
            similar: &similar,
            order: &order,
        };
        let trainer = spalora::Trainer::new(cells, params.clone(), 1, 2, &Device::Cpu);
        trainer?.steps(300).map(|_| ())
    });
}
