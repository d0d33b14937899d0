//! The runs of the package from files, without R; and the checks and measurements that need a GPU.
//!
//!     spax-train --input FILE [--settings FILE] --output FILE [--model FILE] [--checkpoint FILE [--every 50]]
//!                [--device auto] [--threads 4]
//!     spax-train --check FOLDER [--device cuda]      FOLDER holds the recorded runs (core/tests/conformance)
//!     spax-train --bench 3600,100000,1000000 [--epochs 50] [--device cuda] [--threads 16]
//!     spax-train --bench-spalora 100000 [--genes 3000] [--epochs 50] [--device cuda] [--threads 16]
//!     spax-train --devices
//!
//! The input is a .safetensors file with `coords` (cells x 2 or 3), for several slices `slices` (one number a cell,
//! from 0), and either `features` (cells x columns) or counts in compressed rows (`counts.indptr`, `counts.indices`,
//! `counts.values`, `counts.n_genes` of one number); of several modalities each under its name, as in
//! `RNA/counts.indptr`. The settings are JSON: `system` ("spacross", "spalora"), `n_domains`, `seed`, `published`,
//! `impute`, `stacked`, `preset`, `modalities` (as in `[{"name": "ADT", "kind": "protein"}]`), and the options of the
//! system by their names in R. The output gets `embedding`, `domains` (from 0), `losses` (a row an epoch) and what else
//! the system gives; the model, what labels further cells. With a checkpoint, a job that was stopped goes on with its
//! training where it was. Timings go to standard output as JSON.

mod asked;
mod bench;
mod check;
mod data;
mod files;
mod lora;
mod train;

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use spax_core::device::devices;
use spax_core::{threads, Error, Result};

const USAGE: &str = "\
spax-train --input FILE [--settings FILE] --output FILE [--model FILE] [--checkpoint FILE [--every 50]] [--device auto] [--threads 4]
spax-train --check FOLDER [--epochs 300] [--device cuda] [--threads 4]
spax-train --bench 3600,100000,1000000 [--epochs 50] [--device auto] [--threads 4]
spax-train --bench-spalora 100000 [--genes 3000] [--epochs 50] [--device auto] [--threads 4]
spax-train --devices
--device takes auto, cpu, cuda or a GPU by number as in cuda:1.";

const NAMES: [&str; 14] = [
    "model",
    "checkpoint",
    "every",
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
    train::run(&arguments)
}

fn list_devices() {
    for found in devices() {
        let memory = found.memory.map(|bytes| bytes as f64 / 1e9);
        let (name, available, reason) = (found.name, found.available, found.reason);
        let line = json!({ "device": name, "available": available, "memory_gb": memory, "reason": reason });
        println!("{line}");
    }
}

/// Runs `work` in our pool.
pub fn in_pool<T: Send>(n_threads: usize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    threads::install(n_threads, work)
}
