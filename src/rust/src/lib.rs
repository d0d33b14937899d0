//! What R calls. Conversion and errors only: every calculation is in `spax-core`.
//!
//! Each function takes R values, returns an R value, and never throws an R error: a failure comes
//! back as a list of class `spaxR_core_error` (see [`error`]), which `core()` in R/conditions.R
//! turns into a condition. The generated R/extendr-wrappers.R is kept up to date by `make document`.

// R builds the names of a library and of its entry points from the package's name.
#![allow(non_snake_case)]

mod align;
mod build;
mod cluster;
mod convert;
mod counts;
mod error;
mod graph;
mod json;
mod metrics;
mod model;
mod options;
mod parts;
mod run;
mod tissue;
mod wait;

use extendr_api::prelude::*;

/// Called once by the C entry point, when R loads the library.
///
/// candle would run its matrix products on rayon's global pool, whose threads do not survive a
/// `fork()`. One thread in candle leaves all parallel work to the pools of `spax_core::threads`.
#[no_mangle]
pub extern "C" fn spaxR_prepare() {
    std::env::set_var("CANDLE_NUM_THREADS", "1");
}

extendr_module! {
    mod spaxR;
    use align;
    use build;
    use cluster;
    use counts;
    use graph;
    use metrics;
    use model;
    use options;
    use run;
    use tissue;
}
