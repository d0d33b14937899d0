//! What was learnt on some cells, on others.

use ndarray::{Array2, Axis};
use spax_core::preprocess::*;

use super::{distance, random_counts, settings, Slots};

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
