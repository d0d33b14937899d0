//! The cells of a run in space.

use std::sync::Arc;

use extendr_api::prelude::*;
use spax_core::engine::{Join, Tissue};
use spax_core::Result;

use crate::convert::{count, flag, matrix, optional_number, pointer, slices};
use crate::error::guard;
use crate::wait;

/// Shared by the run that holds it.
pub type Handle = Arc<Tissue>;

/// Coordinates (cells x 2 or 3), the slice of each cell from 1 or NULL, and whether the slices share a frame.
/// @noRd
#[extendr]
fn core_tissue(coords: Robj, slices: Robj, stacked: Robj, threads: Robj) -> Robj {
    guard(|| {
        let points = matrix(&coords, "coords")?;
        let slices = self::slices(&slices, points.nrows())?;
        let (stacked, threads) = (flag(&stacked, "stacked")?, count(&threads, "threads")?);
        let tissue: Handle = Arc::new(Tissue::new(points.to_owned(), slices, stacked, threads)?);
        Ok(ExternalPtr::new(tissue).into())
    })
}

/// The `k` nearest, or NA and all within `radius`.
fn join(k: &Robj, radius: &Robj) -> Result<Join> {
    Ok(match optional_number(radius, "radius")? {
        Some(radius) => Join::Radius(radius),
        None => Join::Nearest(count(k, "k")?),
    })
}

/// @noRd
#[extendr]
fn core_tissue_graph(tissue: Robj, k: Robj, radius: Robj) -> Robj {
    guard(|| {
        let tissue: &Handle = pointer(&tissue, "tissue")?;
        let join = join(&k, &radius)?;
        let graph = wait::alone(|| tissue.graph(join, false))?;
        Ok(ExternalPtr::new(graph).into())
    })
}

/// Of a sample of the cells, the distance to the nearest other place and the number of cells within `radius` (NA:
/// none).
/// @noRd
#[extendr]
fn core_tissue_around(tissue: Robj, radius: Robj) -> Robj {
    guard(|| {
        let tissue: &Handle = pointer(&tissue, "tissue")?;
        let radius = optional_number(&radius, "radius")?.unwrap_or(0.0);
        let found = wait::alone(|| tissue.around(radius))?;
        let within: Vec<f64> = found.within.into_iter().map(f64::from).collect();
        Ok(list!(nearest = found.nearest, within = within).into())
    })
}

extendr_module! {
    mod tissue;
    fn core_tissue;
    fn core_tissue_around;
    fn core_tissue_graph;
}
