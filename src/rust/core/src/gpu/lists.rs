//! Lists of rows on the device. A kernel follows their numbers without looking, so they are checked when they are made
//! and nobody can change them.

use std::ops::Deref;

use candle_core::{bail, Device, Result, Tensor};

use super::call::plus;
use super::values::{Element, Read, Span};
use super::Buffer;

/// No row, among the numbers of a [`PartialList`].
const NONE: u32 = u32::MAX;

/// Row numbers on the device, some of which may be missing.
#[derive(Clone, Debug)]
pub struct PartialList {
    rows: Tensor,
    len: usize,
    bound: usize,
}

/// Row numbers on the device: a [`PartialList`] with nothing missing.
#[derive(Clone, Debug)]
pub struct List(PartialList);

/// Where the entries of each row start, rising; the last is the end of the last row.
#[derive(Clone, Debug)]
pub struct Starts {
    starts: Tensor,
    rows: usize,
    end: usize,
}

/// The same for any number of entries.
#[derive(Clone, Debug)]
pub struct LongStarts {
    starts: Tensor,
    rows: usize,
    end: usize,
}

/// For each row the positions in a list at which it stands, rising: `positions[starts[row]..starts[row + 1]]`.
#[derive(Clone, Debug)]
pub struct Inverse {
    /// Where the positions of each row begin.
    pub starts: Starts,
    /// Row by row.
    pub positions: List,
}

impl PartialList {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All rows are below this.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// A list that a kernel wrote.
    ///
    /// # Safety
    /// The kernel writes every number, and all are below `bound` or [`NONE`].
    pub(crate) unsafe fn of(rows: Buffer<u32>, bound: usize) -> Result<Self> {
        let (len, rows) = (rows.elem_count(), rows.into_tensor().flatten_all()?);
        Ok(Self { rows, len, bound })
    }
}

impl List {
    /// A list of rows below `bound`.
    pub fn new(rows: &[u32], bound: usize, device: &Device) -> Result<Self> {
        let mut packed = Packed::default();
        packed.list(rows, bound);
        packed.upload(device)?.list()
    }

    /// A list that a kernel wrote.
    ///
    /// # Safety
    /// The kernel writes every number, and all are below `bound`.
    pub(crate) unsafe fn of(rows: Buffer<u32>, bound: usize) -> Result<Self> {
        // SAFETY: as the caller says.
        unsafe { PartialList::of(rows, bound) }.map(Self)
    }

    /// `len` of its rows, from `first` on.
    pub fn part(&self, first: usize, len: usize) -> Result<Self> {
        if self.len < plus(first, len) {
            bail!("a part of a list that ends before");
        }
        Ok(Self(PartialList {
            rows: self.rows.narrow(0, first, len)?,
            len,
            bound: self.bound,
        }))
    }

    /// The entries, read from the device.
    pub fn to_vec(&self) -> Result<Vec<u32>> {
        self.rows.narrow(0, 0, self.len)?.to_vec1()
    }
}

impl Deref for List {
    type Target = PartialList;

    fn deref(&self) -> &PartialList {
        &self.0
    }
}

impl Starts {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many entries there are.
    pub fn end(&self) -> usize {
        self.end
    }
}

impl LongStarts {
    /// Checked, and put on the device.
    pub fn new(starts: &[usize], device: &Device) -> Result<Self> {
        let end = starts.last().copied().unwrap_or(0);
        if !are_starts(starts, end) {
            bail!("starts of rows that do not rise");
        }
        let starts: Vec<i64> = starts.iter().map(|&s| s as i64).collect();
        let n = starts.len();
        Ok(Self {
            starts: Tensor::from_vec(starts, n, device)?,
            rows: n - 1,
            end,
        })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many entries there are.
    pub fn end(&self) -> usize {
        self.end
    }
}

/// Whether the starts of rows rise to `end`.
fn are_starts<T: Copy + PartialOrd>(starts: &[T], end: T) -> bool {
    starts.is_sorted() && starts.last() == Some(&end)
}

fn first_of<T: Element>(tensor: &Tensor, len: usize) -> Result<Span> {
    let span = Read::<T>::span(tensor)?;
    // The tensor may be padded.
    Ok(Span { len, ..span })
}

// SAFETY: the span is within the tensor's, which has `len` values or more.
unsafe impl Read<u32> for PartialList {
    fn span(&self) -> Result<Span> {
        first_of::<u32>(&self.rows, self.len)
    }
}

// SAFETY: as above.
unsafe impl Read<u32> for List {
    fn span(&self) -> Result<Span> {
        self.0.span()
    }
}

// SAFETY: as above.
unsafe impl Read<u32> for Starts {
    fn span(&self) -> Result<Span> {
        first_of::<u32>(&self.starts, self.rows + 1)
    }
}

// SAFETY: as above.
unsafe impl Read<i64> for LongStarts {
    fn span(&self) -> Result<Span> {
        first_of::<i64>(&self.starts, self.rows + 1)
    }
}

/// Lists that travel to the device together.
#[derive(Default)]
pub struct Packed {
    values: Vec<u32>,
    parts: Vec<Part>,
    /// Whether a list was not what it was said to be.
    wrong: bool,
}

#[derive(Clone, Copy)]
struct Part {
    first: usize,
    len: usize,
    /// Of the rows, or the end of starts.
    bound: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Full,
    Partial,
    Starts,
}

impl Packed {
    /// Adds a list of rows below `bound`.
    pub fn list(&mut self, rows: &[u32], bound: usize) {
        let valid = rows.iter().all(|&row| (row as usize) < bound);
        self.push(rows, bound, Kind::Full, valid);
    }

    /// Adds a list of rows below `bound`, where the largest number stands for no row.
    pub fn partial(&mut self, rows: &[u32], bound: usize) {
        let valid = rows
            .iter()
            .all(|&row| (row as usize) < bound || row == NONE);
        self.push(rows, bound, Kind::Partial, valid);
    }

    /// Adds the starts of rows of `end` entries.
    pub fn starts(&mut self, starts: &[u32], end: usize) {
        let valid = are_starts(starts, end as u32) && u32::try_from(end).is_ok();
        self.push(starts, end, Kind::Starts, valid);
    }

    fn push(&mut self, list: &[u32], bound: usize, kind: Kind, valid: bool) {
        self.wrong |= !valid;
        self.parts.push(Part {
            first: self.values.len(),
            len: list.len(),
            bound,
            kind,
        });
        self.values.extend_from_slice(list);
    }

    /// The lists on the device: one copy for all.
    ///
    /// # Errors
    /// A list that was not what it was said to be.
    pub fn upload(self, device: &Device) -> Result<Uploaded> {
        if self.wrong {
            bail!("a list with rows out of bounds, or starts that do not rise");
        }
        let mut values = self.values;
        // One more than there are, so that an empty list at the end has a place.
        values.push(0);
        let len = values.len();
        Ok(Uploaded {
            all: Tensor::from_vec(values, len, device)?,
            parts: self.parts.into_iter(),
        })
    }
}

/// Lists that arrived together, to be taken in the order in which they were added.
pub struct Uploaded {
    all: Tensor,
    parts: std::vec::IntoIter<Part>,
}

impl Uploaded {
    /// The next one, a list.
    pub fn list(&mut self) -> Result<List> {
        self.rows(Kind::Full).map(List)
    }

    /// The next one, a list with rows left out.
    pub fn partial(&mut self) -> Result<PartialList> {
        self.rows(Kind::Partial)
    }

    /// The next one, starts of rows.
    pub fn starts(&mut self) -> Result<Starts> {
        let (starts, part) = self.next(Kind::Starts)?;
        Ok(Starts {
            starts,
            rows: part.len - 1,
            end: part.bound,
        })
    }

    fn rows(&mut self, kind: Kind) -> Result<PartialList> {
        let (rows, part) = self.next(kind)?;
        Ok(PartialList {
            rows,
            len: part.len,
            bound: part.bound,
        })
    }

    fn next(&mut self, kind: Kind) -> Result<(Tensor, Part)> {
        match self.parts.next() {
            // A device takes no empty arrays.
            Some(part) if part.kind == kind => {
                Ok((self.all.narrow(0, part.first, part.len.max(1))?, part))
            }
            _ => bail!("lists of another layout"),
        }
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
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn positions_come_by_row_and_rising() {
        let (starts, positions) = invert(&[2, 0, 2, 4, 2], 5);
        assert_eq!(starts, [0, 1, 1, 4, 4, 5]);
        assert_eq!(positions, [1, 0, 2, 4, 3]);
    }

    #[test]
    fn lists_out_of_bounds_are_refused() {
        let upload = |fill: fn(&mut Packed)| {
            let mut packed = Packed::default();
            fill(&mut packed);
            packed.upload(&Device::Cpu).is_ok()
        };
        assert!(upload(|p| p.list(&[3, 0, 2], 4)));
        assert!(!upload(|p| p.list(&[3, 0, 4], 4)));
        assert!(!upload(|p| p.list(&[0, NONE], 4)));
        assert!(upload(|p| p.partial(&[0, NONE], 4)));
        assert!(!upload(|p| p.partial(&[NONE - 1], 4)));
        assert!(upload(|p| p.starts(&[0, 2, 2, 5], 5)));
        assert!(!upload(|p| p.starts(&[0, 2, 1, 5], 5)));
        assert!(!upload(|p| p.starts(&[0, 2, 6], 5)));
        assert!(!upload(|p| p.starts(&[], 0)));
        assert!(LongStarts::new(&[0, 3, 2], &Device::Cpu).is_err());
    }

    #[test]
    fn lists_come_out_as_they_went_in() {
        let mut packed = Packed::default();
        packed.list(&[1, 0], 2);
        packed.list(&[], 3);
        let mut uploaded = packed.upload(&Device::Cpu).unwrap();
        assert!(uploaded.starts().is_err());
        let empty = uploaded.list().unwrap();
        assert_eq!((empty.len(), empty.bound()), (0, 3));
        assert!(uploaded.list().is_err());
    }
}
