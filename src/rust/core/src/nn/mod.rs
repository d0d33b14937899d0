//! Layers, losses' building blocks and the optimiser, on candle.
//!
//! candle has the tensors and devices; the arithmetic of a block (forward and backward) and the
//! [`tape`] are ours. A layer is one coarse operation, which keeps one model for every device, and
//! leaves no N x width temporary that the mathematics does not need. Nothing here knows biology.
//!
//! Every reduction over rows runs in chunks of fixed size that are summed in order, so that the
//! result does not depend on the number of threads.

pub mod adam;
pub mod attention;
pub mod columns;
pub mod dropout;
pub mod follow;
pub mod form;
pub mod gather;
pub mod init;
pub mod linear;
pub mod norm_act;
pub mod parameters;
pub mod propagate;
pub mod running;
pub mod scalar;
pub mod tape;
pub mod view;
