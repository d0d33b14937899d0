//! Graphs of neighbouring cells.

use extendr_api::prelude::*;
use spax_core::graph::{curve_order, smooth, Graph};
use spax_core::{threads, Error};

use crate::convert::{count, finite_f32, matrix, optional_number, pointer, to_matrix};
use crate::error::guard;

/// A spatial graph, and its cells in an order that keeps neighbours close in memory.
pub struct SpatialGraph {
    pub graph: Graph,
    pub order: Vec<u32>,
}

/// @noRd
#[extendr]
fn core_spatial_graph(coords: Robj, k: Robj, radius: Robj, threads: Robj) -> Robj {
    guard(|| {
        let points = matrix(&coords, "coords")?;
        let radius = optional_number(&radius, "radius")?;
        let k = match radius {
            None => count(&k, "k")?,
            Some(_) => 0,
        };
        let graph = threads::install(count(&threads, "threads")?, || {
            let graph = match radius {
                Some(radius) => Graph::radius(points, radius)?,
                None => Graph::knn(points, k)?,
            };
            let order = curve_order(points)?;
            Ok(SpatialGraph { graph, order })
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
fn core_smooth(x: Robj, coords: Robj, k: Robj, passes: Robj, threads: Robj) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "reduction")?;
        let points = matrix(&coords, "coords")?;
        let (k, passes) = (count(&k, "k")?, count(&passes, "passes")?);
        let smoothed = threads::install(count(&threads, "threads")?, || {
            smooth(x.view(), points, k, passes)
        })?;
        Ok(to_matrix(smoothed.view()))
    })
}

extendr_module! {
    mod graph;
    fn core_smooth;
    fn core_spatial_graph;
    fn core_graph_csc;
}
