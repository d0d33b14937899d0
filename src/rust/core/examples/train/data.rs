//! Simulated cells.

use candle_core::Device;
use ndarray::Array2;
use spax_core::design::Input;
use spax_core::graph::{curve_order, Graph};
use spax_core::preprocess::{prepare, Features, Settings};
use spax_core::rng::{Purpose, Rng};
use spax_core::sparse::CountsView;
use spax_core::systems::spacross::memory::Size;
use spax_core::systems::spacross::{Params, Trainer};
use spax_core::Result;

use crate::{fault, in_pool};

/// Clusters of the hybrid graph's test.
const DOMAINS: usize = 7;
const SEED: u64 = 1;

/// Input, graph and the order of training.
pub struct Cells {
    features: Features,
    graph: Graph,
    order: Vec<u32>,
    pub size: Size,
}

impl Cells {
    pub fn new(features: Features, coords: &Array2<f64>, k: usize, threads: usize) -> Result<Self> {
        let (graph, order) = in_pool(threads, || {
            Ok((Graph::knn(coords.view(), k)?, curve_order(coords.view())?))
        })?;
        let (n_cells, n_columns) = features.dim();
        if n_cells != coords.nrows() {
            return Err(fault("coordinates and input of another number of cells"));
        }
        let size = Size {
            n_cells,
            n_columns,
            n_edges: graph.n_edges(),
            n_nonzero: features.n_nonzero(),
        };
        Ok(Self {
            features,
            graph,
            order,
            size,
        })
    }

    pub fn trainer(&self, params: &Params, threads: usize, device: &Device) -> Result<Trainer> {
        let mut params = params.clone();
        params.imputation = self.size.n_nonzero > 0;
        let params = params.check(self.size.n_cells, DOMAINS)?;
        let input = in_pool(threads, || Ok(Input::from(&self.features)))?;
        let order = self.order.clone();
        Trainer::new(input, &self.graph, order, params, SEED, threads, device)
    }
}

/// Cells at random places with a smooth field and noise, so that embeddings have something to find.
pub fn simulate(n: usize, columns: usize, k: usize, threads: usize) -> Result<Cells> {
    let mut rng = Rng::new(1, Purpose::Data, 0);
    let side = (n as f64).sqrt();
    let coords = Array2::from_shape_fn((n, 2), |_| rng.uniform_in(0.0, side));
    let x = Array2::from_shape_fn((n, columns), |(i, c)| {
        let wave = (coords[[i, c % 2]] / side * (3.0 + (c % 7) as f64)).sin();
        (wave * 10.0 / (1.0 + c as f64) + rng.normal()) as f32
    });
    Cells::new(Features::from_matrix(x), &coords, k, threads)
}

/// Counts at random places, whose genes follow a smooth field.
pub fn simulate_genes(n: usize, genes: usize, k: usize, threads: usize) -> Result<Cells> {
    let mut rng = Rng::new(2, Purpose::Data, 0);
    let coords = Array2::from_shape_fn((n, 2), |_| rng.uniform());
    let (mut indptr, mut indices, mut values) = (vec![0i32], vec![], vec![]);
    for i in 0..n {
        for gene in 0..genes {
            let wave = 1.0 + (coords[[i, gene % 2]] * (2.0 + (gene % 5) as f64)).sin();
            if rng.uniform() < 0.3 * wave {
                indices.push(gene as i32);
                values.push(1.0 + (rng.uniform() * 4.0).floor());
            }
        }
        indptr.push(indices.len() as i32);
    }
    let counts = CountsView::new(&indptr, &indices, &values, genes)?;
    let settings = Settings {
        scaled_genes: true,
        ..Settings::default()
    };
    let features = in_pool(threads, || prepare(&counts, &settings))?;
    Cells::new(features, &coords, k, threads)
}
