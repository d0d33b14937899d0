//! The device against the published numbers and against the CPU.

use std::path::Path;

use candle_core::Device;
use spax_core::check::{Gap, Judged, Record, Rounding, Spans};
use spax_core::device::choose;
use spax_core::systems::spacross::check::{
    described_contrast, first_gradients, record, three_steps, RUNS,
};
use spax_core::systems::spacross::{Contrast, Params};
use spax_core::systems::spalora;
use spax_core::Result;

use crate::data::{simulate, simulate_genes, Cells};
use crate::lora::Tissue;
use crate::Arguments;

/// Trainings on the CPU that are rounded otherwise, by which the device's is judged.
const TRIALS: u32 = 3;

pub fn run(arguments: &Arguments) -> Result<bool> {
    let folder = arguments.path("check")?;
    let choice = choose(arguments.get("device").unwrap_or("cuda"), 0)?;
    println!("device: {}", choice.name);
    let mut good = true;
    for name in RUNS {
        good &= published(&folder, name, &choice.device)?;
    }
    for name in spalora::check::RUNS {
        let mut gaps = spalora::check::first_pass(&folder, name, &choice.device)?;
        gaps.extend(spalora::check::three_steps(&folder, name, &choice.device)?);
        good &= report(&format!("published {name}"), fixed(gaps));
    }
    let threads = arguments.count("threads", 4)?;
    let spans = Spans {
        steps: 20,
        epochs: arguments.count("epochs", 300)?,
    };
    for (what, cells, params) in cases(threads)? {
        let make = |device: &Device| cells.trainer(&params, threads, device);
        let run = |device: &Device, rounding| record(|| make(device), spans, rounding);
        good &= compare(&what, run, &choice.device)?;
    }
    let tissue = Tissue::simulate(1231, 301, 0.3, 30, threads)?;
    let params = spalora::Params::default();
    let make = |device: &Device| tissue.trainer(&params, threads, device);
    let run = |device: &Device, rounding| spalora::check::record(|| make(device), spans, rounding);
    good &= compare("SpaLORA, genes and proteins", run, &choice.device)?;
    println!(
        "{}",
        if good {
            "all as it should be"
        } else {
            "SOMETHING IS OFF"
        }
    );
    Ok(good)
}

/// A training against the CPU's of the same seed, by what rounding does to the latter, and against itself.
fn compare(
    what: &str,
    run: impl Fn(&Device, Option<Rounding>) -> Result<Record>,
    device: &Device,
) -> Result<bool> {
    let (ours, again) = (run(device, None)?, run(device, None)?);
    let theirs = run(&Device::Cpu, None)?;
    let trials = (0..TRIALS).map(|trial| run(&Device::Cpu, Some(Rounding::new(trial))));
    let trials = trials.collect::<Result<Vec<_>>>()?;
    let judged = ours.judged(&theirs, &trials);
    let good = report(&format!("{what}, against the CPU"), judged);
    let repeats = ours.repeats(&again);
    println!("{what}, run twice: the same bytes: {repeats}");
    Ok(good && repeats)
}

fn published(folder: &Path, name: &str, device: &Device) -> Result<bool> {
    let mut gaps = three_steps(folder, name, device)?;
    gaps.extend(first_gradients(folder, name, device)?);
    gaps.extend(described_contrast(folder, name, device)?);
    Ok(report(&format!("published {name}"), fixed(gaps)))
}

/// Input of both kinds, both contrasts, a moving target; sizes that are no multiple of anything.
fn cases(threads: usize) -> Result<Vec<(String, Cells, Params)>> {
    let mut cases = vec![];
    for (name, contrast, momentum) in [
        ("components", Contrast::Node, 0.0),
        (
            "components, all pairs, moving target",
            Contrast::AllPairs,
            0.9,
        ),
    ] {
        let params = Params {
            contrast,
            momentum,
            update_every: 10,
            ..Params::default()
        };
        cases.push((name.into(), simulate(3637, 200, 12, threads)?, params));
    }
    let params = Params {
        update_every: 10,
        ..Params::default()
    };
    let genes = simulate_genes(1231, 301, 12, threads)?;
    cases.push(("genes".into(), genes, params));
    Ok(cases)
}

fn fixed(gaps: Vec<Gap>) -> Vec<Judged> {
    gaps.into_iter().map(Judged::fixed).collect()
}

/// Prints the gap that is nearest to what is allowed, and every one beyond that.
fn report(what: &str, judged: Vec<Judged>) -> bool {
    let line = |j: &Judged| format!("{:.2e} of {:.2e} allowed ({})", j.gap, j.allowed, j.what);
    let share = |j: &&Judged| j.gap / j.allowed;
    let worst = judged.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    if let Some(worst) = worst {
        println!("{what}: {} compared, worst {}", judged.len(), line(worst));
    }
    let off = judged.iter().filter(|j| !j.fits());
    off.inspect(|j| println!("  OFF: {}", line(j))).count() == 0
}
