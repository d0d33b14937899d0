//! Some columns of a row-major matrix.

/// `width` columns from `first` on of a matrix of `stride` columns.
#[derive(Clone, Copy)]
pub struct ColumnRange {
    pub stride: usize,
    pub first: usize,
    pub width: usize,
}

impl ColumnRange {
    /// All columns.
    pub fn whole(width: usize) -> Self {
        Self {
            stride: width,
            first: 0,
            width,
        }
    }

    /// The `i`-th of `m` blocks of one width.
    pub fn nth(i: usize, m: usize, width: usize) -> Self {
        Self {
            stride: m * width,
            first: i * width,
            width,
        }
    }

    /// The columns of some rows.
    pub fn read(self, rows: &[f32]) -> Vec<f32> {
        let rows = rows.chunks_exact(self.stride);
        let mut out = Vec::with_capacity(rows.len() * self.width);
        rows.for_each(|row| out.extend_from_slice(&row[self.first..][..self.width]));
        out
    }

    pub fn write(self, values: &[f32], rows: &mut [f32]) {
        let pairs = rows.chunks_exact_mut(self.stride);
        for (row, values) in pairs.zip(values.chunks_exact(self.width)) {
            row[self.first..][..self.width].copy_from_slice(values);
        }
    }
}
