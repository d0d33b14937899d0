//! Preprocessing against published numbers, direct formulas and degenerate inputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;

use candle_core::{DType, Tensor};
use ndarray::{Array2, Axis};
use spax_core::preprocess::*;
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
use spax_core::sparse::{CountsView, Csr};
use spax_core::threads::install;
use spax_core::Error;

/// The slots of a dgCMatrix.
struct Slots {
    indptr: Vec<i32>,
    genes: Vec<i32>,
    values: Vec<f64>,
    n_genes: usize,
}

impl Slots {
    fn new(dense: &Array2<f64>) -> Self {
        let (mut indptr, mut genes, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in dense.rows() {
            for (gene, &value) in row.iter().enumerate() {
                if value != 0.0 {
                    genes.push(gene as i32);
                    values.push(value);
                }
            }
            indptr.push(genes.len() as i32);
        }
        let n_genes = dense.ncols();
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

fn random_counts(cells: usize, genes: usize, seed: u64) -> Array2<f64> {
    let mut rng = Rng::new(seed, Purpose::Data, 0);
    let level: Vec<f64> = (0..genes)
        .map(|_| 2.0 + (2.0 * rng.normal()).exp())
        .collect();
    Array2::from_shape_fn((cells, genes), |(_, g)| {
        (level[g] * rng.uniform() * (0.5 * rng.normal()).exp()).floor()
    })
}

fn settings() -> Settings {
    Settings {
        min_cells: 1,
        min_counts: 1.0,
        n_genes: 2000,
        target_sum: 1e4,
        log1p: true,
        n_components: 5,
        scaled_genes: false,
        ..Settings::default()
    }
}

fn all_genes(n: usize) -> Vec<u32> {
    (0..n as u32).collect()
}

fn scaled(dense: &Array2<f64>) -> ScaledGenes {
    let slots = Slots::new(dense);
    let genes = all_genes(dense.ncols());
    ScaledGenes::new(normalise(&slots.view(), &genes, &genes, 1e4, true).unwrap()).unwrap()
}

/// z-scores by the direct formula, from what `scaled` starts from.
fn dense_z(scaled: &ScaledGenes) -> Array2<f64> {
    let mut z = dense_of(&scaled.matrix);
    for mut gene in z.columns_mut() {
        let mean = gene.mean().unwrap();
        let sd = gene.std(1.0);
        gene.mapv_inplace(|v| (v - mean) / if sd > 1e-9 { sd } else { 1.0 });
    }
    z
}

fn dense_of(matrix: &Csr) -> Array2<f64> {
    let mut dense = Array2::zeros((matrix.n_rows(), matrix.n_cols()));
    for row in 0..matrix.n_rows() {
        let (columns, values) = matrix.row(row);
        for (&c, &v) in columns.iter().zip(values) {
            dense[(row, c as usize)] = f64::from(v);
        }
    }
    dense
}

fn norm<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    values.into_iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// |a - b| / |b|.
fn distance(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    assert_eq!(a.dim(), b.dim());
    norm(&(a - b)) / norm(b)
}

mod published {
    use super::*;

    struct Published(HashMap<String, Tensor>);

    impl Published {
        fn read() -> Self {
            Self(common::tensors("preprocess.safetensors"))
        }

        fn vector(&self, name: &str) -> Vec<f64> {
            let tensor = self.0[name].to_dtype(DType::F64).unwrap();
            tensor.flatten_all().unwrap().to_vec1().unwrap()
        }

        fn matrix(&self, name: &str) -> Array2<f64> {
            let shape = self.0[name].dims2().unwrap();
            Array2::from_shape_vec(shape, self.vector(name)).unwrap()
        }

        fn kept(&self) -> Vec<u32> {
            self.vector("kept_genes")
                .iter()
                .map(|&g| g as u32)
                .collect()
        }

        /// The highly variable genes among all.
        fn variable(&self) -> Vec<u32> {
            let chosen = self.vector("highly_variable");
            let pairs = self.kept().into_iter().zip(chosen);
            pairs.filter(|p| p.1 != 0.0).map(|p| p.0).collect()
        }

        fn scaled(&self) -> ScaledGenes {
            let slots = Slots::new(&self.matrix("counts"));
            let selected = self.variable();
            let matrix = normalise(&slots.view(), &self.kept(), &selected, 1e4, true);
            ScaledGenes::new(matrix.unwrap()).unwrap()
        }
    }

    #[test]
    fn kept_genes_are_scanpys() {
        let published = Published::read();
        let slots = Slots::new(&published.matrix("counts"));
        assert_eq!(kept_genes(&slots.view(), 20, 10.0), published.kept());
    }

    #[test]
    fn normalised_counts_are_scanpys() {
        let published = Published::read();
        let slots = Slots::new(&published.matrix("counts"));
        let kept = published.kept();
        let normalised = normalise(&slots.view(), &kept, &kept, 1e4, false).unwrap();
        let error = distance(&dense_of(&normalised), &published.matrix("normalized_1e4"));
        assert!(error < 1e-6, "{error:e}");
    }

    #[test]
    fn variances_and_choice_of_genes_are_scanpys() {
        let published = Published::read();
        let slots = Slots::new(&published.matrix("counts"));
        let kept = published.kept();
        let ranking = variable_genes(&slots.view(), &kept);
        let wanted = published.vector("variances_norm");
        for (found, wanted) in ranking.standardised_variance.iter().zip(&wanted) {
            assert!((found / wanted - 1.0).abs() < 1e-6, "{found} {wanted}");
        }
        let top = ranking.top_in_gene_order(100);
        let genes: Vec<u32> = top.into_iter().map(|p| kept[p]).collect();
        assert_eq!(genes, published.variable());
    }

    #[test]
    fn scaled_genes_are_scanpys() {
        let published = Published::read();
        let dense = published.scaled().to_dense().mapv(f64::from);
        let error = distance(&dense, &published.matrix("scaled_hvg"));
        assert!(error < 1e-6, "{error:e}");
    }

    #[test]
    fn components_are_scanpys() {
        let published = Published::read();
        let pca = published.scaled().pca(15).unwrap();
        let scores = pca.scores.mapv(|v| f64::from(v).abs());
        let error = distance(&scores, &published.matrix("pca_abs_scores"));
        assert!(error < 1e-6, "{error:e}");
        let wanted = published.vector("pca_explained_variance");
        for (found, wanted) in pca.explained_variance.iter().zip(&wanted) {
            assert!((found / wanted - 1.0).abs() < 1e-6, "{found} {wanted}");
        }
    }

    #[test]
    fn the_whole_preparation_agrees_with_its_parts() {
        let published = Published::read();
        let slots = Slots::new(&published.matrix("counts"));
        let wanted = Settings {
            min_cells: 20,
            min_counts: 10.0,
            n_genes: 100,
            n_components: 15,
            ..settings()
        };
        let features = prepare(&slots.view(), &wanted).unwrap();
        assert_eq!(features.kind, FeatureKind::Pca);
        assert_eq!(features.genes, published.variable());
        let scores = features.to_dense().mapv(|v| f64::from(v).abs());
        assert!(distance(&scores, &published.matrix("pca_abs_scores")) < 1e-6);
    }
}

mod sparse_against_dense {
    use super::*;

    #[test]
    fn scaling_and_products() {
        for (cells, genes) in [(40, 25), (3, 7), (2, 1), (130, 64)] {
            let scaled = scaled(&random_counts(cells, genes, 3));
            let z = dense_z(&scaled);
            let error = norm(&(scaled.to_dense().mapv(f64::from) - &z));
            assert!(error < 1e-5 * norm(&z).max(1.0), "{error:e}");
            let mut rng = Rng::new(4, Purpose::Data, 0);
            let w = Array2::from_shape_fn((genes, 6), |_| rng.normal() as f32);
            let product = scaled.matmul(&w).unwrap().mapv(f64::from);
            let error = norm(&(product - z.dot(&w.mapv(f64::from))));
            assert!(error < 1e-5 * norm(&z).max(1.0), "{error:e}");
        }
    }

    /// Both sides of the eigenproblem: more cells than genes, and fewer.
    #[test]
    fn components_are_eigenvectors_of_the_dense_covariance() {
        for (cells, genes) in [(90, 30), (25, 60), (30, 30), (900, 300), (280, 500)] {
            let scaled = scaled(&random_counts(cells, genes, 7));
            let z = dense_z(&scaled);
            let covariance = z.t().dot(&z) / (cells as f64 - 1.0);
            let pca = scaled.pca(20).unwrap();
            assert_eq!(pca.scores.dim(), (cells, 20));
            let size = pca.explained_variance[0];
            let image = covariance.dot(&pca.loadings);
            for j in 0..20 {
                let loading = pca.loadings.column(j);
                let residual = &image.column(j) - &(&loading * pca.explained_variance[j]);
                assert!(norm(&residual) < 1e-9 * size, "{cells} x {genes}, {j}");
            }
            let gram = pca.loadings.t().dot(&pca.loadings);
            assert!(norm(&(gram - Array2::<f64>::eye(20))) < 1e-9);
            let scores = z.dot(&pca.loadings);
            assert!(distance(&pca.scores.mapv(f64::from), &scores) < 1e-6);
            // The leading ones: what remains has no direction of more variance.
            let rest = covariance.diag().sum() - pca.explained_variance.iter().sum::<f64>();
            assert!(rest > -1e-9 * size);
            assert!(pca.explained_variance.windows(2).all(|w| w[0] >= w[1]));
        }
    }

    #[test]
    fn some_components_are_the_first_of_all() {
        let scaled = scaled(&random_counts(900, 300, 8));
        let (some, all) = (scaled.pca(60).unwrap(), scaled.pca(300).unwrap());
        assert_eq!(all.loadings.ncols(), 300);
        let first = all.loadings.slice(ndarray::s![.., ..60]).to_owned();
        assert!(distance(&some.loadings, &first) < 1e-8);
        for (a, b) in some.explained_variance.iter().zip(&all.explained_variance) {
            assert!((a / b - 1.0).abs() < 1e-11);
        }
    }

    #[test]
    fn moments_are_those_of_the_dense_counts_and_the_ranking_falls() {
        let dense = random_counts(200, 80, 9);
        let slots = Slots::new(&dense);
        let kept: Vec<u32> = (0..80).filter(|g| g % 3 != 0).collect();
        let ranking = variable_genes(&slots.view(), &kept);
        for (place, &gene) in kept.iter().enumerate() {
            let counts = dense.column(gene as usize);
            assert!((ranking.mean[place] - counts.mean().unwrap()).abs() < 1e-12);
            assert!((ranking.variance[place] - counts.var(1.0)).abs() < 1e-9);
        }
        let top = ranking.top(80);
        let value = &ranking.standardised_variance;
        assert_eq!(top.len(), kept.len());
        assert!(top.windows(2).all(|w| value[w[0]] >= value[w[1]]));
        let mut order = ranking.top(10);
        order.sort_unstable();
        assert_eq!(order, ranking.top_in_gene_order(10));
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let slots = Slots::new(&random_counts(700, 300, 1));
    let run = |threads| install(threads, || prepare(&slots.view(), &settings())).unwrap();
    let one = run(1);
    assert_eq!(one.kind, FeatureKind::Pca);
    for threads in [2, 4] {
        assert_eq!(one, run(threads));
    }
}

mod bad_input {
    use super::*;

    #[track_caller]
    fn fault(values: [f64; 4]) -> String {
        let indptr = [0, 1, 3, 4];
        let view = CountsView::new(&indptr, &[0, 0, 1, 1], &values, 2).unwrap();
        match check_counts(&view) {
            Err(Error::Counts { message }) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_that_are_no_counts_are_named() {
        let message = fault([1.0, -2.0, 3.0, -1.0]);
        assert!(
            message.contains("2 negative values, the first in cell 2"),
            "{message}"
        );
        let message = fault([1.0, 2.0, 3.0, f64::NAN]);
        assert!(
            message.contains("1 missing (NA or NaN) value, the first in cell 3"),
            "{message}"
        );
        let message = fault([f64::INFINITY, 2.0, 3.0, f64::NEG_INFINITY]);
        assert!(
            message.contains("2 infinite values, the first in cell 1"),
            "{message}"
        );
    }

    #[test]
    fn unsorted_genes_and_empty_matrices_are_refused() {
        let view = CountsView::new(&[0, 2], &[1, 0], &[1.0, 1.0], 2).unwrap();
        assert!(matches!(check_counts(&view), Err(Error::Counts { .. })));
        assert!(matches!(
            prepare(&view, &settings()),
            Err(Error::Counts { .. })
        ));
        for view in [
            CountsView::new(&[0], &[], &[], 3).unwrap(),
            CountsView::new(&[0, 0], &[], &[], 0).unwrap(),
        ] {
            assert!(matches!(check_counts(&view), Err(Error::Counts { .. })));
            assert!(matches!(
                prepare(&view, &settings()),
                Err(Error::Counts { .. })
            ));
        }
    }

    #[test]
    fn summaries_tell_empty_cells_and_genes_and_fractions() {
        // A zero that is stored is no count.
        let view = CountsView::new(&[0, 1, 1, 2], &[0, 2], &[2.0, 0.0], 3).unwrap();
        let summary = check_counts(&view).unwrap();
        assert!(summary.whole);
        assert_eq!(summary.empty_cells, [1, 2]);
        assert_eq!(summary.empty_genes, 2);
        let view = CountsView::new(&[0, 1], &[0], &[0.5], 1).unwrap();
        assert!(!check_counts(&view).unwrap().whole);
    }

    #[test]
    fn settings_out_of_range_name_the_argument() {
        let slots = Slots::new(&random_counts(30, 20, 2));
        let wrong = [
            (
                "n_genes",
                Settings {
                    n_genes: 0,
                    ..settings()
                },
            ),
            (
                "n_components",
                Settings {
                    n_components: 0,
                    ..settings()
                },
            ),
            (
                "target_sum",
                Settings {
                    target_sum: 0.0,
                    ..settings()
                },
            ),
            (
                "target_sum",
                Settings {
                    target_sum: f64::NAN,
                    ..settings()
                },
            ),
            (
                "min_counts",
                Settings {
                    min_counts: f64::NAN,
                    ..settings()
                },
            ),
            (
                "min_cells",
                Settings {
                    min_counts: 1e9,
                    ..settings()
                },
            ),
        ];
        for (name, settings) in wrong {
            match prepare(&slots.view(), &settings) {
                Err(Error::Argument { argument, .. }) => assert_eq!(argument, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn weights_of_another_size_are_refused() {
        let scaled = scaled(&random_counts(10, 5, 2));
        assert!(scaled.matmul(&Array2::zeros((4, 2))).is_err());
        assert_eq!(
            scaled.matmul(&Array2::zeros((5, 0))).unwrap().dim(),
            (10, 0)
        );
    }
}

mod degenerate {
    use super::*;

    fn features(dense: &Array2<f64>, wanted: &Settings) -> spax_core::Result<Features> {
        let features = prepare(&Slots::new(dense).view(), wanted)?;
        assert_eq!(features.dim().0, dense.nrows());
        assert!(features.to_dense().iter().all(|v| v.is_finite()));
        Ok(features)
    }

    #[test]
    fn few_cells_ask_for_a_tenth_of_them() {
        assert_eq!(min_cells_for(499, 60), 50);
        assert_eq!(min_cells_for(499, 3), 3);
        assert_eq!(min_cells_for(500, 60), 60);
    }

    #[test]
    fn one_gene_is_a_panel_of_its_own() {
        let counts = Array2::from_shape_vec((3, 1), vec![1.0, 0.0, 5.0]).unwrap();
        let features = features(
            &counts,
            &Settings {
                log1p: false,
                ..settings()
            },
        )
        .unwrap();
        assert_eq!(features.kind, FeatureKind::ScaledGenes);
        assert_eq!(features.genes, [0]);
        assert!((features.to_dense().sum()).abs() < 1e-6);
    }

    #[test]
    fn two_cells_have_one_component() {
        let counts = random_counts(2, 50, 11);
        let features = features(&counts, &settings()).unwrap();
        assert_eq!(features.kind, FeatureKind::Pca);
        assert_eq!(features.dim(), (2, 1));
        let pca = scaled(&counts).pca(7).unwrap();
        assert_eq!((pca.requested, pca.explained_variance.len()), (7, 1));
    }

    #[test]
    fn components_end_where_the_rank_does() {
        // Six genes, each three times.
        let base = random_counts(100, 6, 12);
        let counts = ndarray::concatenate(Axis(1), &[base.view(), base.view(), base.view()]);
        let pca = scaled(&counts.unwrap()).pca(10).unwrap();
        assert_eq!(pca.explained_variance.len(), 6);
        assert_eq!(pca.loadings.dim(), (18, 6));
    }

    #[test]
    fn a_cell_without_counts_stays_zero_before_scaling() {
        let mut counts = random_counts(30, 20, 13);
        counts.row_mut(4).fill(0.0);
        let slots = Slots::new(&counts);
        let genes = all_genes(20);
        let matrix = normalise(&slots.view(), &genes, &genes, 1e6, true).unwrap();
        assert!(matrix.row(4).0.is_empty());
        features(&counts, &settings()).unwrap();
    }

    #[test]
    fn cells_are_scaled_to_their_total_over_the_kept_genes() {
        let slots = Slots::new(&random_counts(30, 20, 13));
        let kept: Vec<u32> = (5..20).collect();
        let matrix = normalise(&slots.view(), &kept, &kept, 100.0, false).unwrap();
        let part = normalise(&slots.view(), &kept, &[7, 9], 100.0, false).unwrap();
        for cell in 0..30 {
            let total: f32 = matrix.row(cell).1.iter().sum();
            assert!((total - 100.0).abs() < 1e-3, "{total}");
        }
        let columns = dense_of(&matrix).select(Axis(1), &[2, 4]);
        assert_eq!(dense_of(&part), columns);
        assert!(normalise(&slots.view(), &kept, &[9, 7], 100.0, false).is_err());
    }

    #[test]
    fn genes_without_variation_scale_to_zero() {
        let constant = Csr::new(
            2,
            vec![0, 2, 4, 6],
            vec![0, 1, 0, 1, 0, 1],
            vec![0.1, 1.0, 0.1, 2.0, 0.1, 3.0],
        );
        let scaled = ScaledGenes::new(constant.unwrap()).unwrap();
        assert_eq!(scaled.sd[0], 1.0);
        assert!(scaled.to_dense().column(0).iter().all(|v| *v == 0.0));
        assert_eq!(scaled.pca(2).unwrap().explained_variance.len(), 1);
    }

    #[test]
    fn counts_without_variation_or_counts_are_refused() {
        let equal = Array2::from_elem((20, 12), 3.0);
        assert!(matches!(
            features(&equal, &settings()),
            Err(Error::Counts { .. })
        ));
        let panel = Settings {
            scaled_genes: true,
            ..settings()
        };
        assert!(matches!(
            features(&equal, &panel),
            Err(Error::Counts { .. })
        ));
        // One gene without a zero is the same in every cell once totals are.
        let one_gene = Array2::from_shape_fn((20, 1), |(cell, _)| 1.0 + cell as f64);
        let one = Settings {
            n_components: 1,
            ..settings()
        };
        assert!(matches!(
            features(&one_gene, &one),
            Err(Error::Counts { .. })
        ));
        let nothing = Array2::zeros((20, 12));
        let lenient = Settings {
            min_cells: 0,
            min_counts: 0.0,
            ..settings()
        };
        assert!(matches!(
            features(&nothing, &settings()),
            Err(Error::Argument { .. })
        ));
        assert!(matches!(
            features(&nothing, &lenient),
            Err(Error::Counts { .. })
        ));
        let one_cell = random_counts(1, 12, 1);
        assert!(matches!(
            features(&one_cell, &settings()),
            Err(Error::Counts { .. })
        ));
    }

    #[test]
    fn any_shape_gives_an_error_or_finite_features() {
        let mut rng = Rng::new(21, Purpose::Data, 0);
        let mut passed = 0;
        for seed in 0..300 {
            let (cells, genes) = (1 + rng.below(40), 1 + rng.below(60));
            let mut counts = random_counts(cells, genes, seed);
            let empty = rng.below(cells);
            counts.row_mut(empty).fill(0.0);
            let wanted = Settings {
                min_cells: rng.below(4),
                min_counts: rng.below(5) as f64,
                n_genes: 1 + rng.below(50),
                log1p: rng.below(2) == 0,
                n_components: 1 + rng.below(20),
                scaled_genes: rng.below(3) == 0,
                ..settings()
            };
            match features(&counts, &wanted) {
                Ok(_) => passed += 1,
                Err(Error::Counts { .. } | Error::Argument { .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(passed > 200, "{passed}");
    }
}

mod several_slices {
    use super::*;

    /// Cells of three slices by turns, of unequal size.
    fn slices(n: usize) -> Slices {
        let code = |i: usize| [0, 1, 1, 2, 1, 0][i % 6];
        Slices::new((0..n).map(code).collect()).unwrap()
    }

    fn centred(dense: &Array2<f64>, centre: Centre) -> ScaledGenes {
        let slots = Slots::new(dense);
        let genes = all_genes(dense.ncols());
        let matrix = normalise(&slots.view(), &genes, &genes, 1e4, true).unwrap();
        ScaledGenes::centred(matrix, &slices(dense.nrows()), centre).unwrap()
    }

    /// By the direct formula: each gene about its mean in each slice, and over what it deviates.
    fn direct(dense: &Array2<f64>, centre: Centre) -> Array2<f64> {
        let mut z = dense_of(&centred(dense, Centre::All).matrix);
        let slices = slices(z.nrows());
        for cells in slices.cells() {
            for mut gene in z.columns_mut() {
                let values: Vec<f64> = cells.iter().map(|&c| gene[c as usize]).collect();
                let values = ndarray::Array1::from(values);
                let spread = match centre {
                    Centre::MeansAndSpread if values.std(1.0) > 1e-9 => values.std(1.0),
                    _ => 1.0,
                };
                let mean = values.mean().unwrap();
                cells
                    .iter()
                    .for_each(|&c| gene[c as usize] = (gene[c as usize] - mean) / spread);
            }
        }
        for mut gene in z.columns_mut() {
            let sd = gene.std(1.0);
            gene.mapv_inplace(|v| v / if sd > 1e-9 { sd } else { 1.0 });
        }
        z
    }

    #[test]
    fn centring_and_components_are_those_of_the_direct_formula() {
        for centre in [Centre::Means, Centre::MeansAndSpread] {
            for (cells, genes) in [(90, 30), (36, 60)] {
                let mut dense = random_counts(cells, genes, 3);
                // One gene only in the first slice, one everywhere the same.
                slices(cells).cells()[1..]
                    .iter()
                    .flatten()
                    .for_each(|&c| dense[[c as usize, 0]] = 0.0);
                dense.column_mut(1).fill(0.0);
                let (scaled, z) = (centred(&dense, centre), direct(&dense, centre));
                assert!(distance(&scaled.to_dense().mapv(f64::from), &z) < 1e-5);
                let mut rng = Rng::new(4, Purpose::Data, 0);
                let w = Array2::from_shape_fn((genes, 6), |_| rng.normal() as f32);
                let product = scaled.matmul(&w).unwrap().mapv(f64::from);
                assert!(distance(&product, &z.dot(&w.mapv(f64::from))) < 1e-5);
                let pca = scaled.pca(10).unwrap();
                let covariance = z.t().dot(&z) / (cells as f64 - 1.0);
                let image = covariance.dot(&pca.loadings);
                let scores = z.dot(&pca.loadings);
                assert!(distance(&pca.scores.mapv(f64::from), &scores) < 1e-5);
                for (j, value) in pca.explained_variance.iter().enumerate() {
                    let residual = &image.column(j) - &(&pca.loadings.column(j) * *value);
                    assert!(norm(&residual) < 1e-5 * pca.explained_variance[0]);
                }
            }
        }
    }

    #[test]
    fn all_cells_about_one_mean_is_one_slice() {
        let dense = random_counts(60, 20, 5);
        assert_eq!(centred(&dense, Centre::All), scaled(&dense));
    }

    /// The genes of `view`, by the standardised variance within it, best first.
    fn order(view: &CountsView, genes: &[u32]) -> Vec<u32> {
        let ranking = variable_genes(view, genes);
        let places = ranking.top(genes.len());
        places.into_iter().map(|p| genes[p]).collect()
    }

    #[test]
    fn genes_are_those_of_the_best_median_rank_or_the_published_intersection() {
        let mut dense = random_counts(120, 50, 6);
        let slices = slices(120);
        let cells = slices.cells();
        // One slice never shows genes 0 to 4.
        cells[2]
            .iter()
            .for_each(|&c| (0..5).for_each(|g| dense[[c as usize, g]] = 0.0));
        let slots = Slots::new(&dense);
        let parts: Vec<Slots> = cells
            .iter()
            .map(|cells| {
                let rows: Vec<usize> = cells.iter().map(|&c| c as usize).collect();
                Slots::new(&dense.select(Axis(0), &rows))
            })
            .collect();
        let settings = |gene_choice, n_genes| Settings {
            gene_choice,
            n_genes,
            ..settings()
        };
        let view = slots.view();
        let ranked = settings(GeneChoice::MedianRank, 20);
        let ranked = prepare_slices(&view, &slices, &ranked).unwrap();
        assert_eq!((ranked.n_shared, ranked.n_kept), (45, vec![50, 50, 45]));
        let shared: Vec<u32> = (5..50).collect();
        let kept: [Vec<u32>; 3] = [(0..50).collect(), (0..50).collect(), shared.clone()];
        let orders: Vec<Vec<u32>> = parts
            .iter()
            .zip(&kept)
            .map(|(p, kept)| order(&p.view(), kept))
            .map(|order| order.into_iter().filter(|g| shared.contains(g)).collect())
            .collect();
        let median = |gene: u32| {
            let place = |order: &Vec<u32>| order.iter().position(|&g| g == gene).unwrap();
            let mut places: Vec<usize> = orders.iter().map(place).collect();
            places.sort_unstable();
            places[1]
        };
        let worst = ranked.genes.iter().map(|&g| median(g)).max().unwrap();
        let others = shared.iter().filter(|g| !ranked.genes.contains(g));
        assert_eq!(ranked.genes.len(), 20);
        assert!(others.into_iter().all(|&g| median(g) >= worst));

        let published = settings(GeneChoice::Intersection, 35);
        let published = prepare_slices(&view, &slices, &published).unwrap();
        let first: Vec<Vec<u32>> = parts
            .iter()
            .zip(&kept)
            .map(|(p, kept)| order(&p.view(), kept)[..35].to_vec())
            .collect();
        let in_all = |g: &u32| first.iter().all(|f| f.contains(g));
        let wanted: Vec<u32> = (0..50).filter(in_all).collect();
        assert!(!wanted.is_empty() && wanted.len() < 35);
        assert_eq!(published.genes, wanted);
    }

    #[test]
    fn slices_that_share_no_genes_are_refused() {
        let mut dense = random_counts(120, 40, 6);
        let slices = slices(120);
        for (cell, mut row) in dense.rows_mut().into_iter().enumerate() {
            let absent = if slices.of(cell) == 0 { 0..18 } else { 22..40 };
            absent.for_each(|g| row[g] = 0.0);
        }
        let slots = Slots::new(&dense);
        match prepare_slices(&slots.view(), &slices, &settings()) {
            Err(Error::Counts { message }) => assert!(message.contains("share 4 usable genes")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_cell_is_scaled_by_the_genes_of_its_own_slice() {
        let dense = random_counts(12, 8, 2);
        let slots = Slots::new(&dense);
        let slices = slices(12);
        let kept = [vec![0, 1, 2], all_genes(8), vec![2, 5]];
        let matrix =
            normalise_slices(&slots.view(), &slices, &kept, &[2], &[1e4; 3], false).unwrap();
        for cell in 0..12 {
            let own = kept[slices.of(cell)].iter();
            let total: f64 = own.map(|&g| dense[[cell, g as usize]]).sum();
            let found: f64 = matrix.row(cell).1.iter().map(|&v| f64::from(v)).sum();
            assert!((found - dense[[cell, 2]] * 1e4 / total).abs() < 1e-2);
        }
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let slots = Slots::new(&random_counts(700, 300, 1));
        let slices = slices(700);
        let settings = Settings {
            centre: Centre::MeansAndSpread,
            ..settings()
        };
        let run = |threads| {
            install(threads, || {
                prepare_slices(&slots.view(), &slices, &settings)
            })
            .unwrap()
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(4));
    }
}

mod projection {
    use super::*;

    /// Counts of the genes kept, and what was learnt on all.
    fn learnt(dense: &Array2<f64>, wanted: &Settings) -> (Features, Projection, Array2<f64>) {
        let slots = Slots::new(dense);
        let features = prepare(&slots.view(), wanted).unwrap();
        let projection = features.projection.clone().unwrap();
        let kept: Vec<usize> = projection.kept.iter().map(|&g| g as usize).collect();
        (features, projection, dense.select(Axis(1), &kept))
    }

    fn project(
        projection: &Projection,
        kept: &Array2<f64>,
        present: &[bool],
        scaling: Scaling,
        wanted: &Settings,
    ) -> Array2<f32> {
        let slots = Slots::new(kept);
        let how = (wanted.target_sum, wanted.log1p);
        let found = projection.features(&slots.view(), present, scaling, how);
        found.unwrap().to_dense()
    }

    #[test]
    fn the_cells_learnt_on_get_the_same_features() {
        let dense = random_counts(200, 60, 11);
        for wanted in [
            settings(),
            Settings {
                n_components: 500,
                ..settings()
            },
            Settings {
                scaled_genes: true,
                ..settings()
            },
        ] {
            let (features, projection, kept) = learnt(&dense, &wanted);
            let all = vec![true; kept.ncols()];
            for scaling in [Scaling::Learnt, Scaling::Own] {
                let again = project(&projection, &kept, &all, scaling, &wanted);
                assert_eq!(again, features.to_dense(), "{scaling:?}");
            }
        }
    }

    #[test]
    fn a_gene_that_is_absent_counts_as_its_mean() {
        let dense = random_counts(200, 60, 12);
        let wanted = Settings {
            n_components: 500,
            ..settings()
        };
        let (_, projection, mut kept) = learnt(&dense, &wanted);
        let gone = projection.genes[3] as usize;
        kept.column_mut(gone).fill(0.0);
        let mut present = vec![true; kept.ncols()];
        present[gone] = false;
        for scaling in [Scaling::Learnt, Scaling::Own] {
            let found = project(&projection, &kept, &present, scaling, &wanted);
            assert!(found.column(3).iter().all(|&z| z == 0.0));
            assert!(found.column(2).iter().any(|&z| z != 0.0));
        }
    }

    #[test]
    fn own_moments_undo_a_shift_of_level_that_learnt_ones_show() {
        let dense = random_counts(200, 60, 13);
        let wanted = settings();
        let (features, projection, mut kept) = learnt(&dense, &wanted);
        let bright = projection.genes[0] as usize;
        kept.column_mut(bright).mapv_inplace(|v| 3.0 * v);
        let all = vec![true; kept.ncols()];
        let away = |scaling| {
            let found = project(&projection, &kept, &all, scaling, &wanted);
            distance(&found.mapv(f64::from), &features.to_dense().mapv(f64::from))
        };
        assert!(away(Scaling::Own) < 0.5 * away(Scaling::Learnt));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let dense = random_counts(100, 30, 14);
        let (_, projection, kept) = learnt(&dense, &settings());
        let slots = Slots::new(&kept);
        let fault = |projection: &Projection, present: usize| {
            let present = vec![true; present];
            let found = projection.features(&slots.view(), &present, Scaling::Own, (1e4, true));
            found.unwrap_err().kind()
        };
        let n = kept.ncols();
        assert_eq!(fault(&projection, n + 1), "internal");
        let mut short = projection.clone();
        short.mean.pop();
        assert_eq!(fault(&short, n), "model");
        let mut outside = projection.clone();
        *outside.genes.last_mut().unwrap() = n as u32;
        assert_eq!(fault(&outside, n), "model");
    }
}
