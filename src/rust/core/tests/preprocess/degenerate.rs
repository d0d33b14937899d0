//! Few cells, few genes, no variation, no counts.

use ndarray::{Array2, Axis};
use spax_core::preprocess::*;
use spax_core::rng::{Purpose, Rng};
use spax_core::sparse::Csr;
use spax_core::Error;

use super::{all_genes, dense_of, random_counts, scaled, settings, Slots};

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
