//! Where a run trains, and whether there is the memory for it.

use extendr_api::prelude::*;
use spax_core::engine::memory::available_memory;
use spax_core::{device, Result};

/// For R: the device chosen, why the CPU where a GPU was there (NA otherwise), the bytes of the machine's memory that training
/// needs, and those that are free. `on_gpu` is what it needs of a GPU's memory, `on_cpu` and `beside` what of the machine's
/// when it trains on the CPU and on a GPU.
pub fn place(name: &str, on_gpu: u64, [on_cpu, beside]: [u64; 2]) -> Result<Robj> {
    let choice = device::choose(name, on_gpu)?;
    let needed = if choice.name == "cpu" { on_cpu } else { beside };
    let available = available_memory().map_or(f64::INFINITY, |bytes| bytes as f64);
    Ok(list!(
        device = choice.name,
        note = choice.note,
        needed = needed as f64,
        available = available
    )
    .into())
}
