//! What is refused, and how it is named.

use ndarray::Array2;
use spax_core::preprocess::*;
use spax_core::sparse::CountsView;
use spax_core::Error;

use super::{random_counts, scaled, settings, Slots};

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
