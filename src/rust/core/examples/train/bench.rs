//! Milliseconds an epoch, and peak device memory.

use std::time::Instant;

use candle_core::Device;
use serde_json::json;
use spax_core::device::choose;
use spax_core::spacross::memory::estimate_on_device;
use spax_core::spacross::Trainer;
use spax_core::Result;

use crate::data::simulate;
use crate::{fault, settings, Arguments};

const COLUMNS: usize = 200;
const NEIGHBOURS: usize = 12;
/// Epochs before the clock starts.
const WARM: usize = 5;

/// One line of JSON a size.
pub fn run(arguments: &Arguments) -> Result<bool> {
    let sizes = arguments.get("bench").filter(|s| !s.is_empty());
    let sizes = sizes.unwrap_or("3600,100000,1000000").split(',');
    let choice = choose(arguments.get("device").unwrap_or("auto"), 0)?;
    let (threads, epochs) = (
        arguments.count("threads", 4)?,
        arguments.count("epochs", 50)?,
    );
    for size in sizes {
        let n = size
            .parse()
            .map_err(|_| fault(format!("\"{size}\" is no number of cells")))?;
        println!(
            "{}",
            measure(n, threads, epochs, &choice.name, &choice.device)?
        );
    }
    Ok(true)
}

fn measure(
    n: usize,
    threads: usize,
    epochs: usize,
    name: &str,
    device: &Device,
) -> Result<serde_json::Value> {
    let cells = simulate(n, COLUMNS, NEIGHBOURS, threads)?;
    let mut settings = settings::read(None)?;
    settings.params.update_every = WARM + epochs;
    peak(device)?;
    let mut trainer = cells.trainer(&settings, threads, device)?;
    trainer.steps(WARM)?;
    let plain = time(&mut trainer, epochs)?;
    // The hybrid graph is built at the start of this one.
    let rebuild = time(&mut trainer, 1)?;
    trainer.steps(WARM)?;
    let contrast = time(&mut trainer, epochs - WARM.min(epochs - 1) - 1)?;
    Ok(json!({
        "device": name, "cells": n, "columns": COLUMNS, "k": NEIGHBOURS, "threads": threads,
        "epoch_ms": plain, "epoch_ms_with_contrast": contrast, "hybrid_graph_ms": rebuild - contrast,
        "epoch_ms_all_told": contrast + (rebuild - contrast) / 50.0,
        "peak_device_gb": peak(device)? as f64 / 1e9,
        "estimated_device_gb": estimate_on_device(&cells.size, &settings.params) as f64 / 1e9,
    }))
}

/// Milliseconds an epoch; reading the losses waits for the device.
fn time(trainer: &mut Trainer, epochs: usize) -> Result<f64> {
    let start = Instant::now();
    trainer.steps(epochs.max(1))?;
    Ok(start.elapsed().as_secs_f64() * 1e3 / epochs.max(1) as f64)
}

#[cfg(feature = "cuda")]
fn peak(device: &Device) -> Result<u64> {
    match device {
        Device::Cuda(_) => Ok(spax_core::gpu::peak_memory(device)?),
        _ => Ok(0),
    }
}

/// A build for the CPU has no device memory.
#[cfg(not(feature = "cuda"))]
fn peak(_: &Device) -> Result<u64> {
    Ok(0)
}
