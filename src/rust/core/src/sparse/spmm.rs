//! Sparse times dense.

use rayon::prelude::*;

use super::Csr;
use crate::progress;
use crate::simd::dispatch;

/// Rows of one task. Small, because rows differ in their number of entries.
const ROWS: usize = 256;
/// Values of x that are used together: a part that stays in a processor's own cache.
const NEAR: usize = 128 * 1024;
/// Entries of a row for which a further part of x is worth a visit.
const VISIT: usize = 16;

/// Some columns of a row-major matrix.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    values: &'a [f32],
    stride: usize,
    first: usize,
    width: usize,
}

impl<'a> Block<'a> {
    /// `width` columns from `first` of a matrix of `stride` columns.
    pub fn new(values: &'a [f32], stride: usize, first: usize, width: usize) -> Self {
        assert!(first + width <= stride, "columns beyond the matrix");
        Self {
            values,
            stride,
            first,
            width,
        }
    }

    /// All columns.
    pub fn whole(values: &'a [f32], width: usize) -> Self {
        Self::new(values, width, 0, width)
    }
}

/// Some columns of a row-major matrix, to be written.
pub struct BlockMut<'a> {
    values: &'a mut [f32],
    stride: usize,
    first: usize,
    width: usize,
}

impl<'a> BlockMut<'a> {
    /// `width` columns from `first` of a matrix of `stride` columns.
    pub fn new(values: &'a mut [f32], stride: usize, first: usize, width: usize) -> Self {
        assert!(first + width <= stride, "columns beyond the matrix");
        Self {
            values,
            stride,
            first,
            width,
        }
    }
}

impl Csr {
    /// `self x` for a row-major x of `n_cols` x `width`; the result is `n_rows` x `width`.
    ///
    /// Each row is summed by one thread in the order of its columns: the same bits for any number
    /// of threads. Rows stay zero when the work is cancelled.
    pub fn times_dense(&self, x: &[f32], width: usize) -> Vec<f32> {
        let mut out = vec![0f32; self.n_rows() * width];
        if width > 0 {
            let target = BlockMut::new(&mut out, width, 0, width);
            self.multiply_into(Block::whole(x, width), target, false);
        }
        out
    }

    /// Writes `self x` (`n_rows` x width) to columns of a matrix, or adds it to them.
    pub fn multiply_into(&self, x: Block, out: BlockMut, add: bool) {
        assert_eq!(
            x.values.len(),
            self.n_cols * x.stride,
            "matrices that do not fit"
        );
        assert_eq!(
            out.values.len(),
            self.n_rows() * out.stride,
            "result of another size"
        );
        assert_eq!(x.width, out.width, "result of another width");
        let (stride, first) = (out.stride, out.first);
        let ticket = progress::current();
        out.values
            .par_chunks_mut(ROWS * stride)
            .enumerate()
            .for_each(|(task, out)| {
                let job = Job {
                    matrix: self,
                    row: task * ROWS,
                    x,
                    stride,
                    add,
                };
                ticket.part(|| job.run(first, out));
            });
    }

    /// Columns of one part of x: all, unless rows have enough entries to visit it part by part.
    fn part(&self, width: usize) -> usize {
        let part = (NEAR / width).max(1);
        let visits = self.n_cols.div_ceil(part);
        match self.nnz() >= visits * VISIT * self.n_rows() {
            true => part,
            false => self.n_cols.max(1),
        }
    }
}

/// Some rows of a product.
struct Job<'a> {
    matrix: &'a Csr,
    row: usize,
    x: Block<'a>,
    /// Of the result.
    stride: usize,
    add: bool,
}

impl Job<'_> {
    /// Widths known to the compiler, one after the other: sums stay in registers.
    fn run(&self, first: usize, out: &mut [f32]) {
        let mut done = 0;
        while done < self.x.width {
            let at = (self.x.first + done, first + done);
            done += match self.x.width - done {
                64.. => rows::<64>(self, at, out),
                32.. => rows::<32>(self, at, out),
                16.. => rows::<16>(self, at, out),
                8.. => rows::<8>(self, at, out),
                _ => rows::<1>(self, at, out),
            };
        }
    }
}

dispatch! {
    fn rows<const W: usize>(job: &Job, at: (usize, usize), out: &mut [f32]) -> usize = rows_body
}

/// W columns: from `at.0` of x to `at.1` of the result. Returns W.
#[inline(always)]
fn rows_body<const W: usize>(job: &Job, at: (usize, usize), out: &mut [f32]) -> usize {
    let (x, stride) = (job.x.values, job.x.stride);
    let (part, n_cols) = (job.matrix.part(W), job.matrix.n_cols);
    let mut from = [0usize; ROWS];
    for start in (0..n_cols.max(1)).step_by(part) {
        let end = start + part;
        for (r, out) in out.chunks_exact_mut(job.stride).enumerate() {
            let (columns, values) = job.matrix.row(job.row + r);
            let out = &mut out[at.1..][..W];
            let mut sum = [0f32; W];
            if start > 0 || job.add {
                sum.copy_from_slice(out);
            }
            let mut done = from[r];
            for (&c, &v) in columns[done..].iter().zip(&values[done..]) {
                if c as usize >= end {
                    break;
                }
                let source = &x[c as usize * stride + at.0..][..W];
                for l in 0..W {
                    sum[l] += v * source[l];
                }
                done += 1;
            }
            from[r] = done;
            out.copy_from_slice(&sum);
        }
    }
    W
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rng::{Purpose, Rng};

    fn random(rows: usize, cols: usize) -> Csr {
        let mut rng = Rng::new(5, Purpose::Data, 0);
        let mut indptr = vec![0];
        let (mut indices, mut values) = (vec![], vec![]);
        for _ in 0..rows {
            for c in 0..cols {
                if rng.uniform() < 0.2 {
                    indices.push(c as u32);
                    values.push(rng.normal() as f32);
                }
            }
            indptr.push(indices.len());
        }
        Csr::new(cols, indptr, indices, values).unwrap()
    }

    fn dense(a: &Csr) -> Vec<Vec<f32>> {
        (0..a.n_rows())
            .map(|r| {
                let mut row = vec![0f32; a.n_cols()];
                let (c, v) = a.row(r);
                c.iter().zip(v).for_each(|(&c, &v)| row[c as usize] = v);
                row
            })
            .collect()
    }

    #[test]
    fn agrees_with_the_dense_product_at_every_width() {
        let a = random(40, 30);
        let full = dense(&a);
        for width in [1, 3, 16, 32, 64, 200] {
            let mut rng = Rng::new(6, Purpose::Data, width as u32);
            let x: Vec<f32> = (0..30 * width).map(|_| rng.normal() as f32).collect();
            let out = a.times_dense(&x, width);
            for r in 0..40 {
                for w in 0..width {
                    let direct: f32 = (0..30).map(|c| full[r][c] * x[c * width + w]).sum();
                    assert!((out[r * width + w] - direct).abs() < 1e-4);
                }
            }
        }
    }

    #[test]
    fn visiting_x_part_by_part_changes_rounding_only() {
        let a = random(8, 3000);
        let x: Vec<f32> = (0..3000 * 72).map(|i| (i % 97) as f32 / 97.0).collect();
        assert!(a.part(64) < 3000);
        let full = dense(&a);
        let mut out = vec![1f32; 8 * 80];
        a.multiply_into(
            Block::whole(&x, 72),
            BlockMut::new(&mut out, 80, 5, 72),
            true,
        );
        for r in 0..8 {
            for w in 0..80 {
                let product = |w: usize| (0..3000).map(|c| full[r][c] * x[c * 72 + w]).sum::<f32>();
                let direct = match (5..77).contains(&w) {
                    true => 1.0 + product(w - 5),
                    false => 1.0,
                };
                assert!((out[r * 80 + w] - direct).abs() < 1e-3, "{r} {w}");
            }
        }
    }

    #[test]
    fn transposing_twice_gives_the_matrix_back() {
        let a = random(17, 9);
        let t = a.transpose();
        assert_eq!((t.n_rows(), t.n_cols()), (9, 17));
        let (full, full_t) = (dense(&a), dense(&t));
        assert!((0..17).all(|r| (0..9).all(|c| full[r][c] == full_t[c][r])));
        assert_eq!(t.transpose(), a);
    }
}
