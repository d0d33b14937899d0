//! Lloyd's algorithm on a device: the rows stay there, the centres are moved on the host.

use candle_core::Tensor;

use super::host::{move_centres, Assignment};
use crate::cluster::tiles::Tiles;
use crate::gpu::kernel::{AssignRows, OuterTotals};
use crate::gpu::{InPlace, Kernels};
use crate::{progress, Result};

/// Rows of a block of the kernel.
const ROWS: usize = 256;

/// The rows, their labels and distances on the device.
struct DevicePoints<'a> {
    kernels: &'a Kernels,
    rows: Tensor,
    labels: Tensor,
    distances: Tensor,
}

/// What one pass over the rows gives.
struct Step {
    sums: Vec<f64>,
    moved: f64,
    inertia: f64,
}

/// As on the CPU, with sums in another order.
pub(super) fn lloyd(
    kernels: &Kernels,
    data: &Tiles,
    centres: &mut [f32],
    max_iterations: usize,
    tolerance: f64,
) -> Result<Assignment> {
    let placed = DevicePoints::new(kernels, data)?;
    // Looked at only where a centre has no rows.
    let mut assignment = Assignment {
        labels: vec![],
        distances: vec![],
    };
    for _ in 0..max_iterations {
        progress::check()?;
        let step = placed.assign(centres)?;
        if step.moved == 0.0 {
            return placed.assignment();
        }
        let width = data.columns + 1;
        if step
            .sums
            .chunks_exact(width)
            .any(|s| s[data.columns] == 0.0)
        {
            assignment = placed.assignment()?;
        }
        let shift = move_centres(data, &assignment, step.sums, centres);
        if shift <= tolerance * step.inertia / (data.rows * data.columns) as f64 {
            break;
        }
    }
    placed.assign(centres)?;
    placed.assignment()
}

impl<'a> DevicePoints<'a> {
    fn new(kernels: &'a Kernels, data: &Tiles) -> Result<Self> {
        let device = kernels.device();
        let n = data.rows;
        Ok(Self {
            kernels,
            rows: Tensor::from_vec(data.by_rows(), (n, data.columns), device)?,
            labels: Tensor::full(u32::MAX, n, device)?,
            distances: Tensor::full(0f32, n, device)?,
        })
    }

    fn assign(&self, centres: &[f32]) -> Result<Step> {
        let kernels = self.kernels;
        let (n, d) = self.rows.dims2()?;
        let k = centres.len() / d;
        let len = k * (d + 1) + 2;
        let n_parts = n.div_ceil(ROWS);
        let centres = Tensor::from_slice(centres, (k, d), kernels.device())?;
        let mut parts = kernels.doubles((n_parts, len))?;
        AssignRows {
            x: &self.rows,
            centres: &centres,
            labels: &mut InPlace(&self.labels),
            distances: &mut InPlace(&self.distances),
            parts: &mut parts,
            n,
            d,
            k,
        }
        .launch(kernels)?;
        let mut totals = kernels.doubles(len)?;
        OuterTotals {
            parts: &parts,
            totals: &mut totals,
            n_parts,
            len,
        }
        .launch(kernels)?;
        let mut sums = totals.into_tensor().to_vec1::<f64>()?;
        let (moved, inertia) = (sums[len - 2], sums[len - 1]);
        sums.truncate(len - 2);
        Ok(Step {
            sums,
            moved,
            inertia,
        })
    }

    fn assignment(&self) -> Result<Assignment> {
        Ok(Assignment {
            labels: self.labels.to_vec1()?,
            distances: self.distances.to_vec1()?,
        })
    }
}
