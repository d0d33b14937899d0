//! From a core error, or a panic, to the list that R turns into a condition.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use extendr_api::prelude::*;
use spax_core::{Error, Result};

/// Runs the body of a binding function: its value, or a `spaxR_core_error`.
pub fn guard(body: impl FnOnce() -> Result<Robj>) -> Robj {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => to_r(&error),
        Err(panic) => to_r(&Error::Internal(panic_message(&*panic))),
    }
}

/// The core's failure, as `list(kind, argument, message)`.
fn to_r(error: &Error) -> Robj {
    let mut list = list!(
        kind = error.kind(),
        argument = error.blamed(),
        message = error.to_string()
    );
    match list.set_class(["spaxR_core_error"]) {
        Ok(_) => list.into(),
        Err(_) => ().into(),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_string()))
        .unwrap_or_else(|| "a panic without a message".into())
}
