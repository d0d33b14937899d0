//! An order of rows that is theirs: draws and sums then do not depend on the order in which the cells were given.

use std::cmp::Ordering;

use ndarray::ArrayView2;

/// The rows of `x` from the smallest to the largest, by their first column, of equals by the next; equal rows as they stand.
pub fn by_value(x: ArrayView2<f32>) -> Vec<u32> {
    let compare = |&a: &u32, &b: &u32| {
        let pairs = x.row(a as usize).into_iter().zip(x.row(b as usize));
        let mut compared = pairs.map(|(a, b)| a.total_cmp(b));
        compared
            .find(|&found| found != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    };
    let mut order: Vec<u32> = (0..x.nrows() as u32).collect();
    order.sort_by(compare);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rows_are_compared_column_by_column() {
        let x = array![[1.0f32, 2.0], [0.0, 5.0], [1.0, -2.0], [0.0, 5.0]];
        assert_eq!(by_value(x.view()), [1, 3, 2, 0]);
    }
}
