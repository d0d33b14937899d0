//! Kernels on a device, behind one interface: a CUDA device, or the emulator of the tests.
//!
//! `cuda/*.cu` holds the kernels, `kernel` their checked launches; what launches them stands beside the CPU form of
//! each operation (`nn`, `systems`). A
//! tensor on the device is a candle tensor, and everything runs on candle's stream, so the order of the launches is
//! the order of the work and nothing waits. Without the features `cuda` and `emulate` there is no device, and
//! [`Kernels::of`] never finds one.

// Without a runner nobody reads what a kernel would be given.
#![cfg_attr(not(any(feature = "cuda", feature = "emulate")), allow(dead_code))]

mod buffer;
mod call;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "emulate")]
pub mod emulated;
pub(crate) mod kernel;
mod lists;
mod matrix;
mod product;
mod structs;
mod values;

use std::sync::Arc;

use candle_core::{Device, Result};

#[cfg(feature = "cuda")]
pub use cuda::{free_memory, peak_memory, prepare, synchronise};

pub use buffer::Buffer;
pub use lists::{invert, Inverse, List, LongStarts, Packed, PartialList, Starts, Uploaded};
pub use matrix::{Matrix, Offset};
pub use structs::{Dropout, Moved, Pairs, Table};
pub(crate) use values::{InPlace, Read};

/// A dense product `c = a b + beta c` of row-major matrices: `a` is m x k (k x m where transposed), `b` k x n.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gemm {
    m: usize,
    n: usize,
    k: usize,
    a: u64,
    a_transposed: bool,
    b: u64,
    b_transposed: bool,
    c: u64,
    beta: f32,
    /// How many products, and the steps (in values) from one to the next.
    batch: usize,
    steps: [usize; 3],
}

/// What runs kernels.
pub(crate) trait Runner: Send + Sync {
    /// # Safety
    /// Addresses among the arguments must be those of buffers that are large enough.
    unsafe fn launch(
        &self,
        name: &'static str,
        grid: [u32; 2],
        block: [u32; 2],
        arguments: &call::Arguments,
    ) -> Result<()>;

    /// # Safety
    /// As for `launch`.
    unsafe fn gemm(&self, gemm: &Gemm) -> Result<()>;
}

/// Where the kernels run.
#[derive(Clone)]
pub struct Kernels {
    runner: Arc<dyn Runner>,
    device: Device,
}

impl Kernels {
    /// The kernels of a device; None for the CPU, whose operations are Rust.
    ///
    /// # Errors
    /// A device that does not take the kernels.
    pub fn of(device: &Device) -> Result<Option<Self>> {
        let found: Option<Arc<dyn Runner>> = match device {
            #[cfg(feature = "cuda")]
            Device::Cuda(cuda) => Some(cuda::runner(cuda)?),
            #[cfg(feature = "emulate")]
            Device::Cpu if emulated::mode().is_some() => Some(Arc::new(emulated::Emulator)),
            _ => None,
        };
        Ok(found.map(|runner| Self {
            runner,
            device: device.clone(),
        }))
    }

    /// Where they run.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The chunks of `n` rows whose sums are added up in order: their number and length. The number does not depend on
    /// the device, so that results do not either.
    pub fn chunks(&self, n: usize) -> (usize, usize) {
        let rows = n.div_ceil(1024).next_multiple_of(32).max(128);
        (n.div_ceil(rows), rows)
    }
}
