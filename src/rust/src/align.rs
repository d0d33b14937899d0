//! Slices in one frame.

use extendr_api::prelude::*;
use spax_core::align::{align_stack, heights, Lattice, Outline, Params, Placed, Residual};
use spax_core::{threads, Error, Result};

use crate::convert::{count, doubles, labels, matrix, number, Options};
use crate::error::guard;

/// @noRd
#[extendr]
fn core_align_stack(
    coords: Robj,
    slice: Robj,
    features: Robj,
    options: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let points = matrix(&coords, "coords")?;
        let cells = cells_of(&labels(&slice, "slice")?, points.nrows())?;
        let features = match features.is_null() {
            true => None,
            false => Some(matrix(&features, "features")?),
        };
        let params = params(&options)?;
        let found = threads::install(count(&threads, "threads")?, || {
            align_stack(points, &cells, features, &params)
        })?;
        Ok(List::from_values(found.iter().map(placed)).into())
    })
}

/// @noRd
#[extendr]
fn core_heights(gaps: Robj, unit: Robj) -> Robj {
    guard(|| Ok(heights(doubles(&gaps, "gaps")?, number(&unit, "unit")?).into()))
}

/// The rows of each slice.
fn cells_of(slice: &[u32], n: usize) -> Result<Vec<Vec<u32>>> {
    if slice.len() != n {
        return Err(Error::Internal("one slice a cell".into()));
    }
    let most = slice.iter().max().map_or(0, |&s| s as usize + 1);
    let mut cells = vec![Vec::new(); most.min(n)];
    for (row, &slice) in slice.iter().enumerate() {
        cells
            .get_mut(slice as usize)
            .ok_or_else(|| Error::Internal("a slice without cells".into()))?
            .push(row as u32);
    }
    Ok(cells)
}

fn params(list: &Robj) -> Result<Params> {
    let options = Options::new(list)?;
    Ok(Params {
        outline: match options.flag("outline")? {
            true => Outline::Rim,
            false => Outline::All,
        },
        tolerance: options.number("tolerance")?,
        rounds: options.count("rounds")?,
        keep: options.number("keep")?,
        starts: options.count("starts")?,
        mirror: options.flag("mirror")?,
        still: options.flag("still")?,
    })
}

fn placed(slice: &Placed) -> Robj {
    let t = &slice.transform;
    let [[a, b], [c, d]] = t.turn();
    let lattice = match slice.grid.lattice {
        Lattice::Hexagonal => "hexagonal",
        Lattice::Square => "square",
        Lattice::Irregular => "irregular",
    };
    list!(
        rotation = r_matrix([[a, b], [c, d]]),
        shift = t.shift().to_vec(),
        angle = t.angle().to_degrees(),
        mirrored = t.mirrored(),
        scale = t.scale(),
        before = slice.residuals.map_or_else(Vec::new, |r| numbers(&r.0)),
        after = slice.residuals.map_or_else(Vec::new, |r| numbers(&r.1)),
        outline = slice.outline,
        agreement = slice.agreement,
        rival = slice.rival.map(|r| r.angle().to_degrees()),
        lattice = lattice,
        smallest = slice.grid.smallest,
        spacing = slice.grid.spacing
    )
    .into()
}

fn numbers(r: &Residual) -> Vec<f64> {
    vec![r.mean, r.median, r.overlap]
}

fn r_matrix(rows: [[f64; 2]; 2]) -> Robj {
    RMatrix::new_matrix(2, 2, |row, column| rows[row][column]).into()
}

extendr_module! {
    mod align;
    fn core_align_stack;
    fn core_heights;
}
