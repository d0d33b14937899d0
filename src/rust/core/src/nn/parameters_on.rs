//! Lists of parameters on a device, changed by one kernel all together.

use candle_core::{bail, DType, Result, Tensor, Var};

use crate::gpu::Kernels;

/// Most parameters of one list (cuda/optimiser.cu).
const MOST: usize = 32;
/// Blocks for the values of one parameter.
const BLOCKS: usize = 32;

/// Moments of Adam on a device, and the squares of the gradients.
pub struct PlacedMoments {
    kernels: Kernels,
    first: Vec<Tensor>,
    second: Vec<Tensor>,
}

/// What one step of Adam goes by.
pub struct Rates {
    pub clip: f64,
    /// The learning rate over the bias correction of the first moment.
    pub rate: f32,
    /// The square root of the second one's.
    pub root: f32,
    pub decay: f32,
}

impl PlacedMoments {
    pub fn new(kernels: &Kernels, parameters: &[Var]) -> Result<Self> {
        if parameters.len() > MOST {
            bail!("more than {MOST} parameters");
        }
        let zeros = || {
            let zero = |p: &Var| Tensor::zeros(p.shape(), DType::F32, p.device());
            parameters.iter().map(zero).collect::<Result<Vec<_>>>()
        };
        Ok(Self {
            kernels: kernels.clone(),
            first: zeros()?,
            second: zeros()?,
        })
    }

    /// One step; the norm of all gradients before clipping, as one f64 on the device.
    pub fn step(
        &self,
        parameters: &[Var],
        gradients: &[Option<Tensor>],
        rates: &Rates,
    ) -> Result<Tensor> {
        let kernels = &self.kernels;
        let n = parameters.len();
        let values: Vec<Tensor> = parameters.iter().map(Var::as_detached_tensor).collect();
        let optional: Vec<Option<&Tensor>> = gradients.iter().map(Option::as_ref).collect();
        let table = table(
            kernels,
            &optional,
            &values,
            Some((&self.first, &self.second)),
        )?;
        let (squares, norm) = (kernels.doubles(n)?, kernels.doubles(())?);
        kernels
            .launch("adam_squares")
            .words(&table)
            .output(&squares)
            .blocks(n, 1)?;
        kernels
            .launch("adam_update")
            .words(&table)
            .output(&squares)
            .output(&norm)
            .u32(n)
            .f64(rates.clip)
            .f32(rates.rate)
            .f32(rates.root)
            .f32(rates.decay)
            .blocks(BLOCKS, n)?;
        Ok(norm.into_tensor())
    }
}

/// theta <- m theta + (1 - m) other
pub fn follow(kernels: &Kernels, parameters: &[Var], others: &[Var], m: f64) -> Result<()> {
    let detached = |vars: &[Var]| vars.iter().map(Var::as_detached_tensor).collect::<Vec<_>>();
    let (mine, theirs) = (detached(parameters), detached(others));
    let theirs: Vec<Option<&Tensor>> = theirs.iter().map(Some).collect();
    let table = table(kernels, &theirs, &mine, None)?;
    kernels
        .launch("follow")
        .words(&table)
        .f32(m as f32)
        .blocks(BLOCKS, mine.len())
}

/// `Table` of cuda/optimiser.cu: gradients, values, two moments, lengths.
fn table(
    kernels: &Kernels,
    gradients: &[Option<&Tensor>],
    values: &[Tensor],
    moments: Option<(&[Tensor], &[Tensor])>,
) -> Result<Vec<u64>> {
    if values.len() > MOST || gradients.len() != values.len() {
        bail!("not one gradient a parameter, or more than {MOST} of them");
    }
    let mut words = vec![0u64; 5 * MOST];
    for (p, value) in values.iter().enumerate() {
        words[p] = gradients[p].map_or(Ok(0), |g| kernels.address(g))?;
        words[MOST + p] = kernels.address(value)?;
        if let Some((first, second)) = moments {
            words[2 * MOST + p] = kernels.address(&first[p])?;
            words[3 * MOST + p] = kernels.address(&second[p])?;
        }
        words[4 * MOST + p] = value.elem_count() as u64;
    }
    Ok(words)
}
