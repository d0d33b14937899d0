//! Slices of one tissue brought into one frame (METHODS 1.4 and 2).

mod agreement;
mod expression;
mod grid;
mod icp;
mod outline;
mod pair;
mod paste;
mod paste_stack;
mod residual;
mod sample;
mod search;
mod sides;
mod sinkhorn;
mod slice;
mod stack;
mod stack_all;
mod step;
mod transform;
mod units;
mod verdict;

pub use grid::{grid_of, Grid, Lattice};
pub use icp::{icp, Icp, Matching, Target};
pub use outline::{outline, Outline};
pub use pair::{align_pair, Candidate, PairParams, Paired, Side};
pub use paste::{paste, Paste, PasteParams};
pub use residual::{residual, Residual};
pub use sample::even_sample;
pub use sides::Sides;
pub use stack::{heights, micrometre, to_first};
pub use stack_all::{align_stack, Aligned, Method, Mirror, Params, Placed, Report, Stack};
pub use transform::{best_fit, Transform};
pub use units::{units_of, Scale, Units};
pub use verdict::Problem;
