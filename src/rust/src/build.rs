//! What this build is.

use extendr_api::prelude::*;

use crate::error::guard;

/// @noRd
#[extendr]
fn core_build() -> Robj {
    guard(|| {
        Ok(list!(
            core = env!("CARGO_PKG_VERSION"),
        )
        .into())
    })
}

extendr_module! {
    mod build;
    fn core_build;
}
