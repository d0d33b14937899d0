//! Held to the published code's numbers, recorded with every random draw (METHODS 3; the files'
//! README says how they were made).
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use candle_core::Device;
use ndarray::Array2;

use super::check::{described_contrast, first_gradients, three_steps, RUNS};
use super::hybrid::{normalise_rows, select_pairs};
use super::reference::Reference;
use crate::check::{Gap, TOLERANCE};

fn folder() -> PathBuf {
    match std::env::var_os("SPAX_CONFORMANCE_DIR") {
        Some(folder) => folder.into(),
        None => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance").into(),
    }
}

fn all_close(name: &str, gaps: &[Gap]) {
    assert!(!gaps.is_empty());
    for gap in gaps {
        assert!(gap.gap <= TOLERANCE, "{name}: {gap:?}");
    }
}

#[test]
fn three_steps_of_every_run() {
    for name in RUNS {
        all_close(name, &three_steps(&folder(), name, &Device::Cpu).unwrap());
    }
}

#[test]
fn the_described_contrast_has_its_own_value() {
    let gaps = RUNS.map(|name| described_contrast(&folder(), name, &Device::Cpu).unwrap());
    let gaps: Vec<Gap> = gaps.into_iter().flatten().collect();
    assert_eq!(gaps.len(), 3);
    all_close("contrast", &gaps);
}

#[test]
fn clipped_gradients_of_the_first_step() {
    for name in RUNS {
        all_close(
            name,
            &first_gradients(&folder(), name, &Device::Cpu).unwrap(),
        );
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
        let reference = Reference::load(&folder(), name).unwrap();
        let unit = |name: &str| {
            let mut x = reference.matrix(name).unwrap();
            normalise_rows(x.as_slice_mut().unwrap(), 16);
            x
        };
        let n = reference.count("/n").unwrap();
        let labels = reference.nodes("sampler.kmeans_labels").unwrap();
        Self {
            online: unit("sampler.student"),
            target: unit("sampler.teacher"),
            clusters: labels.chunks_exact(n).map(<[u32]>::to_vec).collect(),
            reference,
        }
    }

    fn select(&self, clusters: Option<&[Vec<u32>]>) -> Vec<(u32, u32)> {
        let top_k = self.reference.count("/sampler/top_k").unwrap();
        let graph = self.reference.graph().unwrap();
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
        let theirs = sampler.reference.pairs().unwrap().unwrap();
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
        let graph = sampler.reference.graph().unwrap();
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
