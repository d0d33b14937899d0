//! What this build is, and what it can run on.

use extendr_api::prelude::*;

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
        Ok(list!(
            name = ["cpu", "cuda"],
            available = [true, false],
            reason = [
                "always there",
                "this build of spaxR has no CUDA: it was compiled for the CPU"
            ]
        )
        .into())
    })
}

extendr_module! {
    mod build;
    fn core_build;
    fn core_devices;
}
