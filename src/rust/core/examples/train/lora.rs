//! SpaLORA on simulated cells: RNA as sparse scaled genes, and a few proteins.

use candle_core::Device;
use ndarray::Array2;
use spax_core::graph::{curve_order, Graph};
use spax_core::preprocess::{Columns, FeatureKind, Features, Modality, ModalityKind, ScaledGenes};
use spax_core::rng::{Purpose, Rng};
use spax_core::sparse::Csr;
use spax_core::systems::spalora::memory::{Part, Size};
use spax_core::systems::spalora::{Cells, Init, Options, Params, Sees, Trainer};
use spax_core::Result;

use crate::in_pool;

/// Modalities and graphs.
pub struct Tissue {
    modalities: Vec<Modality>,
    spatial: Graph,
    similar: Vec<Graph>,
    order: Vec<u32>,
    pub size: Size,
}

impl Tissue {
    /// `n` cells at random places with `genes` genes, of which a cell has the share `filled`, and `proteins` proteins.
    /// What makes cells similar costs the same whatever it is: here it is a second set of random places.
    pub fn simulate(
        n: usize,
        genes: usize,
        filled: f64,
        proteins: usize,
        threads: usize,
    ) -> Result<Self> {
        in_pool(threads, || {
            let coords = places(n, 0);
            let modalities = vec![rna(&coords, genes, filled)?, protein(&coords, proteins)?];
            let k = Options::default().feature_k.min(n - 1);
            let similar = (1..=2).map(|m| Graph::knn(places(n, m).view(), k));
            Self::new(modalities, &coords, similar.collect::<Result<_>>()?)
        })
    }

    fn new(modalities: Vec<Modality>, coords: &Array2<f64>, similar: Vec<Graph>) -> Result<Self> {
        let spatial = Graph::knn(coords.view(), Options::default().graph.k)?;
        let part = |m: &Modality| Part {
            n_columns: m.features.dim().1,
            n_nonzero: m.features.n_nonzero(),
        };
        let size = Size {
            n_cells: coords.nrows(),
            n_edges: spatial.n_edges() + similar.iter().map(Graph::n_edges).sum::<usize>(),
            parts: modalities.iter().map(part).collect(),
        };
        Ok(Self {
            order: curve_order(coords.view())?,
            modalities,
            spatial,
            similar,
            size,
        })
    }

    pub fn trainer(&self, params: &Params, threads: usize, device: &Device) -> Result<Trainer> {
        // The simulated genes come without their components.
        let params = Params {
            init: Init::Random,
            sees: Sees::Genes,
            ..params.clone()
        };
        let params = params.check(self.modalities.len())?;
        let cells = Cells {
            modalities: &self.modalities,
            spatial: &self.spatial,
            similar: &self.similar,
            order: &self.order,
        };
        Trainer::new(cells, params, 1, threads, device)
    }
}

fn places(n: usize, of: u32) -> Array2<f64> {
    let mut rng = Rng::new(3, Purpose::Data, of);
    Array2::from_shape_fn((n, 2), |_| rng.uniform())
}

/// Genes that follow a smooth field.
fn rna(coords: &Array2<f64>, genes: usize, filled: f64) -> Result<Modality> {
    let mut rng = Rng::new(4, Purpose::Data, 0);
    let (mut starts, mut columns, mut values) = (vec![0], vec![], vec![]);
    for place in coords.rows() {
        for gene in 0..genes {
            let wave = 1.0 + (place[gene % 2] * (2.0 + (gene % 5) as f64)).sin();
            if rng.uniform() < filled * wave {
                columns.push(gene as u32);
                values.push(1.0 + rng.uniform() as f32);
            }
        }
        starts.push(columns.len());
    }
    let scaled = ScaledGenes::new(Csr::new(genes, starts, columns, values)?)?;
    Ok(Modality {
        kind: ModalityKind::Rna,
        mean_expression: scaled.column_means(),
        projection: None,
        features: Features {
            input: Columns::Scaled(scaled),
            kind: FeatureKind::ScaledGenes,
            genes: (0..genes as u32).collect(),
            ..Features::from_matrix(Array2::zeros((0, 0)))
        },
        components: Array2::zeros((coords.nrows(), 0)),
    })
}

fn protein(coords: &Array2<f64>, proteins: usize) -> Result<Modality> {
    let mut rng = Rng::new(5, Purpose::Data, 0);
    Modality::from_matrix(Array2::from_shape_fn(
        (coords.nrows(), proteins),
        |(i, c)| {
            let wave = (coords[[i, c % 2]] * (3.0 + c as f64)).sin();
            (wave + 0.3 * rng.normal()) as f32
        },
    ))
}
