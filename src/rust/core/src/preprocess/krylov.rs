//! The leading eigenvectors of a large symmetric operator that is known by its products alone.
//!
//! Block Lanczos with full reorthogonalisation. Source: Golub and Underwood, "The block Lanczos method for computing
//! eigenvalues", Mathematical Software III, 1977.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

use super::eigen::{leading, Eigen};
use crate::rng::{Purpose, Rng};
use crate::{progress, Result};

/// Vectors that are multiplied together: they share the way through the operator's entries.
pub(super) const ABREAST: usize = 8;

/// What may be left of A v - value v, as a part of the largest value. A vector is off by that over the gap to the next
/// value: some 1e-5 for the last of 30 components, which noise has turned by far more.
pub(super) const LEFT: f64 = 1e-9;

/// Products between two looks at what has been found.
const STEPS_A_LOOK: usize = 4;

/// Products at the most: components of some thousand genes take 30 to 70.
const STEPS: usize = 400;

/// Rows of an operand or a product, [`ABREAST`] numbers each.
pub(super) type LanczosBlock = Vec<[f64; ABREAST]>;

/// The `k` largest eigenvalues of a positive n x n operator, falling, and their vectors (n x k, orthonormal columns).
/// Random vectors to begin with, the same every time. None where that takes too long: `k` is near n, or values are nearly
/// equal.
///
/// # Errors
/// Products that are not finite.
pub(super) fn leading_of(
    apply: impl Fn(&LanczosBlock) -> Result<LanczosBlock>,
    n: usize,
    k: usize,
) -> Result<Option<Eigen>> {
    let mut rng = Rng::new(0, Purpose::Index, 0);
    let start = Mat::from_fn(n, ABREAST.min(n), |_, _| rng.normal());
    let mut space = Space::new(start.qr().compute_thin_Q());
    for step in 1..=STEPS.min(n / ABREAST) {
        progress::check()?;
        space.grow(&apply)?;
        if step % STEPS_A_LOOK == 0 && space.width() >= k {
            let found = space.within(k)?;
            if space.left_of(&found) <= LEFT * found.values[0].abs() {
                return Ok(Some(Eigen {
                    vectors: space.vectors(&found),
                    values: found.values,
                }));
            }
        }
    }
    Ok(None)
}

/// An orthonormal basis, block by block, and what the operator does within it: a symmetric matrix of blocks on and
/// beside the diagonal.
struct Space {
    /// The blocks side by side, and room for more.
    basis: Mat<f64>,
    blocks: usize,
    on: Vec<Mat<f64>>,
    below: Vec<Mat<f64>>,
}

impl Space {
    fn new(first: Mat<f64>) -> Self {
        Self {
            basis: first,
            blocks: 1,
            on: Vec::new(),
            below: Vec::new(),
        }
    }

    /// The columns whose products are known.
    fn width(&self) -> usize {
        self.on.len() * ABREAST
    }

    /// Multiplies the newest block, and takes what is new of the product as the next.
    fn grow(&mut self, apply: impl Fn(&LanczosBlock) -> Result<LanczosBlock>) -> Result<()> {
        let known = self.blocks * ABREAST;
        let basis = self.basis.subcols(0, known);
        let newest = basis.subcols(known - ABREAST, ABREAST);
        let mut product = matrix(&apply(&rows(newest))?);
        self.on.push(newest.transpose() * &product);
        // Once is not enough, as what is left is small beside what was taken out.
        take_out(&mut product, basis);
        take_out(&mut product, basis);
        let parts = product.qr();
        let (mut next, mut below) = (parts.compute_thin_Q(), parts.thin_R().to_owned());
        if lacks_rank(&below) {
            // Where nothing was left, the directions are any, and not yet across the basis.
            take_out(&mut next, basis);
            let parts = next.qr();
            next = parts.compute_thin_Q();
            below = parts.thin_R() * below;
        }
        self.below.push(below);
        self.append(&next);
        Ok(())
    }

    fn append(&mut self, block: &Mat<f64>) {
        let (n, known) = (self.basis.nrows(), self.blocks * ABREAST);
        if self.basis.ncols() == known {
            self.basis.resize_with(n, 2 * known, |_, _| 0.0);
        }
        let mut place = self.basis.subcols_mut(known, ABREAST);
        place.copy_from(block);
        self.blocks += 1;
    }

    fn within(&self, k: usize) -> Result<Eigen> {
        let width = self.width();
        let mut upper = vec![0f64; width * width];
        for (b, on) in self.on.iter().enumerate() {
            let at = b * ABREAST;
            for i in 0..ABREAST {
                for j in i..ABREAST {
                    upper[(at + i) * width + at + j] = on[(i, j)];
                }
            }
            if b + 1 < self.on.len() {
                for i in 0..ABREAST {
                    for j in 0..ABREAST {
                        upper[(at + i) * width + at + ABREAST + j] = self.below[b][(j, i)];
                    }
                }
            }
        }
        leading(upper, width, k)
    }

    /// The largest norm of A v - value v.
    fn left_of(&self, found: &Eigen) -> f64 {
        let (last, below) = (self.width() - ABREAST, &self.below[self.below.len() - 1]);
        let left = below * found.vectors.subrows(last, ABREAST);
        let norms = (0..left.ncols()).map(|j| left.col(j).norm_l2());
        norms.fold(0.0, f64::max)
    }

    fn vectors(&self, found: &Eigen) -> Mat<f64> {
        self.basis.subcols(0, self.width()) * &found.vectors
    }
}

/// Takes the part within the basis out of `x`.
fn take_out(x: &mut Mat<f64>, basis: MatRef<'_, f64>) {
    let inside = basis.transpose() * &*x;
    matmul(x, Accum::Add, basis, &inside, -1.0, Par::Seq);
}

/// Whether columns depend on each other, as far as rounding tells.
fn lacks_rank(triangle: &Mat<f64>) -> bool {
    let sizes = (0..triangle.ncols()).map(|i| triangle[(i, i)].abs());
    let (least, most) = sizes.fold((f64::INFINITY, 0f64), |(least, most), size| {
        (least.min(size), most.max(size))
    });
    least <= 1e-6 * most
}

fn rows(x: MatRef<'_, f64>) -> LanczosBlock {
    let row = |i| std::array::from_fn(|j| x[(i, j)]);
    (0..x.nrows()).map(row).collect()
}

fn matrix(rows: &LanczosBlock) -> Mat<f64> {
    Mat::from_fn(rows.len(), ABREAST, |i, j| rows[i][j])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Of the operator that multiplies number i by `values[i]`.
    fn check(values: &[f64], k: usize) {
        let apply = |x: &LanczosBlock| {
            let pairs = x.iter().zip(values);
            Ok(pairs.map(|(row, v)| row.map(|x| v * x)).collect())
        };
        let found = leading_of(apply, values.len(), k).unwrap().unwrap();
        let gram = found.vectors.transpose() * &found.vectors;
        for j in 0..k {
            assert!((found.values[j] - values[j]).abs() < 1e-10 * values[0]);
            for i in 0..values.len() {
                let left = (values[i] - found.values[j]) * found.vectors[(i, j)];
                assert!(left.abs() < 1e-9 * values[0], "{left:e} in vector {j}");
            }
            for i in 0..k {
                let wanted = f64::from(u8::from(i == j));
                assert!((gram[(i, j)] - wanted).abs() < 1e-11, "{i}, {j}");
            }
        }
    }

    #[test]
    fn leading_pairs_are_eigenpairs() {
        let falling: Vec<f64> = (0..1000).map(|i| 100.0 / (1.0 + f64::from(i))).collect();
        check(&falling, 30);
    }

    #[test]
    fn what_lies_close_together_is_told_apart() {
        // A few that stand out of a broad noise, as genes have them.
        let noise = (0..2000).map(|i| 4.0 - 3.9 * f64::from(i) / 2000.0);
        let values: Vec<f64> = [60.0, 20.0, 7.0, 5.0].into_iter().chain(noise).collect();
        check(&values, 30);
    }

    #[test]
    fn an_operator_of_low_rank_has_zeros_beyond_it() {
        let values: Vec<f64> = (0..500).map(|i| f64::from(u8::from(i < 5))).collect();
        check(&values, 12);
    }
}
