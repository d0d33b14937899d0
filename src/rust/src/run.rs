//! A run of the engine, which R advances stage by stage.

use std::cell::RefCell;

use extendr_api::prelude::*;
use spax_core::engine::choose::{choose, Choice};
use spax_core::engine::mixing::mixed;
use spax_core::engine::tensors::Tensors;
use spax_core::engine::{predict, Asked, Found, How, Opened, Run, Settings, Stage};
use spax_core::preprocess::Scaling;
use spax_core::systems;
use spax_core::{Error, Result};

use crate::convert::{
    count, expected, finite_f32, from_zero_based, integers, labels, pointer, seed, string,
    to_matrix, Options,
};
use crate::error::guard;
use crate::json;
use crate::model::raw;
use crate::parts::Given;
use crate::tissue::Handle as Tissue;
use crate::wait;

/// None once R has given the memory back.
type Handle = RefCell<Option<Run>>;

/// `asked`: `n_domains`, `seed`, `device`, `published`, `impute`.
/// @noRd
#[extendr]
fn core_run_new(system: Robj, tissue: Robj, options: Robj, asked: Robj) -> Robj {
    guard(|| {
        let tissue: &Tissue = pointer(&tissue, "tissue")?;
        let asked = self::asked(&asked)?;
        let opened = open(&system, &options, &asked.0, tissue)?;
        let settings = Settings::new(&asked.0, asked.1, &opened.domains);
        let run = Run::new(tissue.clone(), opened.system, settings);
        Ok(ExternalPtr::new(Handle::new(Some(run))).into())
    })
}

/// What is asked for, and the device.
fn asked(list: &Robj) -> Result<(Asked, String)> {
    let told = Options::new(list)?;
    let asked = Asked {
        n_domains: told.count("n_domains")?,
        seed: seed(told.get("seed")?)?,
        published: told.flag("published")?,
        impute: told.flag("impute")?,
    };
    Ok((asked, told.string("device")?.to_owned()))
}

fn open(system: &Robj, options: &Robj, asked: &Asked, tissue: &Tissue) -> Result<Opened> {
    let entry = systems::find(string(system, "system")?)?;
    (entry.open)(&json::from_r(options)?, asked, tissue)
}

/// Runs `work` on a run that has not been freed.
fn with_run<T>(run: &Robj, work: impl FnOnce(&mut Run) -> Result<T>) -> Result<T> {
    let busy = |_| Error::Internal("the run is in use".into());
    let handle: &Handle = pointer(run, "run")?;
    match handle.try_borrow_mut().map_err(busy)?.as_mut() {
        Some(run) => work(run),
        None => Err(Error::Internal(
            "this run has ended, and its memory is given back: make it anew".into(),
        )),
    }
}

/// What comes next.
fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Labels => "labels",
        other => other.name(),
    }
}

/// @noRd
#[extendr]
fn core_run_stage(run: Robj) -> Robj {
    guard(|| with_run(&run, |run| Ok(word(run.stage()).into())))
}

/// Does the next stage, while R's thread waits and calls `show(stage, done, total, note)`. `parts`: see
/// parts.rs; only the first stage looks at them.
/// @noRd
#[extendr]
fn core_run_advance(run: Robj, parts: Robj, show: Robj) -> Robj {
    guard(|| {
        let given = Given::read_all(&parts)?;
        let parts = given.iter().map(Given::part).collect::<Result<Vec<_>>>()?;
        with_run(&run, |run| {
            wait::showing(&show, || run.advance(&parts))?;
            Ok(word(run.stage()).into())
        })
    })
}

/// What the system says of its stages, where it trains, and why not on a GPU; the last losses in words.
/// @noRd
#[extendr]
fn core_run_describe(run: Robj) -> Robj {
    guard(|| {
        with_run(&run, |run| {
            let place = run.place();
            Ok(list!(
                system = json::to_r(&run.system().describe()),
                device = place.map(|p| p.name.clone()),
                note = place.and_then(|p| p.note.clone()),
                losses = run.last_losses(),
                quality = match run.predicted() {
                    Some(predicted) => json::to_r(&predicted.describe()),
                    None => ().into(),
                }
            )
            .into())
        })
    })
}

/// The columns that the run wants labels for, and the seed to find them by.
/// @noRd
#[extendr]
fn core_run_columns(run: Robj) -> Robj {
    guard(|| {
        with_run(&run, |run| {
            let seed = run.label_seed() as i64 as f64;
            let columns = wait::alone(move || run.columns())?;
            Ok(list!(x = to_matrix(columns.view()), seed = seed).into())
        })
    })
}

/// @noRd
#[extendr]
fn core_run_labels(run: Robj, labels: Robj) -> Robj {
    guard(|| {
        let labels = self::labels(&labels, "labels")?;
        with_run(&run, |run| {
            wait::alone(|| run.give_labels(labels))?;
            Ok(word(run.stage()).into())
        })
    })
}

/// Domains of several numbers from what the run's system predicts, and what speaks for each: a list a number.
/// @noRd
#[extendr]
fn core_run_choose(run: Robj, numbers: Robj, starts: Robj, seed: Robj, show: Robj) -> Robj {
    guard(|| {
        let numbers: Vec<usize> = integers(&numbers, "n.domains")?
            .iter()
            .map(|&k| k.max(0) as usize)
            .collect();
        let (starts, seed) = (count(&starts, "starts")?, self::seed(&seed)?);
        with_run(&run, |run| {
            let early = || Error::Internal("the run has predicted nothing".into());
            let predicted = run.predicted().ok_or_else(early)?;
            let tissue = run.tissue();
            let found = wait::showing(&show, || choose(predicted, tissue, &numbers, starts, seed))?;
            let choice = |c: &Choice| {
                let list = list!(
                    k = c.k as i32,
                    domains = from_zero_based(&c.domains),
                    separation = c.separation,
                    r2 = c.r2,
                    agreement = c.agreement,
                    weakest = c.weakest
                );
                Robj::from(list)
            };
            Ok(List::from_values(found.iter().map(choice)).into())
        })
    })
}

/// Embedding and more.
fn found_to_r(found: &Found) -> (Robj, Robj) {
    let more = found.more.iter().map(|(name, arrays)| {
        let arrays = arrays.iter().map(|x| to_matrix(x.view()));
        (*name, Robj::from(List::from_values(arrays)))
    });
    let more: Vec<_> = more.collect();
    (
        to_matrix(found.embedding.view()),
        List::from_pairs(more).into(),
    )
}

/// Everything that the run found; the model as safetensors bytes.
/// @noRd
#[extendr]
fn core_run_result(run: Robj) -> Robj {
    guard(|| {
        with_run(&run, |run| {
            let (embedding, more) = found_to_r(run.found()?);
            let (history, losses) = (run.history(), run.losses()?);
            let rows = RMatrix::new_matrix(history.len(), losses.len(), |row, column| {
                history[row][column]
            });
            Ok(list!(
                embedding = embedding,
                more = more,
                domains = from_zero_based(run.domains()),
                confidence = run
                    .confidence()
                    .map_or_else(|| ().into(), |sure| Robj::from(sure.to_vec())),
                losses = losses,
                history = rows,
                model = Robj::from(Raw::from_bytes(&run.model().write(None)?))
            )
            .into())
        })
    })
}

/// New cells through a trained model: `tensors`, its safetensors bytes; `how`: `centre` and `refine`; the rest as for a
/// run.
/// @noRd
#[extendr]
fn core_predict(
    system: Robj,
    tissue: Robj,
    options: Robj,
    asked: Robj,
    tensors: Robj,
    parts: Robj,
    how: Robj,
) -> Robj {
    guard(|| {
        let tissue: &Tissue = pointer(&tissue, "tissue")?;
        let opened = open(&system, &options, &self::asked(&asked)?.0, tissue)?;
        let model = Tensors::read(raw(&tensors)?)?;
        let given = Given::read_all(&parts)?;
        let parts = given.iter().map(Given::new_part);
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let told = Options::new(&how)?;
        let how = How {
            scaling: scaling_named(told.string("centre")?)?,
            source: opened.domains.domains_from,
            refine: told.count("refine")?,
        };
        let found = wait::showing(&Robj::default(), || {
            predict(opened.system.as_ref(), &model, &parts, tissue, how)
        })?;
        let (embedding, more) = found_to_r(&found.found);
        Ok(list!(
            embedding = embedding,
            more = more,
            domains = from_zero_based(&found.domains)
        )
        .into())
    })
}

fn scaling_named(name: &str) -> Result<Scaling> {
    match name {
        "model" => Ok(Scaling::Learnt),
        "slice" => Ok(Scaling::Own),
        _ => Err(expected("centre", "\"model\" or \"slice\"")),
    }
}

/// @noRd
#[extendr]
fn core_run_free(run: Robj) -> Robj {
    guard(|| {
        let handle: &Handle = pointer(&run, "run")?;
        drop(handle.try_borrow_mut().map(|mut slot| slot.take()));
        Ok(().into())
    })
}

/// The embedding `x` of all cells (cells x columns) as a run on them would leave it: without what tells their slices apart; NULL
/// where the options leave it as it is. `domains` has the domain of each cell from 1, or is NULL.
/// @noRd
#[extendr]
fn core_mixed(
    system: Robj,
    tissue: Robj,
    options: Robj,
    asked: Robj,
    x: Robj,
    domains: Robj,
) -> Robj {
    guard(|| {
        let tissue: &Tissue = pointer(&tissue, "tissue")?;
        let asked = self::asked(&asked)?;
        let opened = open(&system, &options, &asked.0, tissue)?;
        if !Settings::new(&asked.0, asked.1, &opened.domains).mixes(tissue) {
            return Ok(().into());
        }
        let x = finite_f32(&x, "embedding")?;
        let domains = match domains.is_null() {
            true => Vec::new(),
            false => labels(&domains, "domains")?,
        };
        let found = wait::alone(|| mixed(x.view(), tissue, &domains))?;
        Ok(to_matrix(found.view()))
    })
}

extendr_module! {
    mod run;
    fn core_run_new;
    fn core_run_stage;
    fn core_run_advance;
    fn core_run_describe;
    fn core_run_columns;
    fn core_run_labels;
    fn core_run_choose;
    fn core_run_result;
    fn core_predict;
    fn core_mixed;
    fn core_run_free;
}
