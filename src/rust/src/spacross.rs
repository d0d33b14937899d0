//! SpaCross: its defaults, and a trainer that R steps.

use std::cell::RefCell;

use extendr_api::prelude::*;
use ndarray::Array2;
use spax_core::design::Input;
use spax_core::preprocess::{Features, Settings};
use spax_core::systems::spacross::memory::{estimate, estimate_on_device, estimate_on_host, Size};
use spax_core::systems::spacross::{Contrast, EpochLosses, Params, Trainer};
use spax_core::{device, threads, Error, Result};

use crate::convert::{count, pointer, seed, string, to_matrix, Options};
use crate::error::guard;
use crate::graph::SpatialGraph;
use crate::model::to_list;
use crate::place::place;

/// Neighbours of the spatial graph on a Visium grid (METHODS 1.2).
const NEIGHBOURS: i32 = 12;

/// None once R has given the memory back.
type Handle = RefCell<Option<Trainer>>;

const CONTRASTS: [(&str, Contrast); 3] = [
    ("node", Contrast::Node),
    ("all_pairs", Contrast::AllPairs),
    ("none", Contrast::Off),
];

fn contrast_named(name: &str) -> Result<Contrast> {
    let found = CONTRASTS.iter().find(|(known, _)| *known == name);
    found.map(|(_, contrast)| *contrast).ok_or_else(|| {
        Error::argument(
            "contrast",
            "`contrast` must be \"node\", \"all_pairs\" or \"none\"",
        )
    })
}

fn name_of(contrast: Contrast) -> &'static str {
    let found = CONTRASTS.iter().find(|(_, known)| *known == contrast);
    found.map_or("none", |(name, _)| name)
}

/// @noRd
#[extendr]
fn core_spacross_defaults() -> Robj {
    guard(|| {
        let (s, p) = (Settings::default(), Params::default());
        let pairs: Vec<(&str, Robj)> = vec![
            ("n_genes", (s.n_genes as i32).into()),
            ("min_cells", (s.min_cells as i32).into()),
            ("min_counts", (s.min_counts as i32).into()),
            ("target_sum", s.target_sum.into()),
            ("log1p", s.log1p.into()),
            ("slice_center", "mean".into()),
            ("n_components", (s.n_components as i32).into()),
            ("k", NEIGHBOURS.into()),
            ("radius", ().into()),
            ("hidden1", (p.hidden1 as i32).into()),
            ("hidden2", (p.hidden2 as i32).into()),
            ("gcn_hidden", (p.gcn_hidden as i32).into()),
            ("latent", (p.latent as i32).into()),
            ("project", (p.project as i32).into()),
            ("dropout", p.dropout.into()),
            ("mask_rate", p.mask_rate.into()),
            ("replace_rate", p.replace_rate.into()),
            ("momentum", p.momentum.into()),
            ("sharpness", p.sharpness.into()),
            ("w_recon", p.w_recon.into()),
            ("w_consistency", p.w_consistency.into()),
            ("w_contrast", p.w_contrast.into()),
            ("contrast", name_of(p.contrast).into()),
            ("top_k", (p.top_k as i32).into()),
            ("top_k_inter", (p.top_k_inter as i32).into()),
            ("update_every", (p.update_every as i32).into()),
            ("cluster_test", p.cluster_test.into()),
            ("kmeans_runs", (p.kmeans_runs as i32).into()),
            ("learning_rate", p.learning_rate.into()),
            ("weight_decay", p.weight_decay.into()),
            ("clip_norm", p.clip_norm.into()),
            ("epochs", (p.epochs as i32).into()),
        ];
        Ok(List::from_pairs(pairs).into())
    })
}

/// Options, for the input that `features` holds.
fn params(list: &Robj, features: &Features) -> Result<Params> {
    let o = Options::new(list)?;
    Ok(Params {
        hidden1: o.count("hidden1")?,
        hidden2: o.count("hidden2")?,
        gcn_hidden: o.count("gcn_hidden")?,
        latent: o.count("latent")?,
        project: o.count("project")?,
        dropout: o.number("dropout")?,
        mask_rate: o.number("mask_rate")?,
        replace_rate: o.number("replace_rate")?,
        momentum: o.number("momentum")?,
        sharpness: o.number("sharpness")?,
        w_recon: o.number("w_recon")?,
        w_consistency: o.number("w_consistency")?,
        w_contrast: o.number("w_contrast")?,
        contrast: contrast_named(o.string("contrast")?)?,
        top_k: o.count("top_k")?,
        top_k_inter: o.count("top_k_inter")?,
        update_every: o.count("update_every")?,
        cluster_test: o.flag("cluster_test")?,
        kmeans_runs: o.count("kmeans_runs")?,
        learning_rate: o.number("learning_rate")?,
        weight_decay: o.number("weight_decay")?,
        clip_norm: o.number("clip_norm")?,
        epochs: o.count("epochs")?,
        imputation: features.n_nonzero() > 0,
    })
}

/// @noRd
#[extendr]
fn core_spacross_place(features: Robj, n_edges: Robj, options: Robj, device: Robj) -> Robj {
    guard(|| {
        let features: &Features = pointer(&features, "features")?;
        let (n_cells, n_columns) = features.dim();
        let size = Size {
            n_cells,
            n_columns,
            n_edges: count(&n_edges, "n_edges")?,
            n_nonzero: features.n_nonzero(),
        };
        let params = params(&options, features)?;
        place(
            string(&device, "device")?,
            estimate_on_device(&size, &params),
            [estimate(&size, &params), estimate_on_host(&size, &params)],
        )
    })
}

/// @noRd
#[extendr]
fn core_spacross_new(
    features: Robj,
    graph: Robj,
    options: Robj,
    n_domains: Robj,
    seed: Robj,
    threads: Robj,
    device: Robj,
) -> Robj {
    guard(|| {
        let features: &Features = pointer(&features, "features")?;
        let graph: &SpatialGraph = pointer(&graph, "graph")?;
        let params =
            params(&options, features)?.check(features.dim().0, count(&n_domains, "n_domains")?)?;
        let device = device::find(string(&device, "device")?)?;
        let threads = count(&threads, "threads")?;
        let trainer = Trainer::new(
            threads::install(threads, || Ok(Input::new(features)))?,
            &graph.graph,
            graph.order.clone(),
            params,
            self::seed(&seed)?,
            threads,
            &device,
        )?
        .with_slices(&graph.slices)?;
        Ok(ExternalPtr::new(Handle::new(Some(trainer))).into())
    })
}

/// Runs `work` on a trainer that has not been freed.
fn with_trainer<T>(trainer: &Robj, work: impl FnOnce(&mut Trainer) -> Result<T>) -> Result<T> {
    let busy = |_| Error::Internal("the trainer is in use".into());
    let handle: &Handle = pointer(trainer, "trainer")?;
    match handle.try_borrow_mut().map_err(busy)?.as_mut() {
        Some(trainer) => work(trainer),
        None => Err(Error::Internal(
            "this trainer has ended, and its memory is given back: make it anew".into(),
        )),
    }
}

/// @noRd
#[extendr]
fn core_spacross_step(trainer: Robj, n: Robj) -> Robj {
    guard(|| {
        let n = count(&n, "n")?;
        let losses = with_trainer(&trainer, |trainer| trainer.steps(n))?;
        let rows: Vec<[f64; 5]> = losses.iter().map(loss_row).collect();
        let table = Array2::from(rows);
        Ok(to_matrix(table.view()))
    })
}

/// Epoch, total, reconstruction, consistency, contrast.
fn loss_row(losses: &EpochLosses) -> [f64; 5] {
    [
        losses.epoch as f64,
        losses.total.into(),
        losses.reconstruction.into(),
        losses.consistency.into(),
        losses.contrast.map_or(f64::NAN, f64::from),
    ]
}

/// @noRd
#[extendr]
fn core_spacross_embedding(trainer: Robj) -> Robj {
    guard(|| {
        let embedding = with_trainer(&trainer, |trainer| trainer.embedding())?;
        Ok(to_matrix(embedding.view()))
    })
}

/// @noRd
#[extendr]
fn core_spacross_weights(trainer: Robj) -> Robj {
    guard(|| {
        let weights = with_trainer(&trainer, |trainer| trainer.weights())?;
        Ok(to_list(&weights))
    })
}

/// @noRd
#[extendr]
fn core_spacross_reconstruction(trainer: Robj) -> Robj {
    guard(|| {
        let genes = with_trainer(&trainer, |trainer| trainer.reconstruct())?;
        Ok(to_matrix(genes.view()))
    })
}

/// @noRd
#[extendr]
fn core_spacross_free(trainer: Robj) -> Robj {
    guard(|| {
        let handle: &Handle = pointer(&trainer, "trainer")?;
        drop(handle.try_borrow_mut().map(|mut slot| slot.take()));
        Ok(().into())
    })
}

extendr_module! {
    mod spacross;
    fn core_spacross_defaults;
    fn core_spacross_place;
    fn core_spacross_new;
    fn core_spacross_step;
    fn core_spacross_embedding;
    fn core_spacross_weights;
    fn core_spacross_reconstruction;
    fn core_spacross_free;
}
