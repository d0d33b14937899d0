//! What this build is, and what it can run on.

use extendr_api::prelude::*;
use spax_core::device::devices;

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
        let names: Vec<&str> = devices.iter().map(|d| d.name).collect();
        let available: Vec<bool> = devices.iter().map(|d| d.available).collect();
        let reasons: Vec<&str> = devices.iter().map(|d| d.reason).collect();
        Ok(list!(name = names, available = available, reason = reasons).into())
    })
}

extendr_module! {
    mod build;
    fn core_build;
    fn core_devices;
}
