//! Milliseconds an epoch, and peak device memory.

use std::time::Instant;

use candle_core::Device;
use serde_json::json;
use spax_core::device::choose;
use spax_core::systems::spacross::memory::arrays_on_device;
use spax_core::systems::spacross::{self, Trainer};
use spax_core::systems::spalora::{self, Params};
use spax_core::Result;

use crate::data::simulate;
use crate::lora::Tissue;
use crate::{fault, Arguments};

const COLUMNS: usize = 200;
const NEIGHBOURS: usize = 12;
/// Of SpaLORA's genes, how many a cell has; and its proteins.
const FILLED: f64 = 0.05;
const PROTEINS: usize = 30;
/// Epochs before the clock starts.
const WARM: usize = 5;

/// What a measurement runs on.
struct Setting {
    device: Device,
    name: String,
    threads: usize,
    epochs: usize,
}

impl Setting {
    fn of(arguments: &Arguments) -> Result<Self> {
        let choice = choose(arguments.get("device").unwrap_or("auto"), 0)?;
        if let Some(note) = &choice.note {
            eprintln!("spax-train: on the CPU: {note}");
        }
        Ok(Self {
            device: choice.device,
            name: choice.name,
            threads: arguments.count("threads", 4)?,
            epochs: arguments.count("epochs", 50)?,
        })
    }
}

/// Bytes that the arrays of a training took of a device at most, and were thought to.
struct Memory {
    peak: u64,
    estimated: u64,
}

impl Memory {
    /// Prints a measurement, and whether the estimate was large enough: training is refused by it.
    fn report(&self, mut line: serde_json::Value) -> bool {
        line["peak_device_gb"] = json!(self.peak as f64 / 1e9);
        line["estimated_device_gb"] = json!(self.estimated as f64 / 1e9);
        println!("{line}");
        let enough = self.peak <= self.estimated;
        if !enough {
            eprintln!("spax-train: the device held more than was estimated");
        }
        enough
    }
}

fn sizes(arguments: &Arguments, of: &str, default: &str) -> Result<Vec<usize>> {
    let sizes = arguments.get(of).filter(|s| !s.is_empty());
    let size = |text: &str| {
        let n = text.parse().ok().filter(|&n| n > NEIGHBOURS);
        n.ok_or_else(|| {
            fault(format!(
                "\"{text}\" is no number of cells above {NEIGHBOURS}"
            ))
        })
    };
    sizes.unwrap_or(default).split(',').map(size).collect()
}

/// SpaCross: one line of JSON a size. Whether every estimate of the memory was large enough.
pub fn run(arguments: &Arguments) -> Result<bool> {
    let sizes = sizes(arguments, "bench", "3600,100000,1000000")?;
    let setting = Setting::of(arguments)?;
    let mut enough = true;
    for n in sizes {
        enough &= measure(n, &setting)?;
    }
    Ok(enough)
}

/// SpaLORA: the same.
pub fn spalora(arguments: &Arguments) -> Result<bool> {
    let sizes = sizes(arguments, "bench-spalora", "100000")?;
    let genes = arguments.count("genes", 3000)?;
    let setting = Setting::of(arguments)?;
    let mut enough = true;
    for n in sizes {
        enough &= measure_spalora(n, genes, &setting)?;
    }
    Ok(enough)
}

fn measure_spalora(n: usize, genes: usize, setting: &Setting) -> Result<bool> {
    let tissue = Tissue::simulate(n, genes, FILLED, PROTEINS, setting.threads)?;
    let params = Params::default();
    peak(&setting.device)?;
    let mut trainer = tissue.trainer(&params, setting.threads, &setting.device)?;
    trainer.steps(WARM)?;
    let start = Instant::now();
    trainer.steps(setting.epochs)?;
    let epoch = start.elapsed().as_secs_f64() * 1e3 / setting.epochs as f64;
    let memory = Memory {
        peak: peak(&setting.device)?,
        estimated: spalora::memory::arrays_on_device(&tissue.size, &params),
    };
    let line = json!({
        "device": setting.name, "cells": n, "genes": genes, "filled": FILLED, "proteins": PROTEINS, "threads": setting.threads,
        "epoch_ms": epoch,
    });
    Ok(memory.report(line))
}

fn measure(n: usize, setting: &Setting) -> Result<bool> {
    let Setting {
        device,
        name,
        threads,
        epochs,
    } = setting;
    let (threads, epochs) = (*threads, *epochs);
    let cells = simulate(n, COLUMNS, NEIGHBOURS, threads)?;
    let params = spacross::Params {
        update_every: WARM + epochs,
        ..spacross::Params::default()
    };
    peak(device)?;
    let mut trainer = cells.trainer(&params, threads, device)?;
    trainer.steps(WARM)?;
    let plain = time(&mut trainer, epochs)?;
    // The hybrid graph is built at the start of this one.
    let rebuild = time(&mut trainer, 1)?;
    trainer.steps(WARM)?;
    let contrast = time(&mut trainer, epochs - WARM.min(epochs - 1) - 1)?;
    let memory = Memory {
        peak: peak(device)?,
        estimated: arrays_on_device(&cells.size, &params),
    };
    let line = json!({
        "device": name, "cells": n, "columns": COLUMNS, "k": NEIGHBOURS, "threads": threads,
        "epoch_ms": plain, "epoch_ms_with_contrast": contrast, "hybrid_graph_ms": rebuild - contrast,
        "epoch_ms_all_told": contrast + (rebuild - contrast) / 50.0,
    });
    Ok(memory.report(line))
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
