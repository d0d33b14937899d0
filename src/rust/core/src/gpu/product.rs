//! Dense products on the device, in f32 throughout (no TF32: results hold to 1e-4).

use candle_core::{bail, Result, Tensor};

use super::kernel::SumProducts;
use super::values::{Overwrite, Read};
use super::{Buffer, Gemm, Kernels};

/// Rows that one product of [`Kernels::gram`] sums over, at least, and the most parts.
const CHUNK: usize = 4096;
const PARTS: usize = 256;

impl Kernels {
    /// `x w'`: x is n x a, w b x a, the result n x b.
    pub fn times_transposed(&self, x: &Tensor, w: &Tensor) -> Result<Buffer> {
        let ((n, inner), (outer, other)) = (x.dims2()?, w.dims2()?);
        fit(inner, other)?;
        let mut out = self.floats((n, outer))?;
        let gemm = self.gemm([n, outer, inner], (x, false), (w, true), &mut out)?;
        // SAFETY: the sizes are those of the tensors.
        unsafe { self.runner.gemm(&gemm)? };
        Ok(out)
    }

    /// `x w`: x is n x a, w a x b, the result n x b.
    pub fn times(&self, x: &Tensor, w: &Tensor) -> Result<Buffer> {
        let ((n, inner), (other, outer)) = (x.dims2()?, w.dims2()?);
        fit(inner, other)?;
        let mut out = self.floats((n, outer))?;
        let gemm = self.gemm([n, outer, inner], (x, false), (w, false), &mut out)?;
        // SAFETY: the sizes are those of the tensors.
        unsafe { self.runner.gemm(&gemm)? };
        Ok(out)
    }

    /// `a' b`: a is n x p, b n x q, the result p x q. Many rows are summed in parts, as many products at once, and the
    /// parts in f64.
    pub fn gram(&self, a: &Tensor, b: &Tensor) -> Result<Buffer> {
        let ((n, p), (other, q)) = (a.dims2()?, b.dims2()?);
        fit(n, other)?;
        let chunk = CHUNK.max(n.div_ceil(PARTS));
        if n <= chunk {
            let mut out = self.floats((p, q))?;
            let gemm = self.gemm([p, q, n], (a, true), (b, false), &mut out)?;
            // SAFETY: the sizes are those of the tensors.
            unsafe { self.runner.gemm(&gemm)? };
            return Ok(out);
        }
        self.gram_of_parts(a, b, chunk)
    }

    fn gram_of_parts(&self, a: &Tensor, b: &Tensor, chunk: usize) -> Result<Buffer> {
        let ((n, p), (_, q)) = (a.dims2()?, b.dims2()?);
        let (whole, rest) = (n / chunk, n % chunk);
        let n_parts = n.div_ceil(chunk);
        let mut parts = self.floats((n_parts, p, q))?;
        let mut gemm = self.gemm([p, q, chunk], (a, true), (b, false), &mut parts)?;
        gemm.batch = whole;
        gemm.steps = [chunk * p, chunk * q, p * q];
        // SAFETY: `whole` chunks of rows, and the rest, lie within the tensors.
        unsafe { self.runner.gemm(&gemm)? };
        if rest > 0 {
            let values = [whole * chunk * p, whole * chunk * q, whole * p * q];
            let [at_a, at_b, at_c] = values.map(|v| 4 * v as u64);
            let last = Gemm {
                k: rest,
                a: gemm.a + at_a,
                b: gemm.b + at_b,
                c: gemm.c + at_c,
                batch: 1,
                ..gemm
            };
            // SAFETY: as above.
            unsafe { self.runner.gemm(&last)? };
        }
        let mut out = self.floats((p, q))?;
        SumProducts {
            parts: &parts,
            out: &mut out,
            n_parts,
            len: p * q,
        }
        .launch(self)?;
        Ok(out)
    }

    /// `c <- a' b + c` for a of n x p, b of n x q, c of p x q.
    pub fn add_gram(&self, a: &Tensor, b: &Tensor, c: &mut Buffer) -> Result<()> {
        let ((n, p), (other, q)) = (a.dims2()?, b.dims2()?);
        fit(n, other)?;
        let mut gemm = self.gemm([p, q, n], (a, true), (b, false), c)?;
        gemm.beta = 1.0;
        // SAFETY: the sizes are those of the tensors.
        unsafe { self.runner.gemm(&gemm) }
    }

    /// `c = a b` for m x n, n x k, one product, from matrices that have these sizes.
    fn gemm(
        &self,
        [m, n, k]: [usize; 3],
        a: (&Tensor, bool),
        b: (&Tensor, bool),
        c: &mut Buffer,
    ) -> Result<Gemm> {
        let (left, right) = (Read::<f32>::span(a.0)?, Read::<f32>::span(b.0)?);
        let out = c.span_mut()?;
        let here = self.device.location();
        if [left, right, out].iter().any(|span| span.location != here) || out.len < m * n {
            bail!("matrices on another device, or a result that is too small");
        }
        Ok(Gemm {
            m,
            n,
            k,
            a: left.address,
            a_transposed: a.1,
            b: right.address,
            b_transposed: b.1,
            c: out.address,
            beta: 0.0,
            batch: 1,
            steps: [0; 3],
        })
    }
}

fn fit(a: usize, b: usize) -> Result<()> {
    if a != b {
        bail!("matrices that do not fit");
    }
    Ok(())
}
