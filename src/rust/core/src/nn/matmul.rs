//! Dense products in fixed chunks of rows, on the `gemm` crate.

use gemm::Parallelism;
use rayon::prelude::*;

use super::CHUNK;

/// A borrowed dense matrix with strides, so that a transpose costs nothing.
#[derive(Clone, Copy)]
struct View<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: isize,
    column_stride: isize,
}

impl<'a> View<'a> {
    fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "matrix of another size");
        Self {
            values,
            rows,
            columns,
            row_stride: columns as isize,
            column_stride: 1,
        }
    }

    fn t(self) -> Self {
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
fn product(a: View, b: View, out: &mut [f32]) {
    assert_eq!(a.columns, b.rows, "matrices that do not fit");
    assert_eq!(out.len(), a.rows * b.columns, "result of another size");
    if a.columns == 0 {
        out.fill(0.0);
        return;
    }
    // SAFETY: the pointers cover rows x columns by the two assertions and `View::new`.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            false,
            a.values.as_ptr(),
            a.column_stride,
            a.row_stride,
            b.values.as_ptr(),
            b.column_stride,
            b.row_stride,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// `x w'`: x is n x `inner`, w is `outer` x `inner`, the result n x `outer`, all row-major.
pub fn times_transposed(x: &[f32], w: &[f32], inner: usize, outer: usize) -> Vec<f32> {
    by_rows(x, inner, outer, |rows, n, out| {
        product(
            View::new(rows, n, inner),
            View::new(w, outer, inner).t(),
            out,
        )
    })
}

/// `x w`: x is n x `inner`, w is `inner` x `outer`, the result n x `outer`, all row-major.
pub fn times(x: &[f32], w: &[f32], inner: usize, outer: usize) -> Vec<f32> {
    by_rows(x, inner, outer, |rows, n, out| {
        product(View::new(rows, n, inner), View::new(w, inner, outer), out)
    })
}

fn by_rows(
    x: &[f32],
    inner: usize,
    outer: usize,
    task: impl Fn(&[f32], usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut out = vec![0f32; x.len() / inner.max(1) * outer];
    out.par_chunks_mut(CHUNK * outer.max(1))
        .zip(x.par_chunks(CHUNK * inner.max(1)))
        .for_each(|(out, rows)| task(rows, rows.len() / inner.max(1), out));
    out
}

/// `a' b`: a is n x `p`, b is n x `q`, the result p x q. Chunks of rows are summed in order.
pub fn gram(a: &[f32], b: &[f32], p: usize, q: usize) -> Vec<f32> {
    let parts: Vec<Vec<f32>> = a
        .par_chunks(CHUNK * p)
        .zip(b.par_chunks(CHUNK * q))
        .map(|(a, b)| {
            let n = a.len() / p;
            let mut part = vec![0f32; p * q];
            product(View::new(a, n, p).t(), View::new(b, n, q), &mut part);
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
}
