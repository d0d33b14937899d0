//! SpaLORA: its defaults, and a trainer that R steps.

use std::cell::RefCell;

use extendr_api::prelude::*;
use ndarray::{Array2, ArrayView2};
use spax_core::graph::Graph;
use spax_core::preprocess::Modality;
use spax_core::systems::spalora::memory::{
    estimate, estimate_on_device, estimate_on_host, Part, Size,
};
use spax_core::systems::spalora::{
    Embedding, Encoder, EpochLosses, GeneWeights, Init, Params, Sees, Trainer,
};
use spax_core::{device, Error, Result};

use crate::convert::{count, items, pointer, seed, string, to_matrix, Options};
use crate::error::guard;
use crate::graph::SpatialGraph;
use crate::model;
use crate::place::place;
use crate::wait;

/// None once R has given the memory back.
type Handle = RefCell<Option<Trainer>>;

const WEIGHTS: [(&str, GeneWeights); 3] = [
    ("rank", GeneWeights::Rank),
    ("published", GeneWeights::Published),
    ("none", GeneWeights::None),
];

const INITS: [(&str, Init); 2] = [("components", Init::Components), ("random", Init::Random)];

const INPUTS: [(&str, Sees); 2] = [("components", Sees::Components), ("genes", Sees::Genes)];

fn weights_named(name: &str) -> Result<GeneWeights> {
    let found = WEIGHTS.iter().find(|(known, _)| *known == name);
    found.map(|(_, weights)| *weights).ok_or_else(|| {
        Error::argument(
            "weights",
            "`weights` must be \"rank\", \"published\" or \"none\"",
        )
    })
}

fn name_of(weights: GeneWeights) -> &'static str {
    let found = WEIGHTS.iter().find(|(_, known)| *known == weights);
    found.map_or("none", |(name, _)| name)
}

fn sees_named(name: &str) -> Result<Sees> {
    let found = INPUTS.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, sees)| *sees)
        .ok_or_else(|| Error::argument("input", "`input` must be \"components\" or \"genes\""))
}

fn init_named(name: &str) -> Result<Init> {
    let found = INITS.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, init)| *init)
        .ok_or_else(|| Error::argument("init", "`init` must be \"components\" or \"random\""))
}

/// The options of the network.
///
/// @noRd
#[extendr]
fn core_spalora_defaults() -> Robj {
    guard(|| {
        let p = Params::default();
        Ok(list!(
            latent = p.latent as i32,
            w_recon = p.w_recon,
            w_cross = p.w_cross,
            weights = name_of(p.weights),
            input = INPUTS
                .iter()
                .find(|(_, sees)| *sees == p.sees)
                .map_or("genes", |(name, _)| name),
            init = INITS
                .iter()
                .find(|(_, init)| *init == p.init)
                .map_or("random", |(name, _)| name),
            learning_rate = p.learning_rate,
            weight_decay = p.weight_decay,
            epochs = p.epochs as i32
        )
        .into())
    })
}

fn params(list: &Robj) -> Result<Params> {
    let o = Options::new(list)?;
    Ok(Params {
        latent: o.count("latent")?,
        w_recon: o.numbers("w_recon")?,
        w_cross: o.numbers("w_cross")?,
        weights: weights_named(o.string("weights")?)?,
        sees: sees_named(o.string("input")?)?,
        init: init_named(o.string("init")?)?,
        learning_rate: o.number("learning_rate")?,
        weight_decay: o.number("weight_decay")?,
        epochs: o.count("epochs")?,
    })
}

fn pointers<'a, T: 'static>(list: &'a [Robj], what: &str) -> Result<Vec<&'a T>> {
    list.iter().map(|x| pointer(x, what)).collect()
}

/// @noRd
#[extendr]
fn core_spalora_place(modalities: Robj, n_edges: Robj, options: Robj, device: Robj) -> Robj {
    guard(|| {
        let list = items(&modalities, "modalities")?;
        let modalities: Vec<&Modality> = pointers(&list, "modality")?;
        let params = params(&options)?;
        let size = Size {
            n_cells: modalities.first().map_or(0, |m| m.features.dim().0),
            n_edges: count(&n_edges, "n_edges")?,
            parts: modalities.iter().map(|m| Part::of(m, &params)).collect(),
        };
        place(
            string(&device, "device")?,
            estimate_on_device(&size, &params),
            [estimate(&size, &params), estimate_on_host(&size)],
        )
    })
}

/// @noRd
#[extendr]
fn core_spalora_new(
    modalities: Robj,
    spatial: Robj,
    similar: Robj,
    options: Robj,
    seed: Robj,
    threads: Robj,
    device: Robj,
) -> Robj {
    guard(|| {
        let modalities = items(&modalities, "modalities")?;
        let similar = items(&similar, "similar")?;
        let modalities: Vec<&Modality> = pointers(&modalities, "modality")?;
        let graphs: Vec<&SpatialGraph> = pointers(&similar, "graph")?;
        let graphs: Vec<&Graph> = graphs.iter().map(|g| &g.graph).collect();
        let spatial: &SpatialGraph = pointer(&spatial, "graph")?;
        let trainer = Trainer::new(
            &modalities,
            &spatial.graph,
            &graphs,
            spatial.order.clone(),
            params(&options)?.check(modalities.len())?,
            self::seed(&seed)?,
            count(&threads, "threads")?,
            &device::find(string(&device, "device")?)?,
        )?;
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
fn core_spalora_step(trainer: Robj, n: Robj) -> Robj {
    guard(|| {
        let n = count(&n, "n")?;
        let losses = with_trainer(&trainer, |trainer| trainer.steps(n))?;
        let rows: Vec<f64> = losses.iter().flat_map(loss_row).collect();
        let width = rows.len() / n.max(1);
        let table = ArrayView2::from_shape((n, width), &rows)
            .map_err(|e| Error::Internal(e.to_string()))?;
        Ok(to_matrix(table))
    })
}

/// Epoch, total, then the reconstruction and the consistency of every modality.
fn loss_row(losses: &EpochLosses) -> Vec<f64> {
    let mut row = vec![losses.epoch as f64, losses.total.into()];
    row.extend(losses.reconstruction.iter().map(|&l| f64::from(l)));
    row.extend(losses.cross.iter().map(|&l| f64::from(l)));
    row
}

/// @noRd
#[extendr]
fn core_spalora_embedding(trainer: Robj) -> Robj {
    guard(|| {
        let found = with_trainer(&trainer, |trainer| trainer.embedding())?;
        Ok(embedding_to_r(&found))
    })
}

fn embedding_to_r(found: &Embedding) -> Robj {
    let matrices = |list: &[Array2<f32>]| {
        let each = list.iter().map(|x| to_matrix(x.view()));
        Robj::from(List::from_values(each))
    };
    list!(
        joint = to_matrix(found.joint.view()),
        modality = matrices(&found.modality),
        across = to_matrix(found.across.view()),
        within = matrices(&found.within)
    )
    .into()
}

/// Encoders and attention, as named arrays.
///
/// @noRd
#[extendr]
fn core_spalora_weights(trainer: Robj) -> Robj {
    guard(|| {
        let tensors = with_trainer(&trainer, |trainer| trainer.encoder()?.tensors())?;
        Ok(model::to_list(&tensors))
    })
}

/// @noRd
#[extendr]
fn core_spalora_embed(
    tensors: Robj,
    modalities: Robj,
    spatial: Robj,
    similar: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let modalities = items(&modalities, "modalities")?;
        let similar = items(&similar, "similar")?;
        let modalities: Vec<&Modality> = pointers(&modalities, "modality")?;
        let graphs: Vec<&SpatialGraph> = pointers(&similar, "graph")?;
        let graphs: Vec<&Graph> = graphs.iter().map(|g| &g.graph).collect();
        let spatial: &SpatialGraph = pointer(&spatial, "graph")?;
        let encoder = Encoder::from_tensors(&model::tensors(&tensors)?, modalities.len())?;
        let found = wait::on(&threads, || {
            encoder.embed_cells(&modalities, &spatial.graph, &graphs, &spatial.order)
        })?;
        Ok(embedding_to_r(&found))
    })
}

/// @noRd
#[extendr]
fn core_spalora_free(trainer: Robj) -> Robj {
    guard(|| {
        let handle: &Handle = pointer(&trainer, "trainer")?;
        drop(handle.try_borrow_mut().map(|mut slot| slot.take()));
        Ok(().into())
    })
}

extendr_module! {
    mod spalora;
    fn core_spalora_defaults;
    fn core_spalora_place;
    fn core_spalora_new;
    fn core_spalora_step;
    fn core_spalora_embedding;
    fn core_spalora_weights;
    fn core_spalora_embed;
    fn core_spalora_free;
}
