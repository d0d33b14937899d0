//! On the CPU.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::NAME;
use crate::nn::view::output;

/// A scalar and its gradients with respect to `N` tensors.
struct Given<const N: usize> {
    value: f32,
    gradients: [Tensor; N],
}

impl<const N: usize> Given<N> {
    fn forward(&self) -> Result<(CpuStorage, Shape)> {
        output(vec![self.value], ())
    }

    fn backward(&self, upstream: &Tensor) -> Result<[Tensor; N]> {
        let factor = f64::from(upstream.to_scalar::<f32>()?);
        let mut scaled = self.gradients.clone();
        for gradient in &mut scaled {
            *gradient = gradient.affine(factor, 0.0)?;
        }
        Ok(scaled)
    }
}

impl CustomOp1 for Given<1> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward()
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, upstream: &Tensor) -> Result<Option<Tensor>> {
        let [a] = self.backward(upstream)?;
        Ok(Some(a))
    }
}

impl CustomOp2 for Given<2> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward()
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        upstream: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [a, b] = self.backward(upstream)?;
        Ok((Some(a), Some(b)))
    }
}

impl CustomOp3 for Given<3> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward()
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        upstream: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [a, b, c] = self.backward(upstream)?;
        Ok((Some(a), Some(b), Some(c)))
    }
}

/// The scalar `value` as a function of `x`, whose gradient is `gradient` (of the shape of `x`).
pub fn given1(x: &Tensor, value: f32, gradient: Vec<f32>) -> Result<Tensor> {
    let gradients = [like(x, gradient)?];
    x.apply_op1(Given { value, gradients })
}

/// The same for two tensors.
pub fn given2(x: [&Tensor; 2], value: f32, gradients: [Vec<f32>; 2]) -> Result<Tensor> {
    let [a, b] = gradients;
    let gradients = [like(x[0], a)?, like(x[1], b)?];
    x[0].apply_op2(x[1], Given { value, gradients })
}

/// The same for three tensors.
pub fn given3(x: [&Tensor; 3], value: f32, gradients: [Vec<f32>; 3]) -> Result<Tensor> {
    let [a, b, c] = gradients;
    let gradients = [like(x[0], a)?, like(x[1], b)?, like(x[2], c)?];
    x[0].apply_op3(x[1], x[2], Given { value, gradients })
}

fn like(x: &Tensor, gradient: Vec<f32>) -> Result<Tensor> {
    Tensor::from_vec(gradient, x.shape(), x.device())
}
