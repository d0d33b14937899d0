//! The rows of a matrix, packed so that distances to centres are computed for many rows at once.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// Rows that are computed side by side.
pub(super) const LANES: usize = 16;
/// Rows whose sums are taken together; a multiple of `LANES`, and the unit of parallel work.
pub(super) const CHUNK: usize = 1024;

/// Rows centred on their mean and divided by one number (the largest absolute value), in tiles of
/// `LANES` rows, column by column within a tile. Centring and scaling leave k-means as it is, and
/// keep single precision far from overflow and from cancellation.
pub(super) struct Tiles {
    values: Vec<f32>,
    pub rows: usize,
    pub columns: usize,
    mean: Vec<f64>,
    scale: f64,
}

impl Tiles {
    pub fn new(x: &ArrayView2<f32>) -> Self {
        let mean = column_means(x);
        let scale = largest_deviation(x, &mean);
        let (rows, columns) = x.dim();
        let mut values = vec![0.0; rows.div_ceil(LANES) * LANES * columns];
        values
            .par_chunks_mut(LANES * columns)
            .enumerate()
            .for_each(|(tile, out)| {
                for lane in 0..LANES.min(rows - tile * LANES) {
                    let row = x.row(tile * LANES + lane);
                    for (j, &v) in row.iter().enumerate() {
                        out[j * LANES + lane] = ((f64::from(v) - mean[j]) / scale) as f32;
                    }
                }
            });
        Self {
            values,
            rows,
            columns,
            mean,
            scale,
        }
    }

    /// The tiles of one chunk of rows.
    pub fn chunk(&self, chunk: usize) -> std::slice::Chunks<'_, f32> {
        self.block(chunk).chunks(LANES * self.columns)
    }

    /// The same, one after the other.
    pub fn block(&self, chunk: usize) -> &[f32] {
        let size = CHUNK * self.columns;
        let end = ((chunk + 1) * size).min(self.values.len());
        &self.values[chunk * size..end]
    }

    /// What was taken from every row.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// What every row was divided by then.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// A copy of one row.
    pub fn row(&self, row: usize) -> Vec<f32> {
        let start = row / LANES * LANES * self.columns + row % LANES;
        (0..self.columns)
            .map(|j| self.values[start + j * LANES])
            .collect()
    }

    /// The rows one after the other.
    pub fn by_rows(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.rows * self.columns];
        out.par_chunks_mut(self.columns.max(1))
            .enumerate()
            .for_each(|(row, out)| out.copy_from_slice(&self.row(row)));
        out
    }

    /// Centres (k x columns, flat) in the units of the matrix that was packed.
    pub fn unscale(&self, centres: &[f32]) -> Array2<f64> {
        let k = centres.len() / self.columns;
        Array2::from_shape_fn((k, self.columns), |(c, j)| {
            f64::from(centres[c * self.columns + j]) * self.scale + self.mean[j]
        })
    }

    /// Centres (k x columns) in the units of the tiles, flat.
    pub fn scale_centres(&self, centres: &Array2<f64>) -> Vec<f32> {
        let centres = centres.indexed_iter();
        centres
            .map(|((_, j), v)| ((v - self.mean[j]) / self.scale) as f32)
            .collect()
    }

    /// A sum of squared distances in the units of the matrix that was packed.
    pub fn unscale_squared(&self, sum: f64) -> f64 {
        sum * self.scale * self.scale
    }
}

/// Squared distances of the rows of a tile to one point.
#[inline(always)]
pub(super) fn squared_distances(tile: &[f32], point: &[f32]) -> [f32; LANES] {
    let mut sum = [0.0; LANES];
    for (column, &p) in tile.chunks_exact(LANES).zip(point) {
        for (s, &x) in sum.iter_mut().zip(column) {
            let difference = x - p;
            *s += difference * difference;
        }
    }
    sum
}

/// Adds the results of all chunks in their order.
pub(super) fn add_in_order(parts: impl IntoIterator<Item = Vec<f64>>, width: usize) -> Vec<f64> {
    let mut total = vec![0.0; width];
    for part in parts {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    total
}

pub(super) fn column_means(x: &ArrayView2<f32>) -> Vec<f64> {
    let parts: Vec<Vec<f64>> = (0..x.nrows().div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let mut sum = vec![0.0; x.ncols()];
            for i in chunk * CHUNK..((chunk + 1) * CHUNK).min(x.nrows()) {
                let row = x.row(i);
                sum.iter_mut()
                    .zip(row)
                    .for_each(|(s, &v)| *s += f64::from(v));
            }
            sum
        })
        .collect();
    let mut mean = add_in_order(parts, x.ncols());
    mean.iter_mut().for_each(|m| *m /= x.nrows() as f64);
    mean
}

/// The largest distance of a value from the mean of its column; 1 when there is none.
fn largest_deviation(x: &ArrayView2<f32>, mean: &[f64]) -> f64 {
    let largest = (0..x.nrows())
        .into_par_iter()
        .with_min_len(CHUNK)
        .map(|i| {
            let row = x.row(i);
            let deviations = row.iter().zip(mean).map(|(&v, m)| (f64::from(v) - m).abs());
            deviations.fold(0.0, f64::max)
        })
        .reduce(|| 0.0, f64::max);
    if largest > 0.0 {
        largest
    } else {
        1.0
    }
}
