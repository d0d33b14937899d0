//! Dense products in fixed chunks of rows, on the `gemm` crate.

use gemm::Parallelism;
use rayon::prelude::*;

use crate::progress;

/// Rows handled by one task of a parallel loop. Fixed: sums are taken in the order of these chunks.
pub const CHUNK: usize = 1024;

/// A borrowed dense matrix with strides, so that a transpose or a block of columns costs nothing.
#[derive(Clone, Copy)]
pub struct View<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// All of a row-major matrix.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "matrix of another size");
        Self {
            values,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// `width` columns from `first` on of a matrix of `wide` columns.
    pub fn block(values: &'a [f32], wide: usize, first: usize, width: usize) -> Self {
        assert!(first + width <= wide, "columns beyond the matrix");
        Self {
            columns: width,
            values: values.get(first..).unwrap_or_default(),
            ..Self::new(values, values.len() / wide.max(1), wide)
        }
    }

    /// The transpose.
    pub fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `out = a b`, on this thread.
pub fn product(a: View, b: View, out: &mut [f32]) {
    multiply(a, b, out, 0.0, 1.0);
}

/// `out = keep out + factor a b`, on this thread.
pub fn multiply(a: View, b: View, out: &mut [f32], keep: f32, factor: f32) {
    assert_eq!(a.columns, b.rows, "matrices that do not fit");
    assert_eq!(out.len(), a.rows * b.columns, "result of another size");
    if a.columns == 0 {
        out.iter_mut().for_each(|value| *value *= keep);
        return;
    }
    // SAFETY: the pointers cover rows x columns by the two assertions and those of `View`.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            keep != 0.0,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            keep,
            factor,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The transpose of a row-major matrix of `columns` columns.
pub fn transposed(x: &[f32], columns: usize) -> Vec<f32> {
    const TILE: usize = 16;
    let rows = x.len() / columns.max(1);
    let mut out = vec![0f32; x.len()];
    let tiles = out.par_chunks_mut(TILE * rows.max(1)).enumerate();
    tiles.for_each(|(tile, out)| {
        for first in (0..rows).step_by(TILE) {
            for (c, out) in out.chunks_exact_mut(rows).enumerate() {
                for r in first..rows.min(first + TILE) {
                    out[r] = x[r * columns + tile * TILE + c];
                }
            }
        }
    });
    out
}

/// `out = keep out + factor x w`: x is n x `inner`, w is `inner` x `outer`, all row-major. Rows stay as they are when
/// the work is cancelled.
pub fn times_into(x: &[f32], w: View, out: &mut [f32], keep: f32, factor: f32) {
    let ticket = progress::current();
    let (inner, outer) = (w.rows.max(1), w.columns.max(1));
    out.par_chunks_mut(CHUNK * outer)
        .zip(x.par_chunks(CHUNK * inner))
        .for_each(|(out, x)| {
            let x = View::new(x, x.len() / inner, inner);
            ticket.part(|| multiply(x, w, out, keep, factor));
        });
}

/// `x w'`: x is n x `inner`, w is `outer` x `inner`, the result n x `outer`, all row-major.
pub fn times_transposed(x: &[f32], w: &[f32], inner: usize, outer: usize) -> Vec<f32> {
    let mut out = vec![0f32; x.len() / inner.max(1) * outer];
    times_into(x, View::new(w, outer, inner).t(), &mut out, 0.0, 1.0);
    out
}

/// `x w`: x is n x `inner`, w is `inner` x `outer`, the result n x `outer`, all row-major.
pub fn times(x: &[f32], w: &[f32], inner: usize, outer: usize) -> Vec<f32> {
    let mut out = vec![0f32; x.len() / inner.max(1) * outer];
    times_into(x, View::new(w, inner, outer), &mut out, 0.0, 1.0);
    out
}

/// `a' b`: a is n x `p`, b is n x `q`, the result p x q. Chunks of rows are summed in order.
pub fn gram(a: &[f32], b: &[f32], p: usize, q: usize) -> Vec<f32> {
    let ticket = progress::current();
    let parts: Vec<Vec<f32>> = a
        .par_chunks(CHUNK * p)
        .zip(b.par_chunks(CHUNK * q))
        .map(|(a, b)| {
            let n = a.len() / p;
            let mut part = vec![0f32; p * q];
            let (a, b) = (View::new(a, n, p), View::new(b, n, q));
            ticket.part(|| product(a.t(), b, &mut part));
            part
        })
        .collect();
    sum_parts(parts, p * q)
}

/// The sum of equally long parts, in their order.
pub fn sum_parts(parts: Vec<Vec<f32>>, len: usize) -> Vec<f32> {
    let mut total = vec![0f64; len];
    for part in parts {
        for (t, p) in total.iter_mut().zip(part) {
            *t += f64::from(p);
        }
    }
    total.into_iter().map(|t| t as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize) -> Vec<f32> {
        (0..n)
            .map(|i| ((i * 37 % 101) as f32 - 50.0) / 17.0)
            .collect()
    }

    fn close(a: &[f32], b: &[f32]) {
        assert_eq!(a.len(), b.len());
        a.iter()
            .zip(b)
            .for_each(|(a, b)| assert!((a - b).abs() < 1e-3 * (1.0 + b.abs()), "{a} {b}"));
    }

    #[test]
    fn products_agree_with_the_definition() {
        let (n, p, q) = (2 * CHUNK + 17, 5, 3);
        let (x, w, y) = (numbers(n * p), numbers(q * p), numbers(n * q));
        let direct: Vec<f32> = (0..n * q)
            .map(|e| (0..p).map(|k| x[e / q * p + k] * w[e % q * p + k]).sum())
            .collect();
        close(&times_transposed(&x, &w, p, q), &direct);
        let w_t: Vec<f32> = (0..p * q).map(|e| w[e % q * p + e / q]).collect();
        close(&times(&x, &w_t, p, q), &direct);
        let gram_direct: Vec<f32> = (0..p * q)
            .map(|e| {
                let terms = (0..n).map(|i| f64::from(x[i * p + e / q] * y[i * q + e % q]));
                terms.sum::<f64>() as f32
            })
            .collect();
        close(&gram(&x, &y, p, q), &gram_direct);
    }

    #[test]
    fn a_transpose_is_one() {
        let (rows, columns) = (35, 18);
        let x = numbers(rows * columns);
        let out = transposed(&x, columns);
        assert!((0..out.len()).all(|e| out[e] == x[e % rows * columns + e / rows]));
    }

    #[test]
    fn blocks_of_columns_are_multiplied_and_added() {
        let (x, w) = (numbers(7 * 5), numbers(2 * 3));
        let mut out = numbers(7 * 3);
        let direct: Vec<f32> = (0..7 * 3)
            .map(|e| {
                let (r, c) = (e / 3, e % 3);
                let sum = x[r * 5 + 2] * w[c] + x[r * 5 + 3] * w[3 + c];
                2.0 * out[e] - 0.5 * sum
            })
            .collect();
        multiply(
            View::block(&x, 5, 2, 2),
            View::new(&w, 2, 3),
            &mut out,
            2.0,
            -0.5,
        );
        close(&out, &direct);
    }
}
