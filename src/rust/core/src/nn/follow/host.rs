//! On the CPU.

use candle_core::{Result, Var};

pub fn follow(parameters: &[Var], others: &[Var], m: f64) -> Result<()> {
    for (mine, theirs) in parameters.iter().zip(others) {
        let theirs = theirs.as_detached_tensor();
        let moved = match m {
            0.0 => theirs.copy()?,
            m => ((mine.as_detached_tensor() * m)? + (theirs * (1.0 - m))?)?,
        };
        mine.set(&moved)?;
    }
    Ok(())
}
