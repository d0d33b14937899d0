//! Graphs of neighbouring cells.

use extendr_api::prelude::*;
use spax_core::graph::{correlation_knn, Graph};
use spax_core::Error;

use crate::convert::{count, finite_f32, pointer, seed};
use crate::error::guard;
use crate::wait;

/// @noRd
#[extendr]
fn core_graph_csc(graph: Robj) -> Robj {
    guard(|| {
        let graph: &Graph = pointer(&graph, "graph")?;
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

/// The graph of similar cells of a matrix (cells x features).
///
/// @noRd
#[extendr]
fn core_feature_graph(x: Robj, k: Robj, seed: Robj, threads: Robj) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "object")?;
        let (k, seed) = (count(&k, "k")?, self::seed(&seed)?);
        let graph = wait::on(&threads, || correlation_knn(x.view(), k, seed))?;
        Ok(ExternalPtr::new(graph).into())
    })
}

extendr_module! {
    mod graph;
    fn core_graph_csc;
    fn core_feature_graph;
}
