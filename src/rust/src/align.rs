//! Slices in one frame.

use extendr_api::prelude::*;
use spax_core::align::{
    align_stack, even_sample, grid_of, heights, paste, relative_scale, Grid, Lattice, Outline,
    Params, PasteParams, Placed, Residual, Transform,
};
use spax_core::{Error, Result};

use crate::convert::{count, doubles, flag, from_zero_based, labels, matrix, number, Options};
use crate::error::guard;
use crate::wait;

/// @noRd
#[extendr]
fn core_align_stack(
    coords: Robj,
    slice: Robj,
    features: Robj,
    steps: Robj,
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
        let mut params = params(&options)?;
        if !steps.is_null() {
            params.given = Some(transforms(&steps)?);
        }
        let found = wait::on(&threads, || align_stack(points, &cells, features, &params))?;
        Ok(List::from_values(found.iter().map(placed)).into())
    })
}

/// Rows of turn (by rows), scale and shift.
fn transforms(steps: &Robj) -> Result<Vec<Transform>> {
    let row = |v: ndarray::ArrayView1<f64>| {
        let turn = [[v[0], v[1]], [v[2], v[3]]];
        Transform::from_parts(turn, v[4], [v[5], v[6]])
    };
    let steps = matrix(steps, "steps")?;
    if steps.ncols() != 7 {
        return Err(Error::Internal("steps have seven columns".into()));
    }
    Ok(steps.rows().into_iter().map(row).collect())
}

/// @noRd
#[extendr]
fn core_even_sample(coords: Robj, most: Robj) -> Robj {
    guard(|| {
        let (points, most) = (matrix(&coords, "coords")?, count(&most, "most")?);
        let rows = wait::alone(|| even_sample(points, most))?;
        Ok(from_zero_based(&rows))
    })
}

/// @noRd
#[extendr]
fn core_align_paste(source: Robj, target: Robj, mirror: Robj, threads: Robj) -> Robj {
    guard(|| {
        let (source, target) = (Sampled::new(&source)?, Sampled::new(&target)?);
        let scale = Transform::scaling(relative_scale(&source.grid, &target.grid));
        let params = PasteParams {
            alpha: 0.1,
            spacing: target.grid.spacing,
            rounds: 100,
            starts: 12,
            mirror: flag(&mirror, "mirror")?,
        };
        let from = scale.apply_all(&source.points);
        let counts = (
            matrix(&source.counts, "counts")?,
            matrix(&target.counts, "counts")?,
        );
        let found = wait::on(&threads, || {
            paste(&from, &target.points, counts.0, counts.1, &params)
        })?;
        let whole = scale.then(&found.transform);
        let ([[a, b], [c, d]], [x, y]) = (whole.turn(), whole.shift());
        Ok(vec![a, b, c, d, whole.scale(), x, y].into())
    })
}

/// The spots of a slice that stand for it, and their counts.
struct Sampled {
    grid: Grid,
    points: Vec<[f64; 2]>,
    counts: Robj,
}

impl Sampled {
    fn new(list: &Robj) -> Result<Self> {
        let list = Options::new(list)?;
        let coords = list.get("xy")?;
        let coords = matrix(coords, "xy")?;
        let rows = labels(list.get("sample")?, "sample")?;
        let point = |&row: &u32| {
            let row = row as usize;
            (row < coords.nrows())
                .then(|| [coords[[row, 0]], coords[[row, 1]]])
                .ok_or_else(|| Error::Internal("a sample beyond the spots".into()))
        };
        Ok(Self {
            grid: grid_of(coords)?,
            points: rows.iter().map(point).collect::<Result<Vec<_>>>()?,
            counts: list.get("counts")?.clone(),
        })
    }
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
        keeps: doubles(options.get("keeps")?, "keeps")?.to_vec(),
        starts: options.count("starts")?,
        mirror: options.flag("mirror")?,
        given: options.flag("still")?.then(Vec::new),
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
    fn core_align_paste;
    fn core_even_sample;
    fn core_heights;
}
