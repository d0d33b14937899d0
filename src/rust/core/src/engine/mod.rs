//! What every system's run shares.

pub mod memory;
pub mod model_file;
pub mod tensors;
