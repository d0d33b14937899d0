//! Slices of one tissue brought into one frame (METHODS 1.4 and 2).

mod agreement;
mod grid;
mod icp;
mod outline;
mod pair;
mod paste;
mod residual;
mod sample;
mod search;
mod sinkhorn;
mod stack;
mod stack_all;
mod transform;

pub use grid::{grid_of, Grid, Lattice};
pub use icp::{icp, Icp, Matching, Target};
pub use outline::{outline, Outline};
pub use pair::{align_pair, Candidate, PairParams, Paired, Side};
pub use paste::{paste, Paste, PasteParams};
pub use residual::{residual, Residual};
pub use sample::even_sample;
pub use stack::{heights, to_first};
pub use stack_all::{align_stack, relative_scale, Params, Placed};
pub use transform::{best_fit, Transform};
