//! What this build is, and what it can run on.

use extendr_api::prelude::*;
use spax_core::device::devices;
use spax_core::engine::memory::available_memory;

use crate::error::guard;

/// @noRd
#[extendr]
fn core_build() -> Robj {
    guard(|| {
        Ok(list!(
            core = env!("CARGO_PKG_VERSION"),
            rustc = env!("RUSTC_VERSION"),
            candle = env!("CANDLE_VERSION"),
            features = "cpu"
        )
        .into())
    })
}

/// @noRd
#[extendr]
fn core_devices() -> Robj {
    guard(|| {
        let devices = devices();
        let names: Vec<&str> = devices.iter().map(|d| d.name.as_str()).collect();
        let available: Vec<bool> = devices.iter().map(|d| d.available).collect();
        let memory: Vec<Option<f64>> = devices.iter().map(|d| Some(d.memory? as f64)).collect();
        let reasons: Vec<&str> = devices.iter().map(|d| d.reason.as_str()).collect();
        let columns = list!(
            name = names,
            available = available,
            memory = memory,
            reason = reasons
        );
        Ok(columns.into())
    })
}

/// @noRd
#[extendr]
fn core_available_memory() -> Robj {
    guard(|| Ok(vec![available_memory().map(|bytes| bytes as f64)].into()))
}

extendr_module! {
    mod build;
    fn core_build;
    fn core_devices;
    fn core_available_memory;
}
