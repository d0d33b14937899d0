//! An embedding of several slices without what tells the slices apart.
//!
//! Within each domain, groups of like cells are found over all slices, and the cells of each slice in a group are moved by
//! the way from their mean to the group's; again with more groups, so that slices that lie apart meet as wholes first. What
//! tells domains apart stays, and so does a domain that lies in one slice only. As Harmony does (Korsunsky and others,
//! Nature Methods 16, 2019), with whole memberships, and within domains.

use ndarray::{Array2, ArrayView2, Axis};

use super::predicted::off_curve_rows;
use super::tissue::Tissue;
use crate::cluster::{kmeans, KMeansSettings};
use crate::slices::Slices;
use crate::{progress, Result};

/// How often groups are found and moved.
const ROUNDS: u32 = 10;
/// Cells that a group takes: less would follow single cells.
const CELLS_A_GROUP: usize = 25;
/// The most groups of a domain.
const MOST_GROUPS: usize = 50;
/// A slice's mean counts as that of so many cells more at the group's mean.
const HOLD: f64 = 20.0;
/// Rows that groups are found from.
const FIT_ROWS: usize = 20_000;

/// The rows of `x` (cells x columns) without what tells the slices of the tissue apart; `domains`: of every cell, from 0; empty where
/// there are none. Along the tissue's curve: it does not depend on the order in which the cells were given.
///
/// # Errors
/// Those of [`kmeans`].
pub fn mixed(x: ArrayView2<f32>, tissue: &Tissue, domains: &[u32]) -> Result<Array2<f32>> {
    let order = tissue.order()?;
    let rows: Vec<usize> = order.iter().map(|&cell| cell as usize).collect();
    let slices = Slices::new(
        rows.iter()
            .map(|&cell| tissue.slices().of(cell) as u32)
            .collect(),
    )?;
    let domains: Vec<u32> = match domains.is_empty() {
        true => Vec::new(),
        false => rows.iter().map(|&cell| domains[cell]).collect(),
    };
    let mut along = x.select(Axis(0), &rows);
    mix(&mut along, &slices, &domains)?;
    Ok(off_curve_rows(along.view(), &order))
}

/// The same in place, in any order.
fn mix(x: &mut Array2<f32>, slices: &Slices, domains: &[u32]) -> Result<()> {
    let shown = progress::stage("mix", 0);
    for (domain, cells) in cells_of(domains, x.nrows()).into_iter().enumerate() {
        let k = (cells.len() / CELLS_A_GROUP).clamp(1, MOST_GROUPS);
        let of_cells: Vec<usize> = cells.iter().map(|&cell| slices.of(cell)).collect();
        if cells.is_empty() || of_cells.iter().all(|&s| s == of_cells[0]) {
            continue;
        }
        let mut rows = x.select(Axis(0), &cells);
        for round in 0..ROUNDS {
            let k = k.min(1 << round);
            let groups = groups(rows.view(), k, domain as u32 * ROUNDS + round)?;
            move_slices(&mut rows, &groups, k, &of_cells, slices.n_slices());
        }
        for (&cell, row) in cells.iter().zip(rows.rows()) {
            x.row_mut(cell).assign(&row);
        }
        shown.advance(1);
    }
    Ok(())
}

fn cells_of(domains: &[u32], n_cells: usize) -> Vec<Vec<usize>> {
    if domains.is_empty() {
        return vec![(0..n_cells).collect()];
    }
    let n = domains.iter().max().map_or(0, |&d| d as usize + 1);
    let mut cells = vec![Vec::new(); n];
    let pairs = domains.iter().enumerate();
    pairs.for_each(|(cell, &domain)| cells[domain as usize].push(cell));
    cells
}

/// The same whatever the seed of the run.
fn groups(x: ArrayView2<f32>, k: usize, round: u32) -> Result<Vec<u32>> {
    let settings = KMeansSettings {
        starts: 1,
        max_iterations: 30,
        round,
        fit_rows: FIT_ROWS,
        ..KMeansSettings::default()
    };
    Ok(kmeans(x, k, &settings)?.labels)
}

/// Sums over the cells of every group and slice.
struct Sums {
    cells: Vec<f64>,
    values: Array2<f64>,
}

fn move_slices(x: &mut Array2<f32>, groups: &[u32], k: usize, slices: &[usize], n_slices: usize) {
    let place = |i: usize| groups[i] as usize * n_slices + slices[i];
    let mut sums = Sums {
        cells: vec![0.0; k * n_slices],
        values: Array2::zeros((k * n_slices, x.ncols())),
    };
    for (i, row) in x.rows().into_iter().enumerate() {
        sums.cells[place(i)] += 1.0;
        let mut sum = sums.values.row_mut(place(i));
        sum.zip_mut_with(&row, |s, &v| *s += f64::from(v));
    }
    let moves = sums.moves(n_slices);
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        row.zip_mut_with(&moves.row(place(i)), |v, &by| *v += by as f32);
    }
}

impl Sums {
    /// From the mean of each slice in a group towards the group's.
    fn moves(&self, n_slices: usize) -> Array2<f64> {
        let mut moves = Array2::zeros(self.values.dim());
        for first in (0..self.cells.len()).step_by(n_slices) {
            let group = first..first + n_slices;
            let n: f64 = self.cells[group.clone()].iter().sum();
            let values = self.values.slice(ndarray::s![group.clone(), ..]);
            let mean = values.sum_axis(Axis(0)) / n.max(1.0);
            for slice in group {
                let here = self.cells[slice];
                if here > 0.0 {
                    let own = &self.values.row(slice) / here;
                    let by = (&mean - &own) * (here / (here + HOLD));
                    moves.row_mut(slice).assign(&by);
                }
            }
        }
        moves
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rng::{Purpose, Rng};

    /// Two domains far apart; the cells of the second slice lie aside of those of the first by a tenth of that. A third domain in
    /// the first slice only.
    fn shifted() -> (Array2<f32>, Slices, Vec<u32>) {
        let mut rng = Rng::new(3, Purpose::Data, 0);
        let slice = |i: usize| u32::from(i % 2 == 1 && i < 800);
        let domain = |i: usize| if i < 800 { (i / 400) as u32 } else { 2 };
        let x = Array2::from_shape_fn((1000, 3), |(i, j)| {
            let aside = if j == 1 { 4.0 * slice(i) as f64 } else { 0.0 };
            (40.0 * f64::from(domain(i)) + aside + rng.normal()) as f32
        });
        let slices = Slices::new((0..1000).map(slice).collect()).unwrap();
        (x, slices, (0..1000).map(domain).collect())
    }

    fn mean(x: &Array2<f32>, column: usize, cells: impl Fn(usize) -> bool) -> f64 {
        let values = x.column(column).to_vec().into_iter().enumerate();
        let values: Vec<f64> = values
            .filter(|(i, _)| cells(*i))
            .map(|(_, v)| v.into())
            .collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn slices_come_together_and_domains_stay_apart() {
        let (x, slices, domains) = shifted();
        let mut mixed = x.clone();
        mix(&mut mixed, &slices, &domains).unwrap();
        for domain in 0..2 {
            let of = |slice: usize| {
                let cells = |i: usize| domains[i] == domain && slices.of(i) == slice;
                mean(&mixed, 1, cells)
            };
            assert!((of(0) - of(1)).abs() < 0.3, "{} {}", of(0), of(1));
            let all = |x: &Array2<f32>| mean(x, 1, |i| domains[i] == domain);
            assert!((all(&mixed) - all(&x)).abs() < 0.5);
        }
        let alone = ndarray::s![800.., ..];
        assert_eq!(mixed.slice(alone), x.slice(alone));
    }

    #[test]
    fn one_slice_stays_as_it_is() {
        let (x, _, domains) = shifted();
        let mut mixed = x.clone();
        mix(&mut mixed, &Slices::one(1000), &domains).unwrap();
        assert_eq!(mixed, x);
        mix(&mut mixed, &Slices::one(1000), &[]).unwrap();
        assert_eq!(mixed, x);
    }
}
