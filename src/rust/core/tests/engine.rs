//! Runs of the engine: what they find is what their parts find, and how they stop and go on.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::Device;
use ndarray::Array2;
use serde_json::{json, Value};
use spax_core::cluster::{gaussian_mixture, MixtureSettings};
use spax_core::design::Input;
use spax_core::engine::{predict, Asked, How, NewPart, Part, Run, Settings, Stage, Tissue, Values};
use spax_core::preprocess::{prepare, ModalityKind, Scaling};
use spax_core::progress::{self, Progress};
use spax_core::rng::{Purpose, Rng};
use spax_core::slices::Slices;
use spax_core::sparse::CountsView;
use spax_core::systems::{self, spacross, spacross::Trainer};
use spax_core::{threads, Error};

use common::Slots;

const CELLS: usize = 300;
const GENES: usize = 40;
const DOMAINS: usize = 3;

/// Three stripes of tissue with genes of their own.
struct Made {
    coords: Array2<f64>,
    counts: Slots,
}

fn made() -> Made {
    let mut rng = Rng::new(5, Purpose::Data, 0);
    let coords = Array2::from_shape_fn((CELLS, 2), |_| rng.uniform() * 3.0);
    let counts = Array2::from_shape_fn((CELLS, GENES), |(cell, gene)| {
        let own = coords[[cell, 0]] as usize == gene % DOMAINS;
        (rng.uniform() * if own { 12.0 } else { 4.0 }).floor()
    });
    Made {
        coords,
        counts: Slots::new(&counts),
    }
}

impl Made {
    fn counts(&self) -> CountsView<'_> {
        self.counts.view()
    }

    fn part(&self) -> Part<'_> {
        Part {
            name: "counts".into(),
            kind: ModalityKind::Rna,
            values: Values::Counts(self.counts()),
        }
    }

    fn tissue(&self, n_threads: usize) -> Arc<Tissue> {
        let coords = self.coords.clone();
        Arc::new(Tissue::new(coords, Slices::one(CELLS), true, n_threads).unwrap())
    }

    fn run(&self, system: &str, options: Value, n_threads: usize) -> Run {
        let tissue = self.tissue(n_threads);
        let opened = (systems::find(system).unwrap().open)(&options, &asked(), &tissue).unwrap();
        let settings = Settings::new(&asked(), "cpu", &opened.domains);
        Run::new(tissue, opened.system, settings)
    }
}

fn asked() -> Asked {
    Asked {
        n_domains: DOMAINS,
        seed: 7,
        published: false,
        impute: false,
    }
}

fn to_the_end(run: &mut Run, parts: &[Part]) {
    while run.stage() != Stage::Done {
        run.advance(parts).unwrap();
    }
}

#[test]
fn a_run_finds_what_its_parts_find() {
    let made = made();
    let given = json!({ "epochs": 4, "domains_from": "embedding" });
    let mut run = made.run("spacross", given.clone(), 2);
    to_the_end(&mut run, &[made.part()]);

    let options: spacross::Options = spax_core::options::parse(&given).unwrap();
    let tissue = made.tissue(1);
    let features = prepare(&made.counts(), &options.features()).unwrap();
    let graph = tissue.graph(spax_core::engine::Join::Nearest(options.graph.k), false);
    let order = tissue.order().unwrap().to_vec();
    let params = options.network.check(CELLS, DOMAINS).unwrap();
    let mut trainer = Trainer::new(
        Input::from(&features),
        &graph.unwrap(),
        order,
        params,
        7,
        1,
        &Device::Cpu,
    )
    .unwrap();
    trainer.steps(4).unwrap();
    let embedding = trainer.embedding().unwrap();
    assert_eq!(run.found().unwrap().embedding, embedding);
    let settings = MixtureSettings {
        starts: 20,
        seed: 7,
        ..MixtureSettings::default()
    };
    let labels = gaussian_mixture(embedding.view(), DOMAINS, &settings).unwrap();
    let pairs: std::collections::BTreeSet<_> = labels.labels.iter().zip(run.domains()).collect();
    assert_eq!(pairs.len(), DOMAINS);
}

#[test]
fn threads_do_not_show() {
    let made = made();
    let options = json!({ "epochs": 6, "update_every": 2 });
    let mut whole = made.run("spacross", options.clone(), 1);
    to_the_end(&mut whole, &[made.part()]);
    let mut again = made.run("spacross", options, 2);
    to_the_end(&mut again, &[made.part()]);
    assert_eq!(
        whole.found().unwrap().embedding,
        again.found().unwrap().embedding
    );
    assert_eq!(whole.domains(), again.domains());
    assert_eq!(whole.model(), again.model());
    assert_eq!(whole.history().len(), 6);
}

/// Through a checkpoint after `block` epochs, from which another run goes on.
fn broken_off(made: &Made, options: &Value, block: usize) -> Run {
    let mut first = made.run("spacross", options.clone(), 2);
    first.set_block(Some(block));
    while first.stage() != Stage::Train {
        first.advance(&[made.part()]).unwrap();
    }
    first.advance(&[]).unwrap();
    let saved = first.checkpoint().unwrap().write(None).unwrap();
    let mut second = made.run("spacross", options.clone(), 1);
    while second.stage() != Stage::Train {
        second.advance(&[made.part()]).unwrap();
    }
    let saved = spax_core::engine::tensors::Tensors::read(&saved).unwrap();
    second.resume(&saved).unwrap();
    to_the_end(&mut second, &[]);
    second
}

#[test]
fn a_training_that_was_broken_off_goes_on_to_the_same_bytes() {
    let made = made();
    for momentum in [0.0, 0.9] {
        let options =
            json!({ "epochs": 9, "update_every": 2, "momentum": momentum, "dropout": 0.2 });
        let mut whole = made.run("spacross", options.clone(), 2);
        to_the_end(&mut whole, &[made.part()]);
        let again = broken_off(&made, &options, 4);
        assert_eq!(
            whole.found().unwrap().embedding,
            again.found().unwrap().embedding
        );
        assert_eq!(whole.domains(), again.domains());
        let losses = |run: &Run| -> Vec<Vec<u64>> {
            let bits = |row: &Vec<f64>| row.iter().map(|l| (*l as f32).to_bits().into()).collect();
            run.history().iter().map(bits).collect()
        };
        assert_eq!(losses(&whole), losses(&again));
    }
}

#[test]
fn a_training_is_kept_only_where_it_can_go_on() {
    let made = made();
    let mut run = made.run("spacross", json!({ "epochs": 9, "update_every": 2 }), 1);
    assert!(run.checkpoint().is_err());
    run.set_block(Some(3));
    while run.stage() != Stage::Train {
        run.advance(&[made.part()]).unwrap();
    }
    run.advance(&[]).unwrap();
    let refused = run.checkpoint();
    assert!(
        matches!(refused, Err(Error::Argument { .. })),
        "{refused:?}"
    );
}

#[test]
fn several_trainings_agree_on_domains_and_the_first_is_kept() {
    let made = made();
    let one = json!({ "epochs": 3 });
    let mut first = made.run("spacross", one, 2);
    to_the_end(&mut first, &[made.part()]);
    let mut run = made.run("spacross", json!({ "epochs": 3, "consensus": 3 }), 2);
    to_the_end(&mut run, &[made.part()]);
    assert_eq!(
        run.found().unwrap().embedding,
        first.found().unwrap().embedding
    );
    assert_eq!(
        run.model().vector("rule.centre").unwrap(),
        first.model().vector("rule.centre").unwrap()
    );
    let trained = run.seconds().iter().filter(|(stage, _)| *stage == "train");
    assert_eq!(trained.count(), 3);
}

#[test]
fn the_plain_baseline_runs_and_labels_its_own_cells_again() {
    let made = made();
    let mut run = made.run("baseline", json!({}), 2);
    to_the_end(&mut run, &[made.part()]);
    assert!(run.history().is_empty());
    let described = run.system().describe();
    let numbers = |name: &str| -> Vec<u32> {
        let list = described[name].as_array().unwrap();
        list.iter().map(|v| v.as_u64().unwrap() as u32).collect()
    };
    let new = NewPart {
        part: made.part(),
        genes: numbers("kept_genes"),
        present: vec![true; numbers("kept").len()],
    };
    let how = How {
        scaling: Scaling::Learnt,
        source: spax_core::options::DomainSource::Smoothed,
        refine: 0,
    };
    let found = predict(run.system(), run.model(), &[new], &made.tissue(1), how).unwrap();
    let same = found.domains.iter().zip(run.domains());
    let same = same.filter(|(a, b)| a == b).count();
    assert!(same as f64 > 0.97 * CELLS as f64, "{same}");
}

/// From the moment it is cancelled until it has ended.
fn time_to_stop(run: &mut Run) -> Duration {
    let progress = Progress::new();
    let cancel = progress.clone();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        cancel.cancel();
        Instant::now()
    });
    let outcome = progress::with(progress, || run.advance(&[]));
    let ended = Instant::now();
    assert!(matches!(outcome, Err(Error::Interrupted)));
    assert_eq!(run.stage(), Stage::Train);
    ended - stopper.join().unwrap()
}

#[test]
fn a_cancelled_training_ends_soon_and_the_run_can_train_again() {
    let made = made();
    let mut run = made.run("spacross", json!({ "epochs": 1_000_000 }), 2);
    while run.stage() != Stage::Train {
        run.advance(&[made.part()]).unwrap();
    }
    // A busy machine may be slow for some time.
    let times: Vec<Duration> = (0..8).map(|_| time_to_stop(&mut run)).collect();
    let soon = times.iter().filter(|t| **t < Duration::from_millis(200));
    assert!(soon.count() > 0, "{times:?}");
    assert!(threads::install(2, progress::check).is_ok());
}

#[test]
fn a_name_that_no_system_has_and_an_option_that_there_is_not_are_errors() {
    let made = made();
    assert!(systems::find("abacus").is_err());
    let open = systems::find("spalora").unwrap().open;
    let wrong = open(&json!({ "mask_rate": 0.5 }), &asked(), &made.tissue(1));
    assert!(wrong.is_err());
}
