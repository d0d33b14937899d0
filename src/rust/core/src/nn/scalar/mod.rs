//! Hangs a scalar that was computed together with its gradients on candle's tape.
//!
//! A loss over rows costs hardly more with its gradient than without, so the two are computed in
//! one pass and the gradient waits here for the backward pass.

mod device;
mod host;

pub use device::{placed1, placed2, placed3};
pub use host::{given1, given2, given3};

const NAME: &str = "scalar-with-gradient";
