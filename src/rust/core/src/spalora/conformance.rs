//! Held to the published code's numbers (METHODS 4; the files' README says how they were made).
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{safetensors, DType, Device, Tensor, Var};
use ndarray::Array2;
use serde_json::Value;

use super::model::Source;
use super::params::{GeneWeights, Params};
use super::trainer::Trainer;
use super::weights::{by_order, by_rank};
use crate::nn::propagate::Operator;
use crate::nn::view::to_vec;
use crate::spacross::Input;
use crate::sparse::Csr;
use crate::threads;

const TOLERANCE: f64 = 1e-4;
const FILES: [&str; 3] = ["spalora_protein", "spalora_atac", "spalora_slidetags"];

struct Reference {
    tensors: HashMap<String, Tensor>,
    settings: Value,
}

impl Reference {
    fn load(name: &str) -> Self {
        let folder: PathBuf = match std::env::var_os("SPAX_CONFORMANCE_DIR") {
            Some(folder) => folder.into(),
            None => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance").into(),
        };
        let path = |ext: &str| folder.join(format!("{name}.{ext}"));
        let settings = std::fs::read_to_string(path("json")).unwrap();
        Self {
            tensors: safetensors::load(path("safetensors"), &Device::Cpu).unwrap(),
            settings: serde_json::from_str(&settings).unwrap(),
        }
    }

    fn tensor(&self, name: &str) -> Tensor {
        let tensor = self
            .tensors
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"));
        tensor.to_dtype(DType::F32).unwrap()
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let tensor = self.tensor(name).flatten_all().unwrap();
        tensor.to_vec1().unwrap()
    }

    fn doubles(&self, name: &str) -> Vec<f64> {
        self.floats(name).into_iter().map(f64::from).collect()
    }

    fn matrix(&self, name: &str) -> Array2<f32> {
        let dims = self.tensor(name).dims2().unwrap();
        Array2::from_shape_vec(dims, self.floats(name)).unwrap()
    }

    fn number(&self, path: &str) -> f64 {
        self.settings.pointer(path).unwrap().as_f64().unwrap()
    }

    fn adjacency(&self, name: &str) -> Operator {
        let n = self.number("/n") as usize;
        let part = |part: &str| self.floats(&format!("{name}.{part}"));
        let (row, col, value) = (part("row"), part("col"), part("value"));
        let mut rows = vec![vec![]; n];
        for e in 0..row.len() {
            rows[row[e] as usize].push((col[e] as u32, value[e]));
        }
        rows.iter_mut().for_each(|row| row.sort_by_key(|e| e.0));
        Operator::symmetric(Csr::from_rows(n, rows).unwrap())
    }

    fn source(&self, input: &str, omics: &str, weights: Vec<f64>) -> Source {
        let features = self.adjacency(&format!("adj_feature_{omics}"));
        Source::new(Input::dense(self.matrix(input)), features, weights)
    }

    fn trainer(&self) -> Trainer {
        let factor = |i: usize| self.number(&format!("/weight_factors/{i}"));
        let params = Params {
            latent: self.number("/dim_output") as usize,
            w_recon: vec![factor(0), factor(1)],
            w_cross: vec![factor(2), factor(3)],
            weights: GeneWeights::Published,
            learning_rate: self.number("/lr"),
            ..Params::default()
        };
        let second = self.tensor("omics2_feat").dims2().unwrap().1;
        let sources = vec![
            self.source(
                "omics1_scaled",
                "omics1",
                self.doubles("gene_weight.published"),
            ),
            self.source("omics2_feat", "omics2", vec![1.0; second]),
        ];
        let order = (0..self.number("/n") as u32).collect();
        let spatial = self.adjacency("adj_spatial_omics1");
        let params = params.check(2).unwrap();
        let trainer = Trainer::with(sources, spatial, order, params, 1, 2, &Device::Cpu).unwrap();
        for (name, parameter, transposed) in parameters(&trainer) {
            let values = self.tensor(&format!("init.{name}"));
            parameter.set(&as_ours(&values, transposed)).unwrap();
        }
        trainer
    }
}

fn as_ours(values: &Tensor, transposed: bool) -> Tensor {
    match transposed {
        true => values.t().unwrap().contiguous().unwrap(),
        false => values.clone(),
    }
}

/// Published names, our parameters, and whether ours is the transpose.
fn parameters(trainer: &Trainer) -> Vec<(String, Var, bool)> {
    let model = &trainer.model;
    let mut all = vec![
        (
            "atten_cross.w_omega".into(),
            model.attention.w.clone(),
            false,
        ),
        (
            "atten_cross.u_omega".into(),
            model.attention.u.clone(),
            true,
        ),
    ];
    for (m, coder) in model.coders.iter().enumerate() {
        let omics = format!("omics{}", m + 1);
        let attention = &coder.attention;
        all.extend([
            (
                format!("encoder_{omics}.weight"),
                coder.encoder.clone(),
                true,
            ),
            (
                format!("decoder_{omics}.weight"),
                coder.decoder.clone(),
                false,
            ),
            (format!("atten_{omics}.w_omega"), attention.w.clone(), false),
            (format!("atten_{omics}.u_omega"), attention.u.clone(), true),
        ]);
    }
    all
}

#[track_caller]
fn close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let square = |x: f64| x * x;
    let pairs = found.iter().zip(expected);
    let gap: f64 = pairs
        .map(|(a, b)| square(f64::from(*a) - f64::from(*b)))
        .sum();
    let size: f64 = expected.iter().map(|b| square(f64::from(*b))).sum();
    let apart = (gap / size.max(1e-30)).sqrt();
    assert!(apart < TOLERANCE, "{what} is {apart:e} off");
}

#[track_caller]
fn near(what: &str, found: f32, expected: f64) {
    let apart = (f64::from(found) - expected).abs() / expected.abs();
    assert!(apart < TOLERANCE, "{what}: {found} for {expected}");
}

#[test]
fn first_pass_and_its_gradients() {
    check_first_pass();
}

fn check_first_pass() {
    for file in FILES {
        let reference = Reference::load(file);
        let trainer = reference.trainer();
        threads::install(2, || {
            let (forward, losses) = trainer.pass().unwrap();
            let step = |name: &str| reference.floats(&format!("step0.{name}"));
            let joint = to_vec(&forward.joint).unwrap();
            close("joint", &joint, &step("emb_latent_combined"));
            close("across", &to_vec(&forward.across).unwrap(), &step("alpha"));
            for m in 0..2 {
                let own = to_vec(&forward.modality[m]).unwrap();
                close(
                    "embedding",
                    &own,
                    &step(&format!("emb_latent_omics{}", m + 1)),
                );
                close(
                    "within",
                    &to_vec(&forward.within[m]).unwrap(),
                    &step(&format!("alpha_omics{}", m + 1)),
                );
            }
            let gradients = losses.total(trainer.params()).unwrap().backward().unwrap();
            for (name, parameter, transposed) in parameters(&trainer) {
                let expected = reference.tensor(&format!("step0.grad.{name}"));
                let expected = to_vec(&as_ours(&expected, transposed)).unwrap();
                let found = to_vec(&gradients.get(&parameter).unwrap().contiguous().unwrap());
                close(
                    &format!("{file} gradient of {name}"),
                    &found.unwrap(),
                    &expected,
                );
            }
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn first_pass_of_the_cpu() {
    for file in FILES {
        let reference = Reference::load(file);
        let mut trainer = reference.trainer();
        let found = threads::install(2, || trainer.pass_on_cpu()).unwrap();
        for (name, parameter, transposed) in parameters(&trainer).into_iter() {
            let expected = reference.tensor(&format!("step0.grad.{name}"));
            let expected = to_vec(&as_ours(&expected, transposed)).unwrap();
            let all = trainer.model.parameters();
            let at = all.iter().position(|p| p.id() == parameter.id()).unwrap();
            close(
                &format!("{file} gradient of {name}"),
                &found.gradients[at],
                &expected,
            );
        }
    }
}

#[test]
fn three_steps() {
    check_three_steps();
}

/// The same by the kernels of a device, in either order of a block's threads.
#[cfg(feature = "emulate")]
#[test]
fn the_same_by_the_kernels() {
    use crate::gpu::emulated::{with, Order};
    with(Order::Forwards, || {
        check_first_pass();
        check_three_steps();
    });
    with(Order::Backwards, check_three_steps);
}

fn check_three_steps() {
    for file in FILES {
        let reference = Reference::load(file);
        let mut trainer = reference.trainer();
        for step in 0..3 {
            let losses = trainer.step().unwrap();
            let expected = |name: &str| reference.number(&format!("/loss/{step}/{name}"));
            near("total", losses.total, expected("total"));
            for m in 0..2 {
                near(
                    "recon",
                    losses.reconstruction[m],
                    expected(&format!("recon{}", m + 1)),
                );
                near(
                    "cross",
                    losses.cross[m],
                    expected(&format!("corr{}", m + 1)),
                );
            }
        }
        for (name, parameter, transposed) in parameters(&trainer) {
            let expected = reference.tensor(&format!("after3.{name}"));
            let expected = to_vec(&as_ours(&expected, transposed)).unwrap();
            close(&name, &to_vec(&parameter).unwrap(), &expected);
        }
        let found = trainer.embedding().unwrap();
        let last = |name: &str| reference.floats(&format!("final.{name}"));
        let flat = |x: &Array2<f32>| x.iter().copied().collect::<Vec<_>>();
        close("joint", &flat(&found.joint), &last("emb_latent_combined"));
        close("across", &flat(&found.across), &last("alpha"));
        for m in 0..2 {
            let omics = format!("omics{}", m + 1);
            close(
                "own",
                &flat(&found.modality[m]),
                &last(&format!("emb_latent_{omics}")),
            );
            close(
                "within",
                &flat(&found.within[m]),
                &last(&format!("alpha_{omics}")),
            );
        }
    }
}

#[test]
fn weights_of_genes() {
    for file in FILES {
        let reference = Reference::load(file);
        let single = |w: Vec<f64>| w.into_iter().map(|w| w as f32).collect::<Vec<_>>();
        let mean = reference.doubles("gene_mean_lognorm");
        let ranked = reference.floats("gene_weight.ranked_lognorm");
        close("ranked", &single(by_rank(&mean)), &ranked);
        // Which gene gets which published weight is rounding in the published code; the weights are the same ones.
        let sorted = |mut w: Vec<f32>| {
            w.sort_by(f32::total_cmp);
            w
        };
        let published = sorted(reference.floats("gene_weight.published"));
        close("published", &sorted(single(by_order(&mean))), &published);
    }
}
