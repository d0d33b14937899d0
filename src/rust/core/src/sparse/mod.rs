//! Sparse matrices in compressed rows.

mod counts;
mod csr;
mod spmm;

pub use counts::CountsView;
pub use csr::Csr;
pub use spmm::{Block, BlockMut};
