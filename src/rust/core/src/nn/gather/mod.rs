//! Masking as a gather of rows: each node takes a row of the features or the shared token.

mod device;
mod host;

use std::ops::Deref;
use std::sync::Arc;

use candle_core::Result;

use super::tape::Traced;
use crate::gpu::{Kernels, List, PartialList, Starts};

/// The row of the token among the sources of [`Rows`].
pub const TOKEN: u32 = u32::MAX;

/// For each node the row it takes: a node's number, or [`TOKEN`].
#[derive(Clone, Debug)]
pub struct Rows {
    sources: Arc<Vec<u32>>,
    placed: Option<PlacedRows>,
}

/// The same on a device.
#[derive(Clone, Debug)]
pub struct PlacedRows {
    /// The row that each row of the result is; none for the token.
    pub rows: PartialList,
    /// None where every row stays or is the token's.
    pub moved: Option<MovedRows>,
}

/// Rows that stand elsewhere: `sources[s]` at `targets[starts[s]..starts[s + 1]]`, all rising.
#[derive(Clone, Debug)]
pub struct MovedRows {
    /// Rows that are taken.
    pub sources: List,
    /// Where the targets of each source begin.
    pub starts: Starts,
    /// The rows of the result that a source goes to.
    pub targets: List,
}

impl From<Vec<u32>> for Rows {
    fn from(sources: Vec<u32>) -> Self {
        Self {
            sources: Arc::new(sources),
            placed: None,
        }
    }
}

impl Deref for Rows {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.sources
    }
}

impl Rows {
    /// With their copy on a device.
    pub fn with(mut self, placed: PlacedRows) -> Self {
        self.placed = Some(placed);
        self
    }

    /// The parts of [`MovedRows`].
    pub fn moved(&self) -> [Vec<u32>; 3] {
        let nodes = self.sources.iter().zip(0u32..);
        let mut moved: Vec<(u32, u32)> = nodes
            .filter(|&(&source, node)| source != TOKEN && source != node)
            .map(|(&source, node)| (source, node))
            .collect();
        moved.sort_unstable();
        let (mut sources, mut starts) = (vec![], vec![]);
        for (at, &(source, _)) in moved.iter().enumerate() {
            if sources.last() != Some(&source) {
                sources.push(source);
                starts.push(at as u32);
            }
        }
        starts.push(moved.len() as u32);
        [sources, starts, moved.into_iter().map(|m| m.1).collect()]
    }
}

/// Row i of the result is row `rows[i]` of x (N x w), or the token (1 x w).
pub fn gather(x: impl Into<Traced>, token: impl Into<Traced>, rows: &Rows) -> Result<Traced> {
    let (x, token) = (x.into(), token.into());
    match (&rows.placed, Kernels::of(x.value().device())?) {
        (Some(placed), Some(kernels)) => device::gather(kernels, &x, &token, placed),
        _ => host::gather(&x, &token, &rows.sources),
    }
}
