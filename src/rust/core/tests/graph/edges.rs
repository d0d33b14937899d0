//! Edges of a graph, its order of nodes and its normalisation.

use ndarray::Array2;
use spax_core::graph::{curve_order, spatial_knn, Graph};

use super::{edges, layouts};

#[test]
fn edges_are_sorted_single_and_without_loops() {
    let pairs = [(3, 1), (0, 2), (3, 1), (2, 2), (0, 1)];
    let graph = Graph::from_edges(4, pairs.into_iter()).unwrap();
    assert_eq!(edges(&graph), [(0, 1), (0, 2), (3, 1)]);
    let both = graph.symmetric_union();
    assert_eq!(
        edges(&both),
        [(0, 1), (0, 2), (1, 0), (1, 3), (2, 0), (3, 1)]
    );
    assert!(Graph::from_edges(4, [(0, 4)].into_iter()).is_err());
    assert_eq!(
        Graph::from_edges(0, std::iter::empty()).unwrap().n_nodes(),
        0
    );
}

#[test]
fn renaming_nodes_keeps_the_edges() {
    let coords = layouts().remove(0).1;
    let graph = Graph::knn(coords.view(), 6).unwrap();
    let order = curve_order(coords.view()).unwrap();
    let renamed = graph.permuted(&order).unwrap();
    let mut back: Vec<_> = edges(&renamed)
        .iter()
        .map(|e| (order[e.0 as usize], order[e.1 as usize]))
        .collect();
    back.sort_unstable();
    assert_eq!(back, edges(&graph));
    assert!(graph.permuted(&order[1..]).is_err());
    assert!(graph.permuted(&vec![0; 600]).is_err());
}

#[test]
fn normalisation_equals_the_dense_formula() {
    let graph = Graph::from_edges(5, [(0, 1), (0, 2), (1, 2), (3, 1)].into_iter())
        .unwrap()
        .symmetric_union();
    let mut dense = Array2::<f64>::eye(5);
    edges(&graph)
        .iter()
        .for_each(|e| dense[[e.0 as usize, e.1 as usize]] = 1.0);
    let degree = dense.sum_axis(ndarray::Axis(1));
    let normalised = graph.normalised();
    assert_eq!(normalised.nnz(), graph.n_edges() + 5);
    for i in 0..5 {
        let (columns, values) = normalised.row(i);
        assert!(columns.windows(2).all(|w| w[0] < w[1]));
        for (&j, &v) in columns.iter().zip(values) {
            let expected = dense[[i, j as usize]] / (degree[i] * degree[j as usize]).sqrt();
            assert!(expected > 0.0 && (f64::from(v) - expected).abs() < 1e-7);
        }
    }
}

#[test]
fn a_directed_graph_keeps_k_neighbours_and_its_union_is_symmetric() {
    let coords = layouts().remove(1).1;
    let directed = Graph::directed(&spatial_knn(coords.view(), 7).unwrap());
    assert!((0..600).all(|i| directed.neighbours(i).len() == 7));
    assert!(!directed.is_symmetric());
    assert!(directed.symmetric_union().is_symmetric());
    assert_eq!(
        directed.symmetric_union(),
        Graph::knn(coords.view(), 7).unwrap()
    );
}
