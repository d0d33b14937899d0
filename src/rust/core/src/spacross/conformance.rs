//! Held to the published code's numbers, recorded with every random draw (METHODS 3; the files'
//! README says how they were made).
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{safetensors, DType, Device, Tensor, Var};
use ndarray::Array2;
use serde_json::Value;

use super::hybrid::{normalise_rows, select_pairs, Pairs};
use super::mask::Draws;
use super::model::{Block, Decoder, Encoder, EpochDropout, Forward, Model};
use super::trainer::{EpochLosses, Trainer};
use super::{Contrast, Input, Params};
use crate::graph::Graph;
use crate::nn::view::to_vec;
use crate::preprocess::ScaledGenes;
use crate::sparse::Csr;

const TOLERANCE: f64 = 1e-4;

struct Reference {
    tensors: HashMap<String, Tensor>,
    settings: Value,
}

fn folder() -> PathBuf {
    match std::env::var_os("SPAX_CONFORMANCE_DIR") {
        Some(folder) => folder.into(),
        None => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance").into(),
    }
}

impl Reference {
    fn load(name: &str) -> Self {
        let path = |ext: &str| folder().join(format!("{name}.{ext}"));
        let settings = std::fs::read_to_string(path("json")).unwrap();
        Self {
            tensors: safetensors::load(path("safetensors"), &Device::Cpu).unwrap(),
            settings: serde_json::from_str(&settings).unwrap(),
        }
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let tensor = self
            .tensors
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"));
        let tensor = tensor.to_dtype(DType::F32).unwrap();
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn nodes(&self, name: &str) -> Vec<u32> {
        let tensor = self.tensors[name].flatten_all().unwrap();
        let values = tensor.to_vec1::<i64>().unwrap();
        values.into_iter().map(|v| v as u32).collect()
    }

    fn matrix(&self, name: &str) -> Array2<f32> {
        let dims = self.tensors[name].dims2().unwrap();
        Array2::from_shape_vec(dims, self.floats(name)).unwrap()
    }

    fn number(&self, path: &str) -> f64 {
        self.settings.pointer(path).unwrap().as_f64().unwrap()
    }

    fn count(&self, path: &str) -> usize {
        self.number(path) as usize
    }

    fn graph(&self) -> Graph {
        let edges = self
            .nodes("edge_row")
            .into_iter()
            .zip(self.nodes("edge_col"));
        Graph::from_edges(self.count("/n"), edges).unwrap()
    }

    fn params(&self, contrast: Contrast) -> Params {
        Params {
            dropout: 0.0,
            mask_rate: self.number("/config/mask_rate"),
            momentum: self.number("/config/momentum_rate"),
            sharpness: self.number("/config/t"),
            w_recon: self.number("/loss_weights/w_recon"),
            w_consistency: self.number("/loss_weights/w_mean"),
            w_contrast: self.number("/loss_weights/w_tri"),
            learning_rate: self.number("/lr"),
            weight_decay: self.number("/weight_decay"),
            clip_norm: self.number("/clip_norm"),
            imputation: self.settings["imputation"].as_bool().unwrap(),
            contrast,
            ..Params::default()
        }
    }

    fn draws(&self, step: usize, n: usize) -> Draws {
        let nodes = |name: &str| self.nodes(&format!("step{step}.{name}"));
        let negative = match self.tensors.contains_key("step0.dgi_negative") {
            true => nodes("dgi_negative"),
            false => vec![],
        };
        Draws::from_parts(
            n,
            &nodes("mask_nodes"),
            &nodes("token_nodes"),
            &nodes("noise_nodes"),
            &nodes("noise_source"),
            negative,
            [nodes("match_neg_online"), nodes("match_neg_target")],
        )
    }

    fn pairs(&self) -> Option<Pairs> {
        self.tensors.contains_key("sampler.anchor").then(|| Pairs {
            anchor: self.nodes("sampler.anchor"),
            positive: self.nodes("sampler.positive"),
        })
    }

    /// Parameters and buffers of one block, as [weight, bias, affine] and its moments.
    fn fill_block(&self, block: &mut Block, linear: &str, norm: &str) {
        let set = |var: &Var, values: Vec<f32>| {
            let tensor = Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap();
            var.set(&tensor).unwrap();
        };
        let weight = [format!("{linear}.weight"), format!("{linear}.lin.weight")];
        let weight = weight
            .iter()
            .find(|w| self.tensors.contains_key(*w))
            .unwrap();
        set(&block.weight, self.floats(weight));
        let affine = ["weight", "bias"].map(|part| self.floats(&format!("{norm}.{part}")));
        set(&block.norm.affine, affine.concat());
        let moments = |part: &str| self.floats(part).into_iter().map(f64::from);
        // The published layer's bias is in its running mean.
        block.norm.running.mean = moments(&format!("{norm}.running_mean"))
            .zip(moments(&format!("{linear}.bias")))
            .map(|(mean, bias)| mean - bias)
            .collect();
        block.norm.running.variance = moments(&format!("{norm}.running_var")).collect();
    }

    fn fill_encoder(&self, encoder: &mut Encoder, prefix: &str) {
        let [l1, l2, g1, g2] = &mut encoder.blocks;
        let node = |layer: &str, part: &str| format!("{prefix}.encoder.encoder_{layer}.{part}");
        self.fill_block(l1, &node("L1", "0"), &node("L1", "1"));
        self.fill_block(l2, &node("L2", "0"), &node("L2", "1"));
        self.fill_block(
            g1,
            &format!("{prefix}.gc1.conv"),
            &format!("{prefix}.gc1.bn"),
        );
        self.fill_block(
            g2,
            &format!("{prefix}.gc2.conv"),
            &format!("{prefix}.gc2.bn"),
        );
    }

    /// All parameters of a state (`init`, `step0.after`, ...).
    fn fill(&self, model: &mut Model, state: &str) {
        let name = |part: &str| format!("{state}.{part}");
        let set = |var: &Var, part: &str| {
            let values = self.floats(&name(part));
            let tensor = Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap();
            var.set(&tensor).unwrap();
        };
        self.fill_encoder(&mut model.online, &name("online_encoder"));
        self.fill_encoder(&mut model.target, &name("target_encoder"));
        set(&model.token, "enc_mask_token");
        set(&model.expand, "encoder_to_decoder.weight");
        set(&model.bilinear, "weight");
        self.fill_block(
            &mut model.projector,
            &name("projector.conv"),
            &name("projector.bn"),
        );
        match &mut model.decoder {
            Decoder::Graph(block) => self.fill_block(
                block,
                &name("decoder.layer1.conv"),
                &name("decoder.layer1.bn"),
            ),
            Decoder::Linear { weight, bias } => {
                set(weight, "decoder.layer1.weight");
                set(bias, "decoder.layer1.bias");
            }
        }
    }

    /// x as scaled genes: entries v = 1 + 2 x of mean 1 and standard deviation 2.
    fn genes(&self) -> ScaledGenes {
        let x = self.matrix("x");
        let (n, p) = x.dim();
        let values = x.iter().map(|v| 1.0 + 2.0 * v).collect();
        let indptr = (0..=n).map(|i| i * p).collect();
        let indices = (0..n * p).map(|e| (e % p) as u32).collect();
        ScaledGenes {
            matrix: Csr::new(p, indptr, indices, values).unwrap(),
            slices: crate::slices::Slices::one(n),
            mean: vec![1.0; p],
            sd: vec![2.0; p],
            scale: vec![0.5; p],
        }
    }

    fn trainer(&self, contrast: Contrast) -> Trainer {
        let n = self.count("/n");
        let params = self.params(contrast).check(n, 4).unwrap();
        let input = match self.settings["imputation"].as_bool().unwrap() {
            true => Input::scaled(self.genes()),
            false => Input::dense(self.matrix("x")),
        };
        let order = (0..n as u32).collect();
        let mut trainer =
            Trainer::new(input, &self.graph(), order, params, 1, 1, &Device::Cpu).unwrap();
        self.fill(&mut trainer.model, "init");
        if let Some(pairs) = self.pairs() {
            trainer.set_pairs(&pairs).unwrap();
        }
        trainer
    }
}

fn close(what: &str, ours: &[f32], theirs: &[f32], floor: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let gaps = ours.iter().zip(theirs).map(|(a, b)| f64::from(a - b));
    let gap = squares(&mut { gaps });
    let size = squares(&mut theirs.iter().map(|&v| f64::from(v))).max(floor);
    assert!(
        gap <= TOLERANCE * size,
        "{what}: off by {gap:e} of {size:e}"
    );
}

fn close_number(what: &str, ours: f64, theirs: f64) {
    close(what, &[ours as f32], &[theirs as f32], 0.0);
}

/// Parameter, its name in the files and the part of a joint parameter it is.
fn named(model: &Model, read: impl Fn(&Var) -> Vec<f32>) -> Vec<(String, Vec<f32>)> {
    let mut all = vec![];
    let mut block = |block: &Block, linear: &str, norm: &str| {
        let affine = read(&block.norm.affine);
        let (scale, shift) = affine.split_at(affine.len() / 2);
        all.push((linear.into(), read(&block.weight)));
        all.push((format!("{norm}.weight"), scale.to_vec()));
        all.push((format!("{norm}.bias"), shift.to_vec()));
    };
    for (encoder, prefix) in [
        (&model.online, "online_encoder"),
        (&model.target, "target_encoder"),
    ] {
        let [l1, l2, g1, g2] = &encoder.blocks;
        let node = |layer: &str, part: &str| format!("{prefix}.encoder.encoder_{layer}.{part}");
        block(l1, &node("L1", "0.weight"), &node("L1", "1"));
        block(l2, &node("L2", "0.weight"), &node("L2", "1"));
        for (b, name) in [(g1, "gc1"), (g2, "gc2")] {
            block(
                b,
                &format!("{prefix}.{name}.conv.lin.weight"),
                &format!("{prefix}.{name}.bn"),
            );
        }
    }
    block(
        &model.projector,
        "projector.conv.lin.weight",
        "projector.bn",
    );
    match &model.decoder {
        Decoder::Graph(b) => {
            block(b, "decoder.layer1.conv.lin.weight", "decoder.layer1.bn");
        }
        Decoder::Linear { weight, bias } => {
            all.push(("decoder.layer1.weight".into(), read(weight)));
            all.push(("decoder.layer1.bias".into(), read(bias)));
        }
    }
    all.push(("enc_mask_token".into(), read(&model.token)));
    all.push(("encoder_to_decoder.weight".into(), read(&model.expand)));
    all.push(("weight".into(), read(&model.bilinear)));
    all
}

fn check_step(reference: &Reference, step: usize, forward: &Forward, losses: &EpochLosses) {
    let tensor = |name: &str| reference.floats(&format!("step{step}.{name}"));
    let embedding = to_vec(&forward.online).unwrap();
    close("online", &embedding, &tensor("online_embedding"), 0.0);
    close(
        "target",
        &to_vec(&forward.target).unwrap(),
        &tensor("target_embedding"),
        0.0,
    );
    close(
        "projected",
        &to_vec(&forward.projected).unwrap(),
        &tensor("projected"),
        0.0,
    );
    let loss = |name: &str| reference.number(&format!("/step/{step}/{name}"));
    close_number(
        "reconstruction",
        losses.reconstruction.into(),
        loss("loss_recon"),
    );
    close_number("consistency", losses.consistency.into(), loss("loss_match"));
    close_number(
        "gradient norm",
        losses.gradient_norm,
        loss("grad_norm_before_clip"),
    );
    close_number("total", losses.total.into(), loss("loss_total"));
    if let Some(contrast) = losses.contrast {
        close_number("contrast", contrast.into(), loss("loss_contrast_all_pairs"));
    }
}

/// A bias in front of a batch norm has a gradient of rounding errors, which Adam turns into steps
/// of the full learning rate: we have none, and the running means, where it ends up, are not
/// compared after a step. The final results start from the published parameters and buffers.
fn three_steps(name: &str) {
    let reference = Reference::load(name);
    let contrast = match reference.pairs() {
        Some(_) => Contrast::AllPairs,
        None => Contrast::Off,
    };
    let mut trainer = reference.trainer(contrast);
    for step in 0..reference.count("/steps") {
        let draws = reference.draws(step, reference.count("/n"));
        let (forward, losses) = trainer
            .step_with(&draws, EpochDropout::new(0.0, 1, step as u32))
            .unwrap();
        check_step(&reference, step, &forward, &losses);
        for (parameter, values) in named(&trainer.model, |var| to_vec(var).unwrap()) {
            let theirs = reference.floats(&format!("step{step}.after.{parameter}"));
            close(
                &format!("{parameter} after step {step}"),
                &values,
                &theirs,
                1e-2,
            );
        }
    }
    let last = format!("step{}.after", reference.count("/steps") - 1);
    reference.fill(&mut trainer.model, &last);
    let embedding = trainer.embedding().unwrap();
    close(
        "final embedding",
        embedding.as_slice().unwrap(),
        &reference.floats("final.embedding"),
        0.0,
    );
    let reconstruction = trainer.reconstruct().unwrap();
    let theirs: Vec<f32> = reference.floats("final.reconstruction");
    let theirs: Vec<f32> = theirs.into_iter().map(|v| v.max(0.0)).collect();
    close(
        "reconstruction",
        reconstruction.as_slice().unwrap(),
        &theirs,
        0.0,
    );
}

#[test]
fn three_steps_without_contrast() {
    three_steps("spacross_no_contrast");
}

#[test]
fn three_steps_with_the_published_contrast() {
    three_steps("spacross_contrast");
}

#[test]
fn three_steps_with_a_moving_target() {
    three_steps("spacross_momentum");
}

#[test]
fn three_steps_of_imputation() {
    three_steps("spacross_imputation");
}

#[test]
fn the_described_contrast_has_its_own_value() {
    for name in [
        "spacross_contrast",
        "spacross_momentum",
        "spacross_imputation",
    ] {
        let reference = Reference::load(name);
        let mut trainer = reference.trainer(Contrast::Node);
        let draws = reference.draws(0, reference.count("/n"));
        let (_, losses) = trainer
            .step_with(&draws, EpochDropout::new(0.0, 1, 0))
            .unwrap();
        let theirs = reference.number("/step/0/loss_contrast_per_node");
        close_number("contrast", losses.contrast.unwrap().into(), theirs);
    }
}

#[test]
fn clipped_gradients_of_the_first_step() {
    for name in [
        "spacross_no_contrast",
        "spacross_contrast",
        "spacross_momentum",
        "spacross_imputation",
    ] {
        let reference = Reference::load(name);
        let contrast = reference
            .pairs()
            .map_or(Contrast::Off, |_| Contrast::AllPairs);
        let mut trainer = reference.trainer(contrast);
        let draws = reference.draws(0, reference.count("/n"));
        let (_, total, _) = trainer
            .losses_with(&draws, EpochDropout::new(0.0, 1, 0))
            .unwrap();
        let store = total.backward().unwrap();
        let limit =
            reference.number("/clip_norm") / reference.number("/step/0/grad_norm_before_clip");
        let gradient = |var: &Var| {
            let zeros = vec![0f32; var.elem_count()];
            let values = store.get(var).map_or(zeros, |g| to_vec(g).unwrap());
            values
                .into_iter()
                .map(|g| g * limit.min(1.0) as f32)
                .collect()
        };
        for (parameter, ours) in named(&trainer.model, gradient) {
            let key = format!("step0.grad_clipped.{parameter}");
            if reference.tensors.contains_key(&key) {
                close(
                    &format!("{name}: gradient of {parameter}"),
                    &ours,
                    &reference.floats(&key),
                    1e-3,
                );
            }
        }
    }
}

struct Sampler {
    reference: Reference,
    online: Array2<f32>,
    target: Array2<f32>,
    clusters: Vec<Vec<u32>>,
}

impl Sampler {
    fn load(name: &str) -> Self {
        let reference = Reference::load(name);
        let unit = |name: &str| {
            let mut x = reference.matrix(name);
            normalise_rows(x.as_slice_mut().unwrap(), 16);
            x
        };
        let n = reference.count("/n");
        let labels = reference.nodes("sampler.kmeans_labels");
        Self {
            online: unit("sampler.student"),
            target: unit("sampler.teacher"),
            clusters: labels.chunks_exact(n).map(<[u32]>::to_vec).collect(),
            reference,
        }
    }

    fn select(&self, clusters: Option<&[Vec<u32>]>) -> Vec<(u32, u32)> {
        let top_k = self.reference.count("/sampler/top_k");
        let graph = self.reference.graph();
        let (online, target) = (self.online.view(), self.target.view());
        let pairs = select_pairs(online, target, top_k, &graph, clusters, 1).unwrap();
        pairs.anchor.into_iter().zip(pairs.positive).collect()
    }

    fn similarity(&self, (a, b): (u32, u32)) -> f64 {
        let (a, b) = (self.online.row(a as usize), self.target.row(b as usize));
        a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum()
    }
}

const SAMPLERS: [&str; 3] = [
    "spacross_contrast",
    "spacross_momentum",
    "spacross_imputation",
];

/// The published sampler keeps all of the top k (its cluster test rejects none of them). Some nodes
/// have equal embeddings: among these ties, and only there, the choice is free.
#[test]
fn the_sampler_returns_the_published_pairs() {
    for name in SAMPLERS {
        let sampler = Sampler::load(name);
        let ours = sampler.select(None);
        let theirs = sampler.reference.pairs().unwrap();
        let theirs: Vec<_> = theirs.anchor.into_iter().zip(theirs.positive).collect();
        assert_eq!(ours.len(), theirs.len());
        let swapped = ours.iter().filter(|pair| !theirs.contains(pair));
        for &pair in swapped {
            let tied = theirs.iter().any(|&other| {
                other.0 == pair.0
                    && !ours.contains(&other)
                    && (sampler.similarity(other) - sampler.similarity(pair)).abs() < 1e-6
            });
            assert!(tied, "{name}: {pair:?} is no tie");
        }
    }
}

#[test]
fn the_described_sampler_keeps_what_is_near_or_shares_a_cluster() {
    for name in SAMPLERS {
        let sampler = Sampler::load(name);
        let graph = sampler.reference.graph();
        let (all, kept) = (
            sampler.select(None),
            sampler.select(Some(&sampler.clusters)),
        );
        for pair in &all {
            let (a, b) = (pair.0 as usize, pair.1 as usize);
            let shared = sampler.clusters.iter().any(|run| run[a] == run[b]);
            assert_eq!(kept.contains(pair), shared || graph.contains(a, pair.1));
        }
        if name == "spacross_imputation" {
            assert!(kept.len() < all.len(), "some pairs are neither");
        }
    }
}
