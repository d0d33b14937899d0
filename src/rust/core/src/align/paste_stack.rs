//! PASTE between slices of a stack: a sample of the spots stands for each.

use ndarray::{Array2, ArrayView2, Axis};

use super::expression::variable_genes;
use super::grid::{grid_of, Grid};
use super::paste::{paste, PasteParams};
use super::sample::even_sample;
use super::sides::Sides;
use super::transform::Transform;
use crate::slices::Slices;
use crate::sparse::CountsView;
use crate::Result;

/// Spots of a slice that are looked at: enough to find one turn and shift; memory and time of PASTE grow with their square and cube.
const SPOTS: usize = 1500;
/// Genes that are compared, the most variable.
const GENES: usize = 1000;

/// The spots of a slice that stand for it.
pub(super) struct Sample {
    grid: Grid,
    points: Vec<[f64; 2]>,
    /// Spots x genes.
    counts: Array2<f64>,
}

/// Of each slice. `coords` are n x 2.
///
/// # Errors
/// Those of [`variable_genes`] and [`grid_of`].
pub(super) fn paste_samples(
    counts: &CountsView,
    coords: ArrayView2<f64>,
    slices: &Slices,
) -> Result<Vec<Sample>> {
    let genes = variable_genes(counts, GENES)?;
    slices
        .cells()
        .iter()
        .map(|rows| sample(counts, coords, rows, &genes))
        .collect()
}

fn sample(
    counts: &CountsView,
    coords: ArrayView2<f64>,
    rows: &[u32],
    genes: &[u32],
) -> Result<Sample> {
    let rows: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
    let here = coords.select(Axis(0), &rows);
    let chosen = even_sample(here.view(), SPOTS)?;
    let cells: Vec<usize> = chosen.iter().map(|&row| rows[row as usize]).collect();
    Ok(Sample {
        grid: grid_of(here.view())?,
        points: cells
            .iter()
            .map(|&cell| [coords[[cell, 0]], coords[[cell, 1]]])
            .collect(),
        counts: dense(counts, &cells, genes),
    })
}

/// Cells x genes.
fn dense(counts: &CountsView, cells: &[usize], genes: &[u32]) -> Array2<f64> {
    let mut place = vec![None; counts.n_genes()];
    for (at, &gene) in genes.iter().enumerate() {
        place[gene as usize] = Some(at);
    }
    let mut out = Array2::zeros((cells.len(), genes.len()));
    for (mut row, &cell) in out.rows_mut().into_iter().zip(cells) {
        let (genes, values) = counts.cell(cell);
        for (&gene, &value) in genes.iter().zip(values) {
            if let Some(at) = place[gene as usize] {
                row[at] = value;
            }
        }
    }
    out
}

/// What brings the source, whose lengths are first multiplied by `scale`, onto the target.
///
/// # Errors
/// Those of [`paste`].
pub(super) fn paste_sample(
    source: &Sample,
    target: &Sample,
    scale: f64,
    sides: Sides,
) -> Result<Transform> {
    let params = PasteParams {
        alpha: 0.1,
        spacing: target.grid.spacing,
        rounds: 100,
        starts: 12,
        sides,
    };
    let found = paste(
        &Transform::scaling(scale).apply_all(&source.points),
        &target.points,
        source.counts.view(),
        target.counts.view(),
        &params,
    )?;
    Ok(found.transform)
}
