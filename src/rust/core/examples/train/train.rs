//! A run from files: the same stages as in R.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use spax_core::engine::{Run, Settings as RunSettings, Stage};
use spax_core::{systems, Result};

use crate::files::{read_tensors, write_found, write_tensors, Input};
use crate::{asked, fault, Arguments};

/// Where the training is kept, and after how many epochs each time.
struct Checkpoint {
    path: PathBuf,
    every: usize,
}

impl Checkpoint {
    fn of(arguments: &Arguments) -> Result<Option<Self>> {
        if arguments.get("checkpoint").is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            path: arguments.path("checkpoint")?,
            every: arguments.count("every", 50)?,
        }))
    }

    /// Goes on from the file if there is one: at the training, before which everything is computed again.
    fn resume(&self, run: &mut Run) -> Result<()> {
        if self.path.exists() {
            run.resume(&read_tensors(&self.path)?)?;
        }
        Ok(())
    }
}

/// Input to embedding, domains and model.
pub fn run(arguments: &Arguments) -> Result<bool> {
    let n_threads = arguments.count("threads", 4)?;
    let (input, output) = (arguments.path("input")?, arguments.path("output")?);
    let told = asked::read(arguments.get("settings"))?;
    let input = Input::read(&input, &told.modalities)?;
    let parts = input.parts(&told.modalities)?;
    let tissue = Arc::new(input.tissue(&told, n_threads)?);
    let entry = systems::find(&told.system)?;
    let opened = (entry.open)(&told.options(&tissue)?, &told.asked, &tissue)?;
    let device = arguments.get("device").unwrap_or("auto");
    let mut settings = RunSettings::new(&told.asked, device, &opened.domains);
    if settings.method().is_none() {
        return Err(fault("`cluster` must be gmm or kmeans: the others are R's"));
    }
    let checkpoint = Checkpoint::of(arguments)?;
    settings.block = checkpoint.as_ref().map(|c| c.every);
    let mut run = Run::new(tissue, opened.system, settings);
    advance(&mut run, &parts, checkpoint.as_ref())?;
    write_found(&output, &run)?;
    if arguments.get("model").is_some() {
        write_tensors(&arguments.path("model")?, run.model())?;
    }
    println!("{}", summary(&run, n_threads));
    Ok(true)
}

/// Stage by stage to the end.
fn advance(
    run: &mut Run,
    parts: &[spax_core::engine::Part],
    checkpoint: Option<&Checkpoint>,
) -> Result<()> {
    let mut trains = false;
    while run.stage() != Stage::Done {
        if let (Some(checkpoint), Stage::Train, false) = (checkpoint, run.stage(), trains) {
            checkpoint.resume(run)?;
            trains = true;
        }
        run.advance(parts)?;
        if let Some(note) = run.place().and_then(|p| p.note.as_ref()) {
            if run.stage() == Stage::Smooth {
                eprintln!("spax-train: on the CPU: {note}");
            }
        }
        if let (Some(checkpoint), Stage::Train) = (checkpoint, run.stage()) {
            if trains {
                write_tensors(&checkpoint.path, &run.checkpoint()?)?;
            }
        }
    }
    Ok(())
}

/// One line of JSON: where it ran, and the seconds of each stage.
fn summary(run: &Run, threads: usize) -> serde_json::Value {
    let mut seconds = serde_json::Map::new();
    for (stage, time) in run.seconds() {
        let so_far = seconds.get(*stage).and_then(|s| s.as_f64()).unwrap_or(0.0);
        seconds.insert((*stage).into(), json!(so_far + time));
    }
    json!({
        "device": run.place().map(|p| p.name.clone()), "threads": threads, "cells": run.domains().len(),
        "columns": run.system().describe()["n_columns"], "epochs": run.history().len(), "seconds": seconds,
    })
}
