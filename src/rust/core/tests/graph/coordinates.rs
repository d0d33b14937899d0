//! Neighbours and the curve of cells by their coordinates.

use ndarray::Array2;
use spax_core::graph::{
    curve_order, curve_order_within, knn_within, radius_within, spatial_knn, Graph,
};
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
use spax_core::Error;

use super::{brute_force, common, edges, layouts};

fn coords_of(value: &serde_json::Value) -> Array2<f64> {
    let rows = value.as_array().unwrap();
    let flat: Vec<f64> = rows
        .iter()
        .flat_map(|r| r.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()))
        .collect();
    Array2::from_shape_vec((rows.len(), flat.len() / rows.len()), flat).unwrap()
}

#[test]
fn the_spatial_graph_is_the_published_one() {
    let published = &common::json("spatial_graph.json")["random"];
    let k = published["k"].as_u64().unwrap() as usize;
    let graph = Graph::knn(coords_of(&published["coords"]).view(), k).unwrap();
    let mut expected: Vec<(u32, u32)> = published["edges_symmetric_union"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e[0].as_u64().unwrap() as u32, e[1].as_u64().unwrap() as u32))
        .collect();
    expected.sort_unstable();
    assert_eq!(edges(&graph), expected);
}

#[test]
fn nearest_neighbours_equal_brute_force_on_every_layout() {
    for (name, coords) in layouts() {
        for k in [1, 6, 10, 31, 599] {
            let found = spatial_knn(coords.view(), k).unwrap();
            assert_eq!(found, brute_force(coords.view(), k), "{name}, k = {k}");
        }
    }
}

#[test]
fn the_radius_graph_equals_brute_force_on_every_layout() {
    for (name, coords) in layouts() {
        let near = brute_force(coords.view(), 599);
        for radius in [1.0, 2.0, 40.0] {
            let graph = Graph::radius(coords.view(), radius).unwrap();
            for i in 0..600 {
                let row = i * 599..(i + 1) * 599;
                let inside = near.index[row.clone()].iter().zip(&near.distance[row]);
                let mut expected: Vec<u32> =
                    inside.filter(|e| *e.1 <= radius).map(|e| *e.0).collect();
                expected.sort_unstable();
                assert_eq!(
                    graph.neighbours(i),
                    expected,
                    "{name}, cell {i}, radius {radius}"
                );
            }
        }
    }
}

#[test]
fn unusable_coordinates_are_errors() {
    let good = layouts().remove(0).1;
    for bad in [f64::NAN, f64::INFINITY, 1e200] {
        let mut coords = good.clone();
        coords[[3, 1]] = bad;
        assert!(matches!(
            spatial_knn(coords.view(), 6),
            Err(Error::Coords { .. })
        ));
        assert!(matches!(
            Graph::radius(coords.view(), 6.0),
            Err(Error::Coords { .. })
        ));
        assert!(matches!(
            curve_order(coords.view()),
            Err(Error::Coords { .. })
        ));
    }
    for shape in [(5, 0), (5, 1), (5, 4), (0, 5)] {
        let coords = Array2::zeros(shape);
        assert!(matches!(
            spatial_knn(coords.view(), 2),
            Err(Error::Coords { .. })
        ));
    }
    let same = Array2::from_elem((50, 2), 4.5);
    assert!(matches!(
        spatial_knn(same.view(), 6),
        Err(Error::Coords { .. })
    ));
    assert!(matches!(
        Graph::radius(same.view(), 6.0),
        Err(Error::Coords { .. })
    ));
    for (n, k) in [(0, 1), (1, 1), (6, 6), (6, 0), (6, usize::MAX)] {
        let coords = good.slice(ndarray::s![..n, ..]);
        let blamed = spatial_knn(coords, k).unwrap_err().blamed();
        assert_eq!(blamed, Some("k"), "{n} cells, k = {k}");
    }
    for radius in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(
            Graph::radius(good.view(), radius).unwrap_err().blamed(),
            Some("radius")
        );
    }
    assert!(Graph::radius(Array2::zeros((0, 2)).view(), 1.0).is_err());
}

#[test]
fn the_curve_visits_every_cell_once_and_stays_near() {
    for (name, coords) in layouts() {
        let order = curve_order(coords.view()).unwrap();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(
            sorted.iter().enumerate().all(|(i, &c)| i == c as usize),
            "{name}"
        );
        let median_step = |order: &[u32]| -> f64 {
            let step = |w: &[u32]| {
                let gap = &coords.row(w[0] as usize) - &coords.row(w[1] as usize);
                gap.mapv(|x| x * x).sum().sqrt()
            };
            let mut steps: Vec<f64> = order.windows(2).map(step).collect();
            steps.sort_unstable_by(f64::total_cmp);
            steps[steps.len() / 2]
        };
        let random = Rng::new(5, Purpose::Data, 1).permutation(600);
        assert!(median_step(&order) <= 0.3 * median_step(&random), "{name}");
    }
}

#[test]
fn neighbours_do_not_depend_on_the_number_of_threads() {
    for (name, coords) in layouts() {
        let run = |threads| spax_core::threads::install(threads, || spatial_knn(coords.view(), 8));
        assert_eq!(run(1).unwrap(), run(3).unwrap(), "{name}");
    }
}

/// Two slices that lie on each other, their cells by turns.
#[test]
fn within_slices_each_is_as_if_alone() {
    let coords = layouts().remove(0).1;
    let slices = Slices::new((0..600).map(|i| (i % 3 == 1) as u32).collect()).unwrap();
    let near = knn_within(coords.view(), &slices, 6).unwrap();
    let radius = radius_within(coords.view(), &slices, 2.5).unwrap();
    let order = curve_order_within(coords.view(), &slices).unwrap();
    let mut first = 0;
    for cells in slices.cells() {
        let rows: Vec<usize> = cells.iter().map(|&c| c as usize).collect();
        let own = coords.select(ndarray::Axis(0), &rows);
        let alone = spatial_knn(own.view(), 6).unwrap();
        let inside = Graph::radius(own.view(), 2.5).unwrap();
        let named = |found: &[u32]| found.iter().map(|&i| cells[i as usize]).collect::<Vec<_>>();
        for (i, &cell) in cells.iter().enumerate() {
            assert_eq!(near.row(cell as usize), named(alone.row(i)));
            assert_eq!(
                radius.neighbours(cell as usize),
                named(inside.neighbours(i))
            );
            let at = cell as usize * 6;
            assert_eq!(near.distance[at..at + 6], alone.distance[i * 6..i * 6 + 6]);
        }
        let walk = curve_order(own.view()).unwrap();
        assert_eq!(order[first..first + cells.len()], named(&walk));
        first += cells.len();
    }
    let one = Slices::one(600);
    assert_eq!(
        knn_within(coords.view(), &one, 6).unwrap(),
        spatial_knn(coords.view(), 6).unwrap()
    );
}
