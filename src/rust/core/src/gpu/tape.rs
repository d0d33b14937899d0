//! Results that kernels computed, on candle's tape.
//!
//! candle asks a custom op for its result. Here the result is there before the op, which hands it over; so the same
//! code serves any number of inputs and any device.

use std::sync::Mutex;

use candle_core::{
    bail, CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Storage,
    Tensor,
};

use super::Buffer;

/// Takes the gradient of the result to the gradients of the inputs.
type Backward<const N: usize> = Box<dyn Fn(&Tensor) -> Result<[Option<Tensor>; N]> + Send + Sync>;

struct Done<const N: usize> {
    name: &'static str,
    result: Mutex<Option<Storage>>,
    shape: Shape,
    backward: Backward<N>,
}

impl<const N: usize> Done<N> {
    fn new(
        name: &'static str,
        result: Buffer,
        backward: impl Fn(&Tensor) -> Result<[Option<Tensor>; N]> + Send + Sync + 'static,
    ) -> Self {
        let (storage, shape) = result.into_parts();
        Self {
            name,
            result: Mutex::new(Some(storage)),
            shape,
            backward: Box::new(backward),
        }
    }

    fn take(&self) -> Result<Storage> {
        let result = self.result.lock().ok().and_then(|mut held| held.take());
        match result {
            Some(storage) => Ok(storage),
            None => bail!("{}: the result was taken", self.name),
        }
    }

    fn on_cpu(&self) -> Result<(CpuStorage, Shape)> {
        match self.take()? {
            Storage::Cpu(storage) => Ok((storage, self.shape.clone())),
            _ => bail!("{}: inputs and result on two devices", self.name),
        }
    }

    fn on_cuda(&self) -> Result<(CudaStorage, Shape)> {
        match self.take()? {
            Storage::Cuda(storage) => Ok((storage, self.shape.clone())),
            _ => bail!("{}: inputs and result on two devices", self.name),
        }
    }
}

impl CustomOp1 for Done<1> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.on_cpu()
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        self.on_cuda()
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let [a] = (self.backward)(&grad.contiguous()?)?;
        Ok(a)
    }
}

impl CustomOp2 for Done<2> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.on_cpu()
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.on_cuda()
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [a, b] = (self.backward)(&grad.contiguous()?)?;
        Ok((a, b))
    }
}

impl CustomOp3 for Done<3> {
    fn name(&self) -> &'static str {
        self.name
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
        self.on_cpu()
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.on_cuda()
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [a, b, c] = (self.backward)(&grad.contiguous()?)?;
        Ok((a, b, c))
    }
}

/// The tensor `result` as a function of `x`. The closure should hold detached tensors only.
pub fn attach(
    name: &'static str,
    x: &Tensor,
    result: Buffer,
    backward: impl Fn(&Tensor) -> Result<[Option<Tensor>; 1]> + Send + Sync + 'static,
) -> Result<Tensor> {
    x.apply_op1(Done::new(name, result, backward))
}

/// The same for two tensors.
pub fn attach2(
    name: &'static str,
    x: [&Tensor; 2],
    result: Buffer,
    backward: impl Fn(&Tensor) -> Result<[Option<Tensor>; 2]> + Send + Sync + 'static,
) -> Result<Tensor> {
    x[0].apply_op2(x[1], Done::new(name, result, backward))
}

/// The same for three tensors.
pub fn attach3(
    name: &'static str,
    x: [&Tensor; 3],
    result: Buffer,
    backward: impl Fn(&Tensor) -> Result<[Option<Tensor>; 3]> + Send + Sync + 'static,
) -> Result<Tensor> {
    x[0].apply_op3(x[1], x[2], Done::new(name, result, backward))
}
