//! SpaLORA as its users see it: shortcuts against direct formulas, any number of modalities, determinism.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use candle_core::{Device, Tensor};
use ndarray::Array2;
use spax_core::design::Input;
use spax_core::engine::tensors::Tensors;
use spax_core::graph::{correlation_knn, curve_order, spatial_knn, Graph};
use spax_core::nn::linear::project;
use spax_core::preprocess::{Modality, Settings};
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
use spax_core::sparse::{CountsView, Csr};
use spax_core::systems::spalora::loss::{reconstruction, Constant};
use spax_core::systems::spalora::{Cells, Embedding, Encoder, Init, Params, Sees, Trainer};
use spax_core::{threads, Error};

use common::Slots;

/// Counts of `genes` genes in cells on a square, in two halves that differ.
struct Tissue {
    coords: Array2<f64>,
    counts: Slots,
}

fn tissue(side: usize, n_genes: usize) -> Tissue {
    let mut rng = Rng::new(8, Purpose::Data, 0);
    let n = side * side;
    let place = |c: usize| [(c % side) as f64, (c / side) as f64];
    let coords = Array2::from_shape_fn((n, 2), |(c, axis)| place(c)[axis] + 0.01 * rng.uniform());
    let counts = Array2::from_shape_fn((n, n_genes), |(cell, gene)| {
        let left = cell % side < side / 2;
        let level = if (gene % 3 == 0) == left { 4.0 } else { 1.0 };
        (level * rng.uniform() * 1.6).floor()
    });
    Tissue {
        coords,
        counts: Slots::new(&counts),
    }
}

impl Tissue {
    fn view(&self) -> CountsView<'_> {
        self.counts.view()
    }

    fn rna(&self) -> Modality {
        let settings = Settings {
            min_cells: 3,
            target_sum: 1e4,
            log1p: true,
            ..Settings::default()
        };
        let one = Slices::one(self.coords.nrows());
        let near = spatial_knn(self.coords.view(), 6).unwrap();
        Modality::rna(&self.view(), &one, &settings, 10, Some(&near)).unwrap()
    }
}

fn numbers(seed: u32, rows: usize, columns: usize) -> Array2<f32> {
    let mut rng = Rng::new(4, Purpose::Data, seed);
    Array2::from_shape_fn((rows, columns), |_| rng.normal() as f32)
}

fn tensor(x: &Array2<f32>) -> Tensor {
    Tensor::from_slice(x.as_slice().unwrap(), x.dim(), &Device::Cpu).unwrap()
}

#[test]
fn the_collapsed_loss_is_the_direct_one_on_sparse_genes() {
    let rna = tissue(20, 60).rna();
    let x = rna.features.to_dense().mapv(f64::from);
    let ((n, genes), d) = (x.dim(), 6);
    let (p, v) = (numbers(1, n, d) * 0.3, numbers(2, d, genes) * 0.3);
    let omega: Vec<f64> = (0..genes).map(|g| 1.0 + (g % 5) as f64).collect();
    let product = p.dot(&v);
    let direct: f64 = product
        .indexed_iter()
        .map(|((i, g), d)| omega[g] * (x[(i, g)] - f64::from(*d)).powi(2))
        .sum::<f64>()
        / (n * genes) as f64;
    let found = threads::install(2, || {
        let input = Arc::new(Input::from(&rna.features));
        let squares = input.column_squares();
        let constant = Constant {
            weights: omega.iter().map(|&w| w as f32).collect(),
            squares: squares.iter().zip(&omega).map(|(s, w)| s * w).sum(),
            omega: None,
        };
        let weighted = Array2::from_shape_fn((d, genes), |(c, g)| v[(c, g)] * omega[g] as f32);
        let y = project(&input, tensor(&weighted))?;
        let loss = reconstruction(tensor(&p), y, tensor(&v), &constant)?;
        Ok(f64::from(loss.value().to_scalar::<f32>()?))
    })
    .unwrap();
    assert!((found - direct).abs() < 1e-5 * direct, "{found} {direct}");
}

/// What the network takes of one tissue.
struct Parts {
    modalities: Vec<Modality>,
    spatial: Graph,
    similar: Vec<Graph>,
    order: Vec<u32>,
}

/// The first `m` of three modalities.
fn parts(m: usize, threads: usize) -> Parts {
    let tissue = tissue(20, 60);
    let n = tissue.coords.nrows();
    threads::install(threads, || {
        let mut modalities = vec![
            tissue.rna(),
            Modality::from_matrix(numbers(3, n, 8))?,
            Modality::atac(&tissue.view(), 7, 1)?
                .turned_to(&spatial_knn(tissue.coords.view(), 6)?)?,
        ];
        modalities.truncate(m);
        let similar = modalities
            .iter()
            .map(|m| correlation_knn(m.components.view(), 10, 1));
        Ok(Parts {
            similar: similar.collect::<Result<_, _>>()?,
            spatial: Graph::knn(tissue.coords.view(), 6)?,
            order: curve_order(tissue.coords.view())?,
            modalities,
        })
    })
    .unwrap()
}

impl Parts {
    fn cells(&self) -> Cells<'_> {
        Cells {
            modalities: &self.modalities,
            spatial: &self.spatial,
            similar: &self.similar,
            order: &self.order,
        }
    }

    fn trainer(&self, threads: usize) -> Trainer {
        self.trainer_from(Init::Components, threads)
    }

    fn trainer_from(&self, init: Init, threads: usize) -> Trainer {
        self.trainer_of(Sees::Components, init, threads)
    }

    fn trainer_of(&self, sees: Sees, init: Init, threads: usize) -> Trainer {
        let params = Params {
            latent: 16,
            sees,
            init,
            ..Params::default()
        };
        let params = params.check(self.modalities.len()).unwrap();
        Trainer::new(self.cells(), params, 7, threads, &Device::Cpu).unwrap()
    }
}

/// Trains on the first `m` of three modalities.
fn train(m: usize, init: Init, threads: usize, epochs: usize) -> (Vec<f32>, Embedding) {
    let mut trainer = parts(m, threads).trainer_from(init, threads);
    let losses = (0..epochs).map(|_| trainer.step().unwrap().total).collect();
    (losses, trainer.embedding().unwrap())
}

#[test]
fn two_and_three_modalities_learn() {
    for m in [2, 3] {
        let (random, _) = train(m, Init::Random, 2, 60);
        assert!(random[59] < 0.9 * random[0], "{} {}", random[0], random[59]);
        let (losses, found) = train(m, Init::Components, 2, 60);
        assert!(losses[59] < losses[0], "{} {}", losses[0], losses[59]);
        assert!(losses[0] < random[0], "{} {}", losses[0], random[0]);
        assert_eq!(found.joint.dim(), (400, 16));
        assert_eq!((found.modality.len(), found.across.dim()), (m, (400, m)));
        assert!(found.within.iter().all(|w| w.dim() == (400, 2)));
        for row in found.across.rows() {
            assert!((row.sum() - 1.0).abs() < 1e-5);
        }
        for row in found.joint.rows() {
            assert!((row.dot(&row) - 1.0).abs() < 1e-5);
        }
        // The halves of the tissue lie apart, and rows are in the caller's order.
        let mean = |left: bool| {
            let cells: Vec<usize> = (0..400).filter(|c| (c % 20 < 10) == left).collect();
            found
                .joint
                .select(ndarray::Axis(0), &cells)
                .mean_axis(ndarray::Axis(0))
        };
        let (a, b) = (mean(true).unwrap(), mean(false).unwrap());
        assert!(a.dot(&b) < 0.8 * a.dot(&a), "{} {}", a.dot(&b), a.dot(&a));
    }
}

#[test]
fn training_starts_from_the_components() {
    let parts = parts(3, 2);
    let found = parts.trainer(2).embedding().unwrap();
    let third = 1.0 / 3.0;
    assert!(found.across.iter().all(|w| (w - third).abs() < 1e-6));
    assert!(found.within.iter().flatten().all(|w| *w == 0.5));
    // 10 components of genes, 8 columns and 7 of peaks share 16 columns: 6, 5 and 5, side by side.
    let dense = |m: &Modality| m.directions(16).unwrap();
    assert_eq!(dense(&parts.modalities[1]).variance.len(), 8);
    let spatial = parts.spatial.normalised();
    for (m, own) in [(0, 0..6), (1, 6..11), (2, 11..16)] {
        let x = parts.modalities[m].features.to_dense();
        let loadings = dense(&parts.modalities[m]).loadings.mapv(|v| v as f32);
        let scores = x.dot(&loadings.slice(ndarray::s![.., ..own.len()]));
        let similar = parts.similar[m].normalised();
        let mean = |graph: &Csr| {
            let flat: Vec<f32> = scores.iter().copied().collect();
            Array2::from_shape_vec(scores.dim(), graph.times_dense(&flat, own.len())).unwrap()
        };
        let expected = mean(&spatial) + mean(&similar);
        for (row, found) in expected.rows().into_iter().zip(found.modality[m].rows()) {
            let length = row.dot(&row).sqrt();
            for (c, value) in found.iter().enumerate() {
                let place = own.clone().position(|o| o == c);
                let expected = place.map_or(0.0, |j| row[j] / length);
                assert!(
                    (value - expected).abs() < 1e-4,
                    "{m} {c}: {value} for {expected}"
                );
            }
        }
    }
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    for init in [Init::Components, Init::Random] {
        let one = train(3, init, 1, 5);
        for threads in [2, 4] {
            assert_eq!(train(3, init, threads, 5), one, "{threads} threads");
        }
    }
}

/// The largest difference of two embeddings.
fn apart(a: &Embedding, b: &Embedding) -> f32 {
    let matrices = |e: &Embedding| {
        let all = [&e.joint, &e.across].into_iter();
        let all = all.chain(&e.modality).chain(&e.within).cloned();
        all.collect::<Vec<_>>()
    };
    let (a, b) = (matrices(a), matrices(b));
    assert_eq!(a.len(), b.len());
    let gaps = a.iter().zip(&b).flat_map(|(a, b)| (a - b).into_iter());
    gaps.fold(0.0, |most, gap| most.max(gap.abs()))
}

#[test]
fn a_model_that_was_kept_embeds_as_the_trained_one() {
    for (m, sees) in [
        (2, Sees::Components),
        (3, Sees::Components),
        (2, Sees::Genes),
    ] {
        let parts = parts(m, 2);
        let mut trainer = parts.trainer_of(sees, Init::Components, 2);
        trainer.steps(20).unwrap();
        let bytes = trainer
            .encoder()
            .unwrap()
            .tensors()
            .unwrap()
            .write(None)
            .unwrap();
        let encoder = Encoder::from_tensors(&Tensors::read(&bytes).unwrap(), m).unwrap();
        let embed = |modalities: &[Modality]| {
            encoder.embed_cells(Cells {
                modalities,
                ..parts.cells()
            })
        };
        let found = threads::install(2, || embed(&parts.modalities)).unwrap();
        let expected = trainer.embedding().unwrap();
        assert!(
            apart(&found, &expected) < 1e-5,
            "{}",
            apart(&found, &expected)
        );
        let mut swapped = parts.modalities.clone();
        swapped.swap(0, 1);
        assert!(matches!(embed(&swapped), Err(Error::Model { .. })));
    }
}

#[test]
fn models_with_parts_missing_are_errors() {
    let tensors = parts(2, 2).trainer(2).encoder().unwrap().tensors().unwrap();
    assert!(Encoder::from_tensors(&tensors, 2).is_ok());
    let refused = |tensors: &Tensors, m| {
        let error = Encoder::from_tensors(tensors, m).err();
        matches!(error, Some(Error::Model { .. }))
    };
    assert!(refused(&tensors, 3));
    let mut narrow = tensors.clone();
    narrow.insert("atten_omics2.u_omega", Array2::zeros((15, 1)).into_dyn());
    assert!(refused(&narrow, 2));
}

#[test]
fn weights_that_do_not_fit_are_named() {
    let with = |w_recon: Vec<f64>| Params {
        w_recon,
        ..Params::default()
    };
    for bad in [vec![1.0, 2.0, 3.0], vec![-1.0], vec![f64::NAN], vec![]] {
        let error = with(bad).check(2).unwrap_err();
        assert_eq!(error.blamed(), Some("w_recon"));
    }
    assert!(with(vec![1.0, 2.0]).check(2).is_ok());
    assert!(Params::default().check(1).is_err());
}
