//! Transport plans with given sums, nearest to a kernel.

use rayon::prelude::*;

use crate::{progress, Result};

/// Rows x columns, row-major, with uniform sums: each row 1 / rows, each column 1 / columns.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub values: Vec<f32>,
    pub rows: usize,
    pub columns: usize,
}

/// Rounds of scaling rows and columns.
const ROUNDS: usize = 60;

impl Plan {
    /// Every pair alike.
    pub fn uniform(rows: usize, columns: usize) -> Self {
        let each = 1.0 / (rows * columns).max(1) as f32;
        Self {
            values: vec![each; rows * columns],
            rows,
            columns,
        }
    }

    /// The plan whose logarithm differs from `log_kernel` by one number a row and one a column (Sinkhorn's scaling). Exact in the rows.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn scaled(log_kernel: &[f32], rows: usize, columns: usize) -> Result<Self> {
        let mut kernel = log_kernel.to_vec();
        kernel.par_chunks_mut(columns).for_each(|row| {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            // No pair is impossible: a column that no row wants would have no scale.
            row.iter_mut()
                .for_each(|v| *v = (*v - most).exp().max(1e-30));
        });
        let mut plan = Self {
            values: kernel,
            rows,
            columns,
        };
        for _ in 0..ROUNDS {
            progress::check()?;
            plan.scale_columns();
            plan.scale_rows();
        }
        Ok(plan)
    }

    fn scale_rows(&mut self) {
        let goal = 1.0 / self.rows as f32;
        self.values.par_chunks_mut(self.columns).for_each(|row| {
            let factor = goal / row.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            row.iter_mut().for_each(|v| *v *= factor);
        });
    }

    fn scale_columns(&mut self) {
        let goal = 1.0 / self.columns as f64;
        let factors: Vec<f32> = self
            .column_sums()
            .iter()
            .map(|s| (goal / s.max(1e-300)) as f32)
            .collect();
        self.values.par_chunks_mut(self.columns).for_each(|row| {
            row.iter_mut().zip(&factors).for_each(|(v, f)| *v *= f);
        });
    }

    /// Summed in fixed blocks of rows.
    pub fn column_sums(&self) -> Vec<f64> {
        let blocks: Vec<Vec<f64>> = self
            .values
            .par_chunks(64 * self.columns)
            .map(|block| {
                let mut sums = vec![0f64; self.columns];
                for row in block.chunks(self.columns) {
                    sums.iter_mut()
                        .zip(row)
                        .for_each(|(s, v)| *s += f64::from(*v));
                }
                sums
            })
            .collect();
        let mut total = vec![0f64; self.columns];
        for block in blocks {
            total.iter_mut().zip(block).for_each(|(t, b)| *t += b);
        }
        total
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sums_are_met() {
        let kernel: Vec<f32> = (0..35).map(|i| (i as f32 * 1.7).sin() * 3.0).collect();
        let plan = Plan::scaled(&kernel, 5, 7).unwrap();
        for row in plan.values.chunks(7) {
            assert!((row.iter().sum::<f32>() - 0.2).abs() < 1e-6);
        }
        assert!(plan
            .column_sums()
            .iter()
            .all(|s| (s - 1.0 / 7.0).abs() < 1e-5));
    }
}
