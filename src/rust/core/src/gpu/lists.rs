//! Lists of rows on the device.

use candle_core::{Device, Result, Tensor};

/// Row numbers, on the device.
#[derive(Clone, Debug)]
pub struct List {
    pub rows: Tensor,
    pub len: usize,
}

/// For each row the positions in a list at which it stands, rising: `positions[starts[row]..starts[row + 1]]`.
#[derive(Clone, Debug)]
pub struct Inverse {
    pub starts: Tensor,
    pub positions: Tensor,
}

/// Lists that travel to the device together.
#[derive(Default)]
pub struct Packed {
    values: Vec<u32>,
    ranges: Vec<(usize, usize)>,
}

impl Packed {
    /// Adds a list, and returns its number.
    pub fn push(&mut self, list: &[u32]) -> usize {
        self.ranges.push((self.values.len(), list.len()));
        self.values.extend_from_slice(list);
        self.ranges.len() - 1
    }

    /// The lists on the device, by number: one copy for all.
    pub fn upload(&self, device: &Device) -> Result<Vec<List>> {
        // One more than there are, so that an empty list at the end has a place.
        let mut values = self.values.clone();
        values.push(0);
        let len = values.len();
        let all = Tensor::from_vec(values, len, device)?;
        let part = |&(start, len): &(usize, usize)| {
            Ok(List {
                rows: all.narrow(0, start, len.max(1).min(all.dim(0)? - start))?,
                len,
            })
        };
        self.ranges.iter().map(part).collect()
    }
}

/// The starts and positions of [`Inverse`] for a list of rows below `n`, by counting.
pub fn invert(list: &[u32], n: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; n + 1];
    list.iter().for_each(|&row| starts[row as usize + 1] += 1);
    for row in 0..n {
        starts[row + 1] += starts[row];
    }
    let mut next = starts.clone();
    let mut positions = vec![0u32; list.len()];
    for (position, &row) in list.iter().enumerate() {
        let place = &mut next[row as usize];
        positions[*place as usize] = position as u32;
        *place += 1;
    }
    (starts, positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_by_row_and_rising() {
        let (starts, positions) = invert(&[2, 0, 2, 4, 2], 5);
        assert_eq!(starts, [0, 1, 1, 4, 4, 5]);
        assert_eq!(positions, [1, 0, 2, 4, 3]);
    }
}
