//! Slices in one frame.

use extendr_api::prelude::*;
use spax_core::align::{
    align_stack, even_sample, units_of, Lattice, Method, Mirror, Outline, Params, Placed, Problem,
    Report, Residual, Scale, Stack, Units,
};
use spax_core::sparse::CountsView;
use spax_core::{Error, Result};

use crate::convert::{
    count, doubles, from_zero_based, matrix, optional_number, slices, string, to_matrix, Options,
};
use crate::counts::view;
use crate::error::guard;
use crate::wait;

/// Coordinates (cells x 2), the slice of each cell from 1, the slots of the counts as `list(p, i, x, n)` or NULL, and how to align them.
/// @noRd
#[extendr]
fn core_align_stack(coords: Robj, slice: Robj, counts: Robj, options: Robj, threads: Robj) -> Robj {
    guard(|| {
        let points = matrix(&coords, "coords")?;
        let slices = slices(&slice, points.nrows())?;
        let counts = match counts.is_null() {
            true => None,
            false => Some(Options::new(&counts)?),
        };
        let stack = Stack {
            coords: points,
            slices: &slices,
            counts: counts.as_ref().map(slots).transpose()?,
        };
        let params = params(&Options::new(&options)?)?;
        let found = wait::on(&threads, || align_stack(&stack, &params))?;
        let placed = List::from_values(found.slices.iter().map(placed));
        Ok(list!(coords = to_matrix(found.coords.view()), slices = placed).into())
    })
}

/// Of each slice but the first, scaled as `scale` says: how far apart neighbours are, and its extent, over those of the slice before it; and whether both say that
/// it is in another unit.
/// @noRd
#[extendr]
fn core_slice_units(coords: Robj, slice: Robj, scale: Robj) -> Robj {
    guard(|| {
        let points = matrix(&coords, "coords")?;
        let slices = slices(&slice, points.nrows())?;
        let scale = scale_of(string(&scale, "scale")?)?;
        let found = wait::alone(|| units_of(points, &slices, scale))?;
        let column = |of: fn(&Units) -> f64| -> Vec<f64> { found.iter().map(of).collect() };
        let differ: Vec<bool> = found.iter().map(|u| u.differ()).collect();
        Ok(list!(
            spacing = column(|u| u.spacing),
            extent = column(|u| u.extent),
            differ = differ
        )
        .into())
    })
}

fn slots(counts: &Options) -> Result<CountsView<'_>> {
    let get = |name| counts.get(name);
    view(get("p")?, get("i")?, get("x")?, get("n")?)
}

fn params(options: &Options) -> Result<Params> {
    Ok(Params {
        method: match options.string("method")? {
            "icp" => Method::Icp,
            "paste" => Method::Paste,
            "none" => Method::Still,
            _ => return Err(unknown("method")),
        },
        outline: match options.flag("outline")? {
            true => Outline::Rim,
            false => Outline::All,
        },
        tolerance: options.number("tolerance")?,
        rounds: options.count("rounds")?,
        keeps: doubles(options.get("keeps")?, "keeps")?.to_vec(),
        starts: options.count("starts")?,
        mirror: match options.string("mirror")? {
            "auto" => Mirror::Auto,
            "TRUE" => Mirror::Allowed,
            "FALSE" => Mirror::Never,
            _ => return Err(unknown("mirror")),
        },
        scale: scale_of(options.string("scale")?)?,
        gaps: doubles(options.get("gaps")?, "gaps")?.to_vec(),
        spot_distance: optional_number(options.get("spot.distance")?, "spot.distance")?,
    })
}

fn scale_of(name: &str) -> Result<Scale> {
    match name {
        "grids" => Ok(Scale::Grids),
        "TRUE" => Ok(Scale::Always),
        "FALSE" => Ok(Scale::Never),
        _ => Err(unknown("scale")),
    }
}

fn unknown(option: &str) -> Error {
    Error::Internal(format!("`{option}` is none of its values"))
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
        lattice = lattice,
        pair = slice.pair.as_ref().map_or_else(Robj::default, report)
    )
    .into()
}

fn report(pair: &Report) -> Robj {
    list!(
        before = numbers(&pair.before),
        after = numbers(&pair.after),
        outline = pair.outline,
        agreement = pair.agreement,
        chance = pair.chance,
        other_side = pair.other_side,
        rival = pair.rival.map(|r| r.angle().to_degrees()),
        spacing = pair.units.spacing,
        extent = pair.units.extent,
        problem = pair.problem.map(name)
    )
    .into()
}

fn name(problem: Problem) -> &'static str {
    match problem {
        Problem::Units => "units",
        Problem::LittleOverlap => "overlap",
        Problem::Disagrees => "expression",
        Problem::Chance => "chance",
        Problem::MirrorImage => "mirror",
        Problem::Rival => "rival",
    }
}

fn numbers(r: &Residual) -> Vec<f64> {
    vec![r.mean, r.median, r.overlap]
}

fn r_matrix(rows: [[f64; 2]; 2]) -> Robj {
    RMatrix::new_matrix(2, 2, |row, column| rows[row][column]).into()
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

extendr_module! {
    mod align;
    fn core_align_stack;
    fn core_even_sample;
    fn core_slice_units;
}
