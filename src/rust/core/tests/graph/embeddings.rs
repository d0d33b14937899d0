//! Neighbours by embeddings: exact, by the inverted file, and those that are shared.

use ndarray::{Array2, ArrayView2};
use spax_core::graph::{euclidean_neighbours, inner_product_neighbours, shared_neighbour_edges};
use spax_core::Error;

use super::{brute_force, embedding};

fn inner_products_by_brute_force(
    q: ArrayView2<f32>,
    items: ArrayView2<f32>,
) -> Vec<Vec<(f64, u32)>> {
    let products = q.mapv(f64::from).dot(&items.mapv(f64::from).t());
    let row = |r: ndarray::ArrayView1<f64>| {
        let mut all: Vec<(f64, u32)> = r.iter().copied().zip(0..).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all
    };
    products.rows().into_iter().map(row).collect()
}

#[test]
fn the_most_similar_items_equal_brute_force() {
    for (n, m, k) in [
        (333, 333, 20),
        (50, 1001, 7),
        (9, 17, 17),
        (1, 1, 1),
        (130, 40, 1),
    ] {
        let items = embedding(m, true);
        let queries = if n == m {
            items.clone()
        } else {
            embedding(n, false)
        };
        let found = inner_product_neighbours(queries.view(), items.view(), k, false, 1).unwrap();
        let expected = inner_products_by_brute_force(queries.view(), items.view());
        for (i, all) in expected.iter().enumerate() {
            let best: Vec<u32> = all[..k].iter().map(|s| s.1).collect();
            assert_eq!(found.row(i), best, "{n} x {m}, query {i}");
            for (j, s) in all[..k].iter().enumerate() {
                assert!((1.0 - s.0 - found.distance[i * k + j]).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn an_item_is_left_out_of_its_own_answer_only_when_asked() {
    let x = embedding(200, true);
    let with = inner_product_neighbours(x.view(), x.view(), 10, false, 1).unwrap();
    let without = inner_product_neighbours(x.view(), x.view(), 9, true, 1).unwrap();
    for i in 0..200 {
        assert_eq!(with.row(i)[0], i as u32);
        assert_eq!(with.row(i)[1..], *without.row(i));
    }
}

#[test]
fn equal_embeddings_come_in_the_order_of_their_indices() {
    let same = Array2::from_elem((300, 16), 0.25f32);
    let found = inner_product_neighbours(same.view(), same.view(), 5, false, 1).unwrap();
    assert!((0..300).all(|i| found.row(i) == [0, 1, 2, 3, 4]));
    let found = inner_product_neighbours(same.view(), same.view(), 4, true, 1).unwrap();
    assert_eq!(found.row(2), [0, 1, 3, 4]);
    assert_eq!(found.row(299), [0, 1, 2, 3]);
    let found = euclidean_neighbours(same.view(), 4, 1).unwrap();
    assert_eq!(found.row(2), [0, 1, 3, 4]);
}

#[test]
fn euclidean_neighbours_equal_brute_force() {
    for (n, offset) in [(400, 0.0), (400, 100.0), (12, 0.0), (2, 0.0)] {
        let x = embedding(n, true).mapv(|v| v * 5.0 + offset);
        let k = 11.min(n - 1);
        let found = euclidean_neighbours(x.view(), k, 1).unwrap();
        let expected = brute_force(x.mapv(f64::from).view(), k);
        assert_eq!(found.index, expected.index, "{n} + {offset}");
        let close = found.distance.iter().zip(&expected.distance);
        assert!(close.clone().all(|(a, b)| (a - b).abs() < 1e-9));
    }
}

#[test]
fn the_inverted_file_finds_nearly_all_and_does_not_depend_on_threads() {
    // More than 30,000 rows: beyond the exact search.
    let (n, k) = (40_000, 20);
    for clustered in [true, false] {
        let x = embedding(n, clustered);
        let run = |threads| {
            spax_core::threads::install(threads, || {
                inner_product_neighbours(x.view(), x.view(), k, false, 3)
            })
        };
        let found = run(2).unwrap();
        let queries: Vec<usize> = (0..300).map(|i| i * (n / 300)).collect();
        let expected =
            inner_products_by_brute_force(x.select(ndarray::Axis(0), &queries).view(), x.view());
        let hits = |(&q, all): (&usize, &Vec<(f64, u32)>)| {
            all[..k]
                .iter()
                .filter(|s| found.row(q).contains(&s.1))
                .count()
        };
        let recall =
            queries.iter().zip(&expected).map(hits).sum::<usize>() as f64 / (300 * k) as f64;
        assert!(recall >= 0.98, "clustered = {clustered}: recall {recall}");
        if clustered {
            assert_eq!(found, run(1).unwrap());
        }
    }
}

#[test]
fn the_inverted_file_bears_collapsed_embeddings() {
    let mut x = embedding(40_000, false);
    let first = x.row(0).to_owned();
    x.rows_mut()
        .into_iter()
        .step_by(2)
        .for_each(|mut row| row.assign(&first));
    let found = inner_product_neighbours(x.view(), x.view(), 10, true, 1).unwrap();
    assert_eq!(found.row(0), [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    assert_eq!(found.row(39_998), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    let all_same = Array2::from_elem((40_000, 3), 0.5f32);
    let found = inner_product_neighbours(all_same.view(), all_same.view(), 3, false, 1).unwrap();
    assert!((0..40_000).all(|i| found.row(i) == [0, 1, 2]));
}

#[test]
fn unusable_embeddings_are_errors() {
    let x = embedding(50, true);
    for bad in [f32::NAN, f32::INFINITY, f32::MAX] {
        let mut damaged = x.clone();
        damaged[[7, 3]] = bad;
        let result = inner_product_neighbours(damaged.view(), x.view(), 5, false, 1);
        assert!(matches!(result, Err(Error::Numeric { .. })));
        let result = euclidean_neighbours(damaged.view(), 5, 1);
        assert!(matches!(result, Err(Error::Numeric { .. })));
    }
    for (k, exclude_self) in [(0, false), (51, false), (50, true), (usize::MAX, false)] {
        let result = inner_product_neighbours(x.view(), x.view(), k, exclude_self, 1);
        assert_eq!(result.unwrap_err().blamed(), Some("k"), "k = {k}");
    }
    for shape in [(0, 0), (5, 0), (0, 16)] {
        let empty = Array2::<f32>::zeros(shape);
        assert!(inner_product_neighbours(x.view(), empty.view(), 5, false, 1).is_err());
        assert!(euclidean_neighbours(empty.view(), 5, 1).is_err());
        assert!(shared_neighbour_edges(empty.view(), 5, 0.1, 1).is_err());
    }
    let narrow = Array2::<f32>::zeros((50, 3));
    assert!(inner_product_neighbours(x.view(), narrow.view(), 5, false, 1).is_err());
    let none = Array2::<f32>::zeros((0, 16));
    let found = inner_product_neighbours(none.view(), x.view(), 5, false, 1).unwrap();
    assert_eq!(found.n_rows(), 0);
}

#[test]
fn shared_neighbours_equal_the_jaccard_index_of_sets() {
    let (n, k) = (150, 12);
    let x = embedding(n, true);
    let near = brute_force(x.mapv(f64::from).view(), k - 1);
    let set = |i: usize| -> std::collections::HashSet<u32> {
        near.row(i).iter().copied().chain([i as u32]).collect()
    };
    for prune in [0.0, 1.0 / 15.0, 0.3] {
        let edges = shared_neighbour_edges(x.view(), k, prune, 1).unwrap();
        let mut expected = Vec::new();
        for i in 0..n {
            for j in i + 1..n {
                let (a, b) = (set(i), set(j));
                let jaccard = a.intersection(&b).count() as f32 / a.union(&b).count() as f32;
                if jaccard > prune {
                    expected.push((i as u32, j as u32, jaccard));
                }
            }
        }
        assert!(!expected.is_empty());
        let ends = edges.from.iter().zip(&edges.to).zip(&edges.weight);
        assert!(ends.map(|((&f, &t), &w)| (f, t, w)).eq(expected));
    }
}
