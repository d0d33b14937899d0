//! Slices made even: what sets a slice apart as a whole, told from what lies in it.
//!
//! Genes centred within each slice lose what the slice as a whole has more of, and that is its tissue as well as its batch: where
//! a slice lacks a layer, all its other cells are moved. So groups of like cells and a shift of each slice are found together,
//! the least squares of x = centre of the cell's group + shift of its slice, as k-means finds groups alone. What groups share
//! across slices decides the shifts; how many cells of a group a slice has does not.

use nalgebra::{Cholesky, DMatrix};
use ndarray::{s, Array1, Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use crate::cluster::{kmeans, KMeansSettings};
use crate::slices::Slices;
use crate::{progress, Error, Result};

/// The most groups.
const GROUPS: usize = 40;
/// Cells of each slice that a group takes.
const CELLS_A_GROUP: usize = 25;
/// How often groups are found anew, each time from where the last shifts left the cells.
const STARTS: u32 = 5;
/// The most rounds of each.
const MOST_ROUNDS: usize = 100;
/// The most cells that groups and shifts are found from, evenly along the curve of each slice.
const FIT_ROWS: usize = 40_000;
/// A shift counts as seen in so many cells more at 0, which settles it where slices have no group in common.
const HOLD: f64 = 1.0;
/// Rows of one product.
const CHUNK: usize = 1024;

/// Takes the slices' shifts away from `x` (cells x columns); their mean over cells is 0. The centres of the groups, by which
/// further slices find their place.
///
/// # Errors
/// Those of [`kmeans`].
pub(super) fn even_out(x: &mut Array2<f32>, slices: &Slices) -> Result<Array2<f64>> {
    let n_slices = slices.n_slices();
    let k = (x.nrows() / (CELLS_A_GROUP * n_slices)).clamp(1, GROUPS);
    let sample = Sample::of(x, slices);
    let mut found = Shifted {
        shifts: Array2::zeros((n_slices, x.ncols())),
        centres: Array2::zeros((k, x.ncols())),
    };
    for start in 0..if n_slices > 1 { STARTS } else { 1 } {
        found = sample.settle(found.shifts, k, start)?;
    }
    if n_slices == 1 {
        return Ok(found.centres);
    }
    let n = x.nrows() as f64;
    let shares = slices.sizes().into_iter().map(|size| size as f64 / n);
    let mean = shares.collect::<Array1<f64>>().dot(&found.shifts);
    found.shifts -= &mean;
    found.centres += &mean;
    for (cell, mut row) in x.rows_mut().into_iter().enumerate() {
        let shift = found.shifts.row(slices.of(cell));
        row.zip_mut_with(&shift, |v, &by| *v = (f64::from(*v) - by) as f32);
    }
    Ok(found.centres)
}

/// Moves the cells of one further slice as a whole to where they lie nearest to the `centres` of groups.
///
/// # Errors
/// Centres of other columns; [`Error::Interrupted`].
pub fn place(x: &mut Array2<f32>, centres: ArrayView2<f64>) -> Result<()> {
    if x.ncols() != centres.ncols() {
        let message = "The groups of the model do not fit the cells";
        return Err(Error::model(message));
    }
    let sample = Sample::of(x, &Slices::one(x.nrows()));
    let mut shift = Array2::zeros((1, x.ncols()));
    let mut groups = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let now = sample.nearest(&shift, centres)?;
        if now == groups {
            break;
        }
        groups = now;
        let of_groups = groups.iter().map(|&g| g as usize);
        let way = sample.x.rows().into_iter().zip(of_groups);
        shift.fill(0.0);
        for (row, group) in way {
            let to = centres.row(group);
            let pairs = shift.iter_mut().zip(row).zip(to);
            pairs.for_each(|((sum, &v), to)| *sum += f64::from(v) - to);
        }
        shift /= sample.x.nrows() as f64 + HOLD;
    }
    let shift = shift.row(0).mapv(|by| by as f32);
    *x -= &shift;
    Ok(())
}

/// Groups and shifts as they stand.
struct Shifted {
    /// Slices x columns.
    shifts: Array2<f64>,
    /// Groups x columns.
    centres: Array2<f64>,
}

/// Some of the cells.
struct Sample {
    x: Array2<f32>,
    /// The slice of each.
    slices: Vec<usize>,
}

impl Sample {
    fn of(x: &Array2<f32>, slices: &Slices) -> Self {
        let most = (FIT_ROWS / slices.n_slices()).max(1);
        let cells = slices.cells();
        let rows = cells.iter().flat_map(|cells| {
            let taken = cells.len().min(most);
            (0..taken).map(move |i| cells[i * cells.len() / taken] as usize)
        });
        let rows: Vec<usize> = rows.collect();
        Self {
            slices: rows.iter().map(|&row| slices.of(row)).collect(),
            x: x.select(Axis(0), &rows),
        }
    }

    /// Groups of the cells less the `shifts`; then groups and shifts by turns until no cell changes its group.
    fn settle(&self, shifts: Array2<f64>, k: usize, start: u32) -> Result<Shifted> {
        let settings = KMeansSettings {
            starts: 1,
            round: start,
            ..KMeansSettings::default()
        };
        let found = kmeans(self.less(0..self.x.nrows(), &shifts).view(), k, &settings)?;
        let mut groups = found.labels;
        let mut now = Shifted {
            shifts,
            centres: found.centres,
        };
        for _ in 0..MOST_ROUNDS {
            now = self.fitted(&groups, now)?;
            let next = self.nearest(&now.shifts, now.centres.view())?;
            if next == groups {
                break;
            }
            groups = next;
        }
        Ok(now)
    }

    fn less(&self, rows: std::ops::Range<usize>, shifts: &Array2<f64>) -> Array2<f32> {
        let mut out = self.x.slice(s![rows.clone(), ..]).to_owned();
        for (mut row, &slice) in out.rows_mut().into_iter().zip(&self.slices[rows]) {
            row.zip_mut_with(&shifts.row(slice), |v, &by| *v -= by as f32);
        }
        out
    }

    /// The group of the nearest centre of each cell less its slice's shift; of centres as near, the first.
    fn nearest(&self, shifts: &Array2<f64>, centres: ArrayView2<f64>) -> Result<Vec<u32>> {
        let centres = centres.mapv(|v| v as f32);
        let half = centres.map_axis(Axis(1), |row| row.dot(&row) / 2.0);
        let starts: Vec<usize> = (0..self.x.nrows()).step_by(CHUNK).collect();
        let ticket = progress::current();
        let chunks: Vec<Vec<u32>> = starts
            .into_par_iter()
            .map(|first| {
                ticket.part(|| {
                    let rows = first..(first + CHUNK).min(self.x.nrows());
                    let near = self.less(rows, shifts).dot(&centres.t()) - &half;
                    near.rows().into_iter().map(largest).collect()
                })
            })
            .collect();
        ticket.check()?;
        Ok(chunks.concat())
    }

    /// The least squares of shifts and centres, given the groups. With N the cells of each group and slice, sums S over slices and
    /// G over groups: (diag(N'1) - N' diag(1 / N1) N + hold) shifts = S - N' diag(1 / N1) G. A group without cells stays where
    /// it was.
    fn fitted(&self, groups: &[u32], before: Shifted) -> Result<Shifted> {
        let (k, n_slices, p) = (
            before.centres.nrows(),
            before.shifts.nrows(),
            self.x.ncols(),
        );
        let mut cells = Array2::<f64>::zeros((k, n_slices));
        let mut of_groups = Array2::<f64>::zeros((k, p));
        let mut of_slices = Array2::<f64>::zeros((n_slices, p));
        for ((row, &group), &slice) in self.x.rows().into_iter().zip(groups).zip(&self.slices) {
            let group = group as usize;
            cells[[group, slice]] += 1.0;
            let sums = (of_groups.row_mut(group), of_slices.row_mut(slice));
            for ((g, s), &v) in sums.0.into_iter().zip(sums.1).zip(row) {
                *g += f64::from(v);
                *s += f64::from(v);
            }
        }
        let in_group = cells.sum_axis(Axis(1)).insert_axis(Axis(1));
        let shares = &cells / &in_group.mapv(|n: f64| n.max(1.0));
        let mut left = -shares.t().dot(&cells);
        left.diag_mut()
            .zip_mut_with(&cells.sum_axis(Axis(0)), |l, &n| *l += n + HOLD);
        let right = of_slices - shares.t().dot(&of_groups);
        let shifts = solved(&left, &right)?;
        let mut centres = (of_groups - cells.dot(&shifts)) / &in_group.mapv(|n: f64| n.max(1.0));
        for (group, mut centre) in centres.rows_mut().into_iter().enumerate() {
            if in_group[[group, 0]] == 0.0 {
                centre.assign(&before.centres.row(group));
            }
        }
        Ok(Shifted { shifts, centres })
    }
}

fn largest(values: ArrayView1<f32>) -> u32 {
    let best = (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best });
    best as u32
}

/// The solution of a symmetric positive definite system, a column a right side.
fn solved(left: &Array2<f64>, right: &Array2<f64>) -> Result<Array2<f64>> {
    let n = left.nrows();
    let factor = Cholesky::new(DMatrix::from_fn(n, n, |i, j| left[[i, j]]))
        .ok_or_else(|| Error::Internal("shifts of slices that have no solution".into()))?;
    let found = factor.solve(&DMatrix::from_fn(n, right.ncols(), |i, j| right[[i, j]]));
    Ok(Array2::from_shape_fn(right.dim(), |(i, j)| found[(i, j)]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rng::{Purpose, Rng};

    const CELLS: usize = 3000;
    /// Half of the first slice is tissue that makes up a twentieth of the second, and the other way about.
    const SHARES: [[f64; 3]; 2] = [[0.5, 0.45, 0.05], [0.05, 0.45, 0.5]];

    /// Two slices of three tissues, each far out along a column of its own, the second slice moved by 3 along a fourth; the tissue
    /// of each cell.
    fn two_slices() -> (Array2<f32>, Slices, Vec<usize>) {
        let mut rng = Rng::new(5, Purpose::Data, 0);
        let mut tissues = Vec::new();
        let slices = Slices::new((0..CELLS).map(|i| (i % 2) as u32).collect()).unwrap();
        let mut x = Array2::zeros((CELLS, 4));
        for i in 0..CELLS {
            let (slice, draw) = (slices.of(i), rng.uniform());
            let shares = SHARES[slice];
            let tissue = usize::from(draw > shares[0]) + usize::from(draw > shares[0] + shares[1]);
            for j in 0..4 {
                let place = if j == tissue { 8.0 } else { 0.0 };
                let moved = if j == 3 { 3.0 * slice as f64 } else { 0.0 };
                x[[i, j]] = (place + moved + rng.normal()) as f32;
            }
            tissues.push(tissue);
        }
        (x, slices, tissues)
    }

    fn centred_within(x: &mut Array2<f32>, slices: &Slices) {
        for cells in slices.cells() {
            let rows: Vec<usize> = cells.iter().map(|&cell| cell as usize).collect();
            let mean = x.select(Axis(0), &rows).mean_axis(Axis(0)).unwrap();
            for row in rows {
                let mut row = x.row_mut(row);
                row -= &mean;
            }
        }
    }

    /// How far apart the slices' cells of one tissue lie.
    fn apart(x: &Array2<f32>, slices: &Slices, tissues: &[usize], tissue: usize) -> f64 {
        let mean = |slice: usize| {
            let rows: Vec<usize> = (0..x.nrows())
                .filter(|&i| slices.of(i) == slice && tissues[i] == tissue)
                .collect();
            x.select(Axis(0), &rows).mean_axis(Axis(0)).unwrap()
        };
        let way = (mean(0) - mean(1)).mapv(f64::from);
        way.dot(&way).sqrt()
    }

    #[test]
    fn what_slices_hold_does_not_move_them() {
        let (mut x, slices, tissues) = two_slices();
        centred_within(&mut x, &slices);
        let before: Vec<f64> = (0..3).map(|t| apart(&x, &slices, &tissues, t)).collect();
        assert!(before.iter().all(|&d| d > 4.0), "{before:?}");
        even_out(&mut x, &slices).unwrap();
        let after: Vec<f64> = (0..3).map(|t| apart(&x, &slices, &tissues, t)).collect();
        assert!(after.iter().all(|&d| d < 0.6), "{after:?}");
        let mean = x.mean_axis(Axis(0)).unwrap();
        assert!(mean.iter().all(|m| m.abs() < 1e-4), "{mean:?}");
    }

    #[test]
    fn a_slice_alone_stays_where_it_is() {
        let (x, _, _) = two_slices();
        let mut alone = x.clone();
        let centres = even_out(&mut alone, &Slices::one(CELLS)).unwrap();
        assert_eq!(alone, x);
        assert_eq!(centres.dim(), (GROUPS, 4));
    }

    #[test]
    fn a_further_slice_finds_the_place_of_its_tissues() {
        let (x, slices, tissues) = two_slices();
        let rows = |slice: usize| -> Vec<usize> {
            (0..CELLS).filter(|&i| slices.of(i) == slice).collect()
        };
        let mut first = x.select(Axis(0), &rows(0));
        let centres = even_out(&mut first, &Slices::one(CELLS / 2)).unwrap();
        let mut further = x.select(Axis(0), &rows(1));
        centred_within(&mut further, &Slices::one(CELLS / 2));
        place(&mut further, centres.view()).unwrap();
        let joined = ndarray::concatenate![Axis(0), first, further];
        let order = [rows(0), rows(1)].concat();
        let of = order.iter().map(|&i| slices.of(i) as u32).collect();
        let tissues: Vec<usize> = order.iter().map(|&i| tissues[i]).collect();
        let left = apart(&joined, &Slices::new(of).unwrap(), &tissues, 1);
        assert!(left < 0.6, "{left}");
        let other = Array2::zeros((3, 5));
        assert!(place(&mut further, other.view()).is_err());
    }

    #[test]
    fn shifts_and_centres_are_least_squares() {
        let (x, slices, tissues) = two_slices();
        let sample = Sample::of(&x, &slices);
        let groups: Vec<u32> = {
            let of = slices.cells().concat();
            of.iter()
                .map(|&cell| tissues[cell as usize] as u32)
                .collect()
        };
        let before = Shifted {
            shifts: Array2::zeros((2, 4)),
            centres: Array2::zeros((3, 4)),
        };
        let found = sample.fitted(&groups, before).unwrap();
        // Sums of residuals over each group are 0, and over each slice the shift that holds it.
        let mut of_slices = Array2::<f64>::zeros((2, 4));
        let mut of_groups = Array2::<f64>::zeros((3, 4));
        for (i, row) in sample.x.rows().into_iter().enumerate() {
            let (group, slice) = (groups[i] as usize, sample.slices[i]);
            let fit = &found.shifts.row(slice) + &found.centres.row(group);
            let residual = row.mapv(f64::from) - fit;
            of_slices
                .row_mut(slice)
                .zip_mut_with(&residual, |s, r| *s += r);
            of_groups
                .row_mut(group)
                .zip_mut_with(&residual, |s, r| *s += r);
        }
        assert!(of_groups.iter().all(|r| r.abs() < 1e-6), "{of_groups:?}");
        let held = of_slices - &found.shifts * HOLD;
        assert!(held.iter().all(|r| r.abs() < 1e-6), "{held:?}");
    }
}
