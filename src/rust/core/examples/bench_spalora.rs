//! CPU milliseconds of one epoch of SpaLORA and peak memory, on simulated RNA and proteins.
//!
//! `bench_spalora CELLS [GENES] [PROTEINS] [THREADS] [EPOCHS] [PERCENT] [LATENT] [K] [genes]`: PERCENT of the RNA's
//! entries are not zero. The width of the embeddings and k of the spatial graph are the defaults of `RunSpaLORA()`
//! unless given. With the word `genes` the network sees all genes, as published, and not their components.

#[path = "measure/mod.rs"]
mod measure;

use candle_core::Device;
use measure::{cpu_seconds, peak_megabytes};
use ndarray::{Array2, ArrayView2};
use spax_core::graph::{correlation_knn, curve_order, spatial_knn, Graph};
use spax_core::preprocess::{Modality, Settings};
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
use spax_core::sparse::CountsView;
use spax_core::systems::spalora::{Cells, Params, Sees, Trainer};
use spax_core::{threads, Result};
use std::time::Instant;

/// Of the RNA.
const COMPONENTS: usize = 30;

/// Counts with `share` of their entries not zero, and components of means over 6 neighbours.
fn rna(coords: ArrayView2<f64>, genes: usize, share: f64) -> Result<Modality> {
    let mut rng = Rng::new(1, Purpose::Data, 0);
    let n = coords.nrows();
    let (mut indptr, mut indices, mut values) = (vec![0], vec![], vec![]);
    for _ in 0..n {
        for g in 0..genes {
            if rng.uniform() < share {
                indices.push(g as i32);
                values.push((1.0 + 5.0 * rng.uniform()).floor());
            }
        }
        indptr.push(indices.len() as i32);
    }
    let counts = CountsView::new(&indptr, &indices, &values, genes)?;
    let settings = Settings {
        n_genes: genes,
        log1p: true,
        target_sum: 1e4,
        ..Settings::default()
    };
    let start = (Instant::now(), cpu_seconds());
    let near = spatial_knn(coords, 6)?;
    let modality = Modality::rna(&counts, &Slices::one(n), &settings, COMPONENTS, Some(&near))?;
    println!(
        "components {:.2} s CPU, {:.2} s wall",
        cpu_seconds() - start.1,
        start.0.elapsed().as_secs_f64()
    );
    Ok(modality)
}

/// Components that vary over the tissue, with noise.
fn components(coords: &Array2<f64>, columns: usize, seed: u32) -> Array2<f32> {
    let mut rng = Rng::new(3, Purpose::Data, seed);
    let side = (coords.nrows() as f64).sqrt();
    Array2::from_shape_fn((coords.nrows(), columns), |(i, c)| {
        let waves = 3.0 + (c % 7 + seed as usize) as f64;
        let wave = (coords[[i, c % 2]] / side * waves).sin();
        (wave * 4.0 / (1.0 + c as f64) + 0.5 * rng.normal()) as f32
    })
}

fn main() -> Result<()> {
    let arguments: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let argument = |i: usize, default: usize| arguments.get(i).copied().unwrap_or(default);
    let (n, genes, proteins) = (argument(0, 10_000), argument(1, 3000), argument(2, 30));
    let (n_threads, epochs, percent) = (argument(3, 1), argument(4, 20), argument(5, 5));
    let (latent, k) = (argument(6, Params::default().latent), argument(7, 6));
    let mut rng = Rng::new(3, Purpose::Data, 0);
    let side = (n as f64).sqrt();
    let coords = Array2::from_shape_fn((n, 2), |_| rng.uniform_in(0.0, side));
    let parts = [0, 1].map(|seed| components(&coords, proteins - 1, seed));
    let (modalities, spatial, features, order) = threads::install(n_threads, || {
        Ok((
            [
                rna(coords.view(), genes, percent as f64 / 100.0)?,
                Modality::from_matrix(parts[1].clone())?,
            ],
            Graph::knn(coords.view(), k)?,
            [
                correlation_knn(parts[0].view(), 20, 1)?,
                correlation_knn(parts[1].view(), 20, 1)?,
            ],
            curve_order(coords.view())?,
        ))
    })?;
    let before = peak_megabytes();
    let by_genes = std::env::args().any(|a| a == "genes");
    let sees = if by_genes {
        Sees::Genes
    } else {
        Sees::Components
    };
    let params = Params {
        latent,
        sees,
        ..Params::default()
    };
    let params = params.check(2)?;
    let cells = Cells {
        modalities: &modalities,
        spatial: &spatial,
        similar: &features,
        order: &order,
    };
    let mut trainer = Trainer::new(cells, params, 1, n_threads, &Device::Cpu)?;
    trainer.step()?;
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    for _ in 0..epochs {
        trainer.step()?;
    }
    let each = 1e3 / epochs as f64;
    println!(
        "{n} cells x {genes} genes ({percent} %, by {sees:?}) + {proteins} proteins, d = {latent}, k = {k}, {n_threads} threads: \
         epoch {:.1} ms wall {:.1} ms CPU; peak {:.0} MB (before training {before:.0})",
        wall.elapsed().as_secs_f64() * each,
        (cpu_seconds() - cpu) * each,
        peak_megabytes()
    );
    Ok(())
}
