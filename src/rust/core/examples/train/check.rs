//! The device against the published numbers and against the CPU.

use std::path::Path;

use candle_core::Device;
use spax_core::check::{Gap, Record, Spans, TOLERANCE};
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

/// How far embeddings may be apart after the last epoch, when rounding has taken its ways.
const LOOSE: f64 = 1e-2;

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
        good &= report(&format!("published {name}"), &gaps, TOLERANCE);
    }
    let threads = arguments.count("threads", 4)?;
    let spans = Spans {
        steps: 20,
        epochs: arguments.count("epochs", 300)?,
    };
    for (what, cells, params) in cases(threads)? {
        let run = |device: &Device| record(|| cells.trainer(&params, threads, device), spans);
        good &= compare(&what, run, &choice.device)?;
    }
    let tissue = Tissue::simulate(1231, 301, 0.3, 30, threads)?;
    let params = spalora::Params::default();
    let make = |device: &Device| tissue.trainer(&params, threads, device);
    let run = |device: &Device| spalora::check::record(|| make(device), spans);
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

/// A training against the CPU's of the same seed, and against itself.
fn compare(what: &str, run: impl Fn(&Device) -> Result<Record>, device: &Device) -> Result<bool> {
    let (ours, again, theirs) = (run(device)?, run(device)?, run(&Device::Cpu)?);
    let (gaps, last) = ours.against(&theirs);
    let mut good = report(&format!("{what}, against the CPU"), &gaps, TOLERANCE);
    good &= report(&format!("{what}, against the CPU"), &[last], LOOSE);
    let repeats = ours.repeats(&again);
    println!("{what}, run twice: the same bytes: {repeats}");
    Ok(good && repeats)
}

fn published(folder: &Path, name: &str, device: &Device) -> Result<bool> {
    let mut gaps = three_steps(folder, name, device)?;
    gaps.extend(first_gradients(folder, name, device)?);
    gaps.extend(described_contrast(folder, name, device)?);
    Ok(report(&format!("published {name}"), &gaps, TOLERANCE))
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

/// Prints the worst gap, and every one that is too large.
fn report(what: &str, gaps: &[Gap], tolerance: f64) -> bool {
    let worst = gaps
        .iter()
        .fold(None, |worst: Option<&Gap>, gap| match worst {
            Some(w) if w.gap >= gap.gap => Some(w),
            _ => Some(gap),
        });
    if let Some(worst) = worst {
        println!(
            "{what}: {} compared, worst {:.2e} ({})",
            gaps.len(),
            worst.gap,
            worst.what
        );
    }
    // A gap that is no number is none that fits.
    let off = gaps.iter().filter(|g| g.gap.is_nan() || g.gap > tolerance);
    let n_off = off
        .inspect(|g| println!("  OFF: {} {:.2e}", g.what, g.gap))
        .count();
    n_off == 0
}
