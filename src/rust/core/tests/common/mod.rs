//! Readers of the published numbers.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::path::PathBuf;

/// A conformance file: in the folder that `SPAX_CONFORMANCE_DIR` names, else the copy beside the tests.
pub fn conformance(name: &str) -> PathBuf {
    let copy = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    std::env::var_os("SPAX_CONFORMANCE_DIR")
        .map_or_else(copy, PathBuf::from)
        .join(name)
}

pub fn json(name: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(conformance(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn tensors(name: &str) -> HashMap<String, candle_core::Tensor> {
    candle_core::safetensors::load(conformance(name), &candle_core::Device::Cpu).unwrap()
}
