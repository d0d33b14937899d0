//! A trained model: its arrays, what it makes of further cells, and its file.

use extendr_api::prelude::*;
use ndarray::{Array1, Array2, ArrayD};
use serde_json::Value;
use spax_core::cluster::Classifier;
use spax_core::engine::model_file;
use spax_core::engine::tensors::Tensors;
use spax_core::preprocess::{Features, Projection, Scaling};
use spax_core::systems::spacross::Encoder;
use spax_core::Result;

use crate::convert::{
    count, doubles, expected, finite_f32, flags, from_zero_based, labels, list, matrix, pointer,
    to_matrix, Options,
};
use crate::counts::view;
use crate::error::guard;
use crate::graph::SpatialGraph;
use crate::json;
use crate::wait;

/// R's named list of double vectors and matrices.
pub fn tensors(x: &Robj) -> Result<Tensors> {
    let mut all = Tensors::default();
    for (name, value) in list(x, "tensors")?.iter() {
        let array = match value.dim() {
            Some(_) => matrix(value, name)?.to_owned().into_dyn(),
            None => Array1::from_vec(doubles(value, name)?.to_vec()).into_dyn(),
        };
        all.insert(name, array);
    }
    Ok(all)
}

/// R's named list of the arrays.
pub fn to_list(tensors: &Tensors) -> Robj {
    let pairs: Vec<(&String, Robj)> = tensors.iter().map(|(n, a)| (n, to_r(a))).collect();
    List::from_pairs(pairs).into()
}

fn to_r(array: &ArrayD<f64>) -> Robj {
    match array.view().into_dimensionality() {
        Ok(matrix) => to_matrix(matrix),
        Err(_) => array.iter().collect_robj(),
    }
}

fn raw(x: &Robj) -> Result<&[u8]> {
    x.as_raw_slice()
        .ok_or_else(|| expected("tensors", "a raw vector"))
}

fn to_raw(bytes: &[u8]) -> Robj {
    Raw::from_bytes(bytes).into()
}

/// @noRd
#[extendr]
fn core_tensors_write(tensors: Robj) -> Robj {
    guard(|| Ok(to_raw(&self::tensors(&tensors)?.write(None)?)))
}

/// @noRd
#[extendr]
fn core_tensors_read(bytes: Robj) -> Robj {
    guard(|| Ok(to_list(&Tensors::read(raw(&bytes)?)?)))
}

/// @noRd
#[extendr]
fn core_model_write(bytes: Robj, document: Robj) -> Robj {
    guard(|| {
        let tensors = Tensors::read(raw(&bytes)?)?;
        Ok(to_raw(&model_file::write(
            &tensors,
            &json::from_r(&document)?,
        )?))
    })
}

/// @noRd
#[extendr]
fn core_model_read(bytes: Robj) -> Robj {
    guard(|| {
        let (tensors, document): (Tensors, Value) = model_file::read(raw(&bytes)?)?;
        let tensors = to_raw(&tensors.write(None)?);
        Ok(list!(document = json::to_r(&document), tensors = tensors).into())
    })
}

/// @noRd
#[extendr]
fn core_features_projection(features: Robj) -> Robj {
    guard(|| {
        let features: &Features = pointer(&features, "features")?;
        Ok(projection_to_r(features.projection.as_ref()))
    })
}

/// R's list of the parts, genes counted from 1; NULL for none.
pub fn projection_to_r(projection: Option<&Projection>) -> Robj {
    let Some(p) = projection else {
        return ().into();
    };
    let optional =
        |x: &Option<Array2<f64>>| -> Robj { x.as_ref().map_or(().into(), |x| to_matrix(x.view())) };
    list!(
        kept = from_zero_based(&p.kept),
        genes = from_zero_based(&p.genes),
        mean = p.mean.as_slice(),
        scale = p.scale.as_slice(),
        rotation = optional(&p.rotation),
        turn = optional(&p.turn)
    )
    .into()
}

/// The parts of R's list, for counts of so many genes.
pub fn projection(x: &Robj, n_kept: usize) -> Result<Projection> {
    let parts = list(x, "projection")?;
    let get = |name: &str| parts.get(name).cloned().unwrap_or_default();
    let optional = |name: &str| -> Result<Option<Array2<f64>>> {
        let given = get(name);
        match given.is_null() {
            true => Ok(None),
            false => Ok(Some(matrix(&given, name)?.to_owned())),
        }
    };
    Ok(Projection {
        kept: (0..n_kept as u32).collect(),
        genes: labels(&get("genes"), "genes")?,
        mean: doubles(&get("mean"), "mean")?.to_vec(),
        scale: doubles(&get("scale"), "scale")?.to_vec(),
        rotation: optional("rotation")?,
        turn: optional("turn")?,
    })
}

pub fn scaling_named(name: &str) -> Result<Scaling> {
    match name {
        "model" => Ok(Scaling::Learnt),
        "slice" => Ok(Scaling::Own),
        _ => Err(expected("centre", "\"model\" or \"slice\"")),
    }
}

/// @noRd
#[extendr]
fn core_project(
    p: Robj,
    i: Robj,
    x: Robj,
    projection: Robj,
    present: Robj,
    settings: Robj,
    threads: Robj,
) -> Robj {
    guard(|| {
        let present = flags(&present, "present")?;
        let n_kept = present.len();
        let counts = view(&p, &i, &x, &Robj::from(n_kept as i32))?;
        let projection = self::projection(&projection, n_kept)?;
        let settings = Options::new(&settings)?;
        let scaling = scaling_named(settings.string("centre")?)?;
        let how = (settings.number("target_sum")?, settings.flag("log1p")?);
        let features = wait::on(&threads, || {
            projection.features(&counts, &present, scaling, how)
        })?;
        Ok(ExternalPtr::new(features).into())
    })
}

/// @noRd
#[extendr]
fn core_spacross_embed(tensors: Robj, features: Robj, graph: Robj, threads: Robj) -> Robj {
    guard(|| {
        let encoder = Encoder::from_tensors(&self::tensors(&tensors)?)?;
        let features: &Features = pointer(&features, "features")?;
        let graph: &SpatialGraph = pointer(&graph, "graph")?;
        let embedding: Array2<f32> = wait::on(&threads, || {
            encoder.embed_cells(features, &graph.graph, &graph.order)
        })?;
        Ok(to_matrix(embedding.view()))
    })
}

/// @noRd
#[extendr]
fn core_rule_fit(x: Robj, labels: Robj, k: Robj, threads: Robj) -> Robj {
    guard(|| {
        let x = finite_f32(&x, "object")?;
        let labels = self::labels(&labels, "labels")?;
        let k = count(&k, "n.domains")?;
        let rule = wait::on(&threads, || Classifier::fit(x.view(), &labels, k))?;
        let bias = rule.bias.to_vec();
        Ok(list!(weight = to_matrix(rule.weight.view()), bias = bias).into())
    })
}

/// @noRd
#[extendr]
fn core_rule_labels(x: Robj, weight: Robj, bias: Robj) -> Robj {
    guard(|| {
        let rule = Classifier {
            weight: matrix(&weight, "weight")?.to_owned(),
            bias: Array1::from_vec(doubles(&bias, "bias")?.to_vec()),
        };
        let x = finite_f32(&x, "object")?;
        let labels = wait::alone(|| rule.labels(x.view()))?;
        Ok(from_zero_based(&labels))
    })
}

extendr_module! {
    mod model;
    fn core_tensors_write;
    fn core_tensors_read;
    fn core_model_write;
    fn core_model_read;
    fn core_features_projection;
    fn core_project;
    fn core_spacross_embed;
    fn core_rule_fit;
    fn core_rule_labels;
}
