//! Graphs of neighbouring cells.

use extendr_api::prelude::*;
use ndarray::ArrayView2;
use spax_core::graph::{
    curve_order_within, knn_within, radius_within, reach, smooth, spatial_knn, Graph, Neighbours,
    WIDEST,
};
use spax_core::slices::Slices;
use spax_core::{Error, Result};

use crate::convert::{
    count, finite_f32, flag, matrix, optional_number, pointer, slices, to_matrix,
};
use crate::error::guard;
use crate::wait;

/// A spatial graph, and its cells in an order that keeps neighbours close in memory.
pub struct SpatialGraph {
    pub graph: Graph,
    pub order: Vec<u32>,
    /// The slice of each cell.
    pub slices: Slices,
}

/// Neighbours in a stack of slices (all cells in one frame), or within each slice.
fn neighbours(
    points: ArrayView2<f64>,
    slices: &Slices,
    stacked: bool,
    k: usize,
) -> Result<Neighbours> {
    match stacked {
        true => spatial_knn(points, k),
        false => knn_within(points, slices, k),
    }
}

/// @noRd
#[extendr]
fn core_spatial_graph(
    coords: Robj,
    slices: Robj,
    stacked: Robj,
    directed: Robj,
    k: Robj,
    radius: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let points = matrix(&coords, "coords")?;
        let slices = self::slices(&slices, points.nrows())?;
        let (stacked, directed) = (flag(&stacked, "stacked")?, flag(&directed, "directed")?);
        let radius = optional_number(&radius, "radius")?;
        let k = match radius {
            None => count(&k, "k")?,
            Some(_) => 0,
        };
        let graph = wait::on(&threads, || {
            let graph = match radius {
                Some(radius) if stacked => Graph::radius(points, radius)?,
                Some(radius) => radius_within(points, &slices, radius)?,
                None => Graph::directed(&neighbours(points, &slices, stacked, k)?),
            };
            let graph = match directed || radius.is_some() {
                true => graph,
                false => graph.symmetric_union(),
            };
            let order = curve_order_within(points, &slices)?;
            Ok(SpatialGraph {
                graph,
                order,
                slices,
            })
        })?;
        Ok(ExternalPtr::new(graph).into())
    })
}

/// @noRd
#[extendr]
fn core_graph_csc(graph: Robj) -> Robj {
    guard(|| {
        let graph = &pointer::<SpatialGraph>(&graph, "graph")?.graph;
        let n = graph.n_nodes();
        if graph.n_edges() > i32::MAX as usize {
            return Err(Error::Internal("too many edges for a dgCMatrix".into()));
        }
        let mut starts = vec![0i32];
        let mut ends: Vec<i32> = Vec::with_capacity(graph.n_edges());
        for node in 0..n {
            ends.extend(graph.neighbours(node).iter().map(|&to| to as i32));
            starts.push(ends.len() as i32);
        }
        Ok(list!(p = starts, i = ends, n = n as i32).into())
    })
}

/// @noRd
#[extendr]
fn core_smooth(
    x: Robj,
    coords: Robj,
    slices: Robj,
    stacked: Robj,
    k: Robj,
    passes: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "reduction")?;
        let points = matrix(&coords, "coords")?;
        let slices = self::slices(&slices, points.nrows())?;
        let stacked = flag(&stacked, "stacked")?;
        let (k, passes) = (count(&k, "k")?, count(&passes, "passes")?);
        let smoothed = wait::on(&threads, || {
            // The cell itself is one of the k.
            let near = neighbours(points, &slices, stacked, k.saturating_sub(1))?;
            smooth(x.view(), &near, passes)
        })?;
        Ok(to_matrix(smoothed.view()))
    })
}

/// The k nearest of every cell.
/// @noRd
#[extendr]
fn core_neighbours(coords: Robj, slices: Robj, stacked: Robj, k: Robj, threads: Robj) -> Robj {
    guard(|| {
        let points = matrix(&coords, "coords")?;
        let slices = self::slices(&slices, points.nrows())?;
        let (stacked, k) = (flag(&stacked, "stacked")?, count(&k, "k")?);
        let near = wait::on(&threads, || neighbours(points, &slices, stacked, k))?;
        Ok(ExternalPtr::new(near).into())
    })
}

/// How many neighbours predict a cell best.
/// @noRd
#[extendr]
fn core_reach(
    x: Robj,
    coords: Robj,
    slices: Robj,
    stacked: Robj,
    most: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "reduction")?;
        let points = matrix(&coords, "coords")?;
        let slices = self::slices(&slices, points.nrows())?;
        let stacked = flag(&stacked, "stacked")?;
        let most = count(&most, "most")?.min(WIDEST);
        let found = wait::on(&threads, || {
            let near = neighbours(points, &slices, stacked, most)?;
            reach(x.view(), &near, &curve_order_within(points, &slices)?)
        })?;
        Ok((found as i32).into())
    })
}

extendr_module! {
    mod graph;
    fn core_reach;
    fn core_smooth;
    fn core_spatial_graph;
    fn core_graph_csc;
    fn core_neighbours;
}
