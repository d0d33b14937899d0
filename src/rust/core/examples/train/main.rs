//! SpaCross from files, without R; and the checks and measurements that need a GPU.
//!
//!     spax-train --input FILE [--settings FILE] --output FILE [--device auto] [--threads 4]
//!     spax-train --check FOLDER [--device cuda]      FOLDER holds the recorded runs (core/tests/conformance)
//!     spax-train --bench 3600,100000,1000000 [--epochs 50] [--device cuda] [--threads 16]
//!     spax-train --bench-spalora 100000 [--genes 3000] [--epochs 50] [--device cuda] [--threads 16]
//!     spax-train --devices
//!
//! The input is a .safetensors file with `coords` (cells x 2 or 3) and either `features` (cells x columns) or counts in
//! compressed rows (`counts.indptr`, `counts.indices`, `counts.values`, `counts.n_genes` of one number). The settings are
//! JSON with the names of `spacross_options()` in R, `n_domains` and `seed`. The output gets `embedding` (cells x 16),
//! `losses` (epochs x 6: epoch, total, reconstruction, consistency, contrast, gradient norm) and, for gene input,
//! `reconstruction`; timings go to standard output as JSON.

mod bench;
mod check;
mod data;
mod lora;
mod settings;

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use candle_core::{Device, Tensor};
use serde_json::json;
use spax_core::device::{choose, devices};
use spax_core::systems::spacross::memory::{estimate_on_device, Size};
use spax_core::systems::spacross::{EpochLosses, Trainer};
use spax_core::{threads, Error, Result};

const USAGE: &str = "\
spax-train --input FILE [--settings FILE] --output FILE [--device auto] [--threads 4]
spax-train --check FOLDER [--epochs 300] [--device cuda] [--threads 4]
spax-train --bench 3600,100000,1000000 [--epochs 50] [--device auto] [--threads 4]
spax-train --bench-spalora 100000 [--genes 3000] [--epochs 50] [--device auto] [--threads 4]
spax-train --devices
--device takes auto, cpu, cuda or a GPU by number as in cuda:1.";

const NAMES: [&str; 11] = [
    "input",
    "settings",
    "output",
    "device",
    "threads",
    "check",
    "epochs",
    "bench",
    "bench-spalora",
    "genes",
    "devices",
];

/// What follows each `--name`.
pub struct Arguments(HashMap<String, String>);

impl Arguments {
    fn read() -> Result<Self> {
        let mut found = HashMap::new();
        let mut words = std::env::args().skip(1).peekable();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").filter(|name| NAMES.contains(name));
            let Some(name) = name else {
                return Err(fault(format!("what is \"{word}\"?\n{USAGE}")));
            };
            let value = words.next_if(|next| !next.starts_with("--"));
            found.insert(name.to_string(), value.unwrap_or_default());
        }
        Ok(Self(found))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn path(&self, name: &str) -> Result<PathBuf> {
        match self.get(name) {
            Some(value) if !value.is_empty() => Ok(value.into()),
            _ => Err(fault(format!("--{name} wants a file or folder"))),
        }
    }

    pub fn count(&self, name: &str, default: usize) -> Result<usize> {
        let number = |text: &str| text.parse().ok().filter(|&n| n > 0);
        match self.get(name) {
            None => Ok(default),
            Some(text) => number(text).ok_or_else(|| fault(format!("--{name} wants a number"))),
        }
    }
}

pub fn fault(message: impl Into<String>) -> Error {
    Error::argument("arguments", message)
}

fn main() -> ExitCode {
    // candle's own pool is not wanted: all loops run in ours.
    std::env::set_var("CANDLE_NUM_THREADS", "1");
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("spax-train: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went as it should.
fn run() -> Result<bool> {
    if std::env::args().skip(1).all(|word| word == "--help") {
        println!("{USAGE}");
        return Ok(true);
    }
    let arguments = Arguments::read()?;
    if arguments.get("devices").is_some() {
        list_devices();
        return Ok(true);
    }
    if arguments.get("check").is_some() {
        return check::run(&arguments);
    }
    if arguments.get("bench").is_some() {
        return bench::run(&arguments);
    }
    if arguments.get("bench-spalora").is_some() {
        return bench::spalora(&arguments);
    }
    train(&arguments)
}

fn list_devices() {
    for found in devices() {
        let memory = found.memory.map(|bytes| bytes as f64 / 1e9);
        let (name, available, reason) = (found.name, found.available, found.reason);
        let line = json!({ "device": name, "available": available, "memory_gb": memory, "reason": reason });
        println!("{line}");
    }
}

fn train(arguments: &Arguments) -> Result<bool> {
    let n_threads = arguments.count("threads", 4)?;
    let output = arguments.path("output")?;
    let settings = settings::read(arguments.get("settings"))?;
    let start = Instant::now();
    let input = data::read(&arguments.path("input")?, &settings, n_threads)?;
    let prepared = start.elapsed().as_secs_f64();
    let needed = estimate_on_device(&input.size, &settings.params);
    let choice = choose(arguments.get("device").unwrap_or("auto"), needed)?;
    if let Some(note) = &choice.note {
        eprintln!("spax-train: on the CPU: {note}");
    }
    let Size {
        n_cells,
        n_columns,
        n_edges,
        ..
    } = input.size;
    let epochs = settings.params.epochs;
    let mut trainer = input.trainer(&settings, n_threads, &choice.device)?;
    let start = Instant::now();
    let losses = trainer.steps(epochs)?;
    let trained = start.elapsed().as_secs_f64();
    save(&output, &trainer, &losses, settings.params.imputation)?;
    let timings = json!({
        "device": choice.name, "cells": n_cells, "columns": n_columns, "edges": n_edges, "epochs": epochs,
        "prepare_seconds": prepared, "train_seconds": trained, "threads": n_threads,
    });
    println!("{timings}");
    Ok(true)
}

fn save(
    output: &std::path::Path,
    trainer: &Trainer,
    losses: &[EpochLosses],
    imputation: bool,
) -> Result<()> {
    let tensor = |x: ndarray::Array2<f32>| {
        let dims = x.dim();
        Tensor::from_vec(x.into_raw_vec_and_offset().0, dims, &Device::Cpu)
    };
    let rows: Vec<f64> = losses.iter().flat_map(row).collect();
    let mut tensors = HashMap::from([
        ("embedding", tensor(trainer.embedding()?)?),
        (
            "losses",
            Tensor::from_vec(rows, (losses.len(), 6), &Device::Cpu)?,
        ),
    ]);
    if imputation {
        tensors.insert("reconstruction", tensor(trainer.reconstruct()?)?);
    }
    Ok(candle_core::safetensors::save(&tensors, output)?)
}

fn row(losses: &EpochLosses) -> [f64; 6] {
    [
        losses.epoch as f64,
        losses.total.into(),
        losses.reconstruction.into(),
        losses.consistency.into(),
        losses.contrast.map_or(f64::NAN, f64::from),
        losses.gradient_norm,
    ]
}

/// Runs `work` in our pool.
pub fn in_pool<T: Send>(n_threads: usize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    threads::install(n_threads, work)
}
