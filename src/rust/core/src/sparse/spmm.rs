//! Sparse times dense.

use rayon::prelude::*;

use super::Csr;
use crate::simd::{axpy, dispatch};

/// Rows of one task. Small, because rows differ in their number of entries.
const ROWS: usize = 256;

impl Csr {
    /// `self x` for a row-major x of `n_cols` x `width`; the result is `n_rows` x `width`.
    ///
    /// Each row is summed by one thread in the order of its columns: the same bits for any number
    /// of threads.
    pub fn times_dense(&self, x: &[f32], width: usize) -> Vec<f32> {
        assert_eq!(x.len(), self.n_cols * width, "matrices that do not fit");
        let mut out = vec![0f32; self.n_rows() * width];
        if width == 0 {
            return out;
        }
        out.par_chunks_mut(ROWS * width)
            .enumerate()
            .for_each(|(task, out)| match width {
                16 => rows::<16>(self, task * ROWS, x, out),
                32 => rows::<32>(self, task * ROWS, x, out),
                64 => rows::<64>(self, task * ROWS, x, out),
                _ => rows_of_any_width(self, task * ROWS, x, width, out),
            });
        out
    }
}

dispatch! {
    fn rows<const W: usize>(a: &Csr, first: usize, x: &[f32], out: &mut [f32]) = rows_body
}

/// The width known to the compiler: the sum of a row stays in registers.
#[inline(always)]
fn rows_body<const W: usize>(a: &Csr, first: usize, x: &[f32], out: &mut [f32]) {
    let (x, _) = x.as_chunks::<W>();
    let (out, _) = out.as_chunks_mut::<W>();
    for (r, out) in out.iter_mut().enumerate() {
        let (columns, values) = a.row(first + r);
        let mut sum = [0f32; W];
        for (&c, &v) in columns.iter().zip(values) {
            let source = &x[c as usize];
            for l in 0..W {
                sum[l] += v * source[l];
            }
        }
        *out = sum;
    }
}

dispatch! {
    fn rows_of_any_width(a: &Csr, first: usize, x: &[f32], width: usize, out: &mut [f32]) = any_body
}

#[inline(always)]
fn any_body(a: &Csr, first: usize, x: &[f32], width: usize, out: &mut [f32]) {
    for (r, out) in out.chunks_exact_mut(width).enumerate() {
        let (columns, values) = a.row(first + r);
        for (&c, &v) in columns.iter().zip(values) {
            axpy(v, &x[c as usize * width..(c as usize + 1) * width], out);
        }
    }
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
    fn transposing_twice_gives_the_matrix_back() {
        let a = random(17, 9);
        let t = a.transpose();
        assert_eq!((t.n_rows(), t.n_cols()), (9, 17));
        let (full, full_t) = (dense(&a), dense(&t));
        assert!((0..17).all(|r| (0..9).all(|c| full[r][c] == full_t[c][r])));
        assert_eq!(t.transpose(), a);
    }
}
