//! CUDA devices: what there is, what is in the way, and opening one.
//!
//! The library is linked to NVIDIA's driver, so where this code runs at all there is one (the loader refuses it
//! otherwise). Everything else is asked for step by step, and every refusal becomes a reason.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use candle_core::cuda_backend::cudarc::driver::{result, sys};
use candle_core::Device;

use super::{error, missing, DeviceInfo};
use crate::{Error, Result};

/// Version of the toolkit that compiled the kernels, as 1000 major + 10 minor: the driver must be as new.
const TOOLKIT: &str = env!("SPAX_CUDA_VERSION");
/// The compute capability that candle's kernels were compiled for, as in "90".
const CAPABILITY: &str = env!("SPAX_COMPUTE_CAP");

fn number(text: &str) -> i32 {
    text.parse().unwrap_or(0)
}

/// The GPUs of this machine.
pub fn devices() -> Vec<DeviceInfo> {
    match count() {
        Ok(n) => (0..n).map(describe).collect(),
        Err(reason) => vec![missing(reason)],
    }
}

/// How many devices there are, if the driver can be used at all.
fn count() -> std::result::Result<i32, String> {
    result::init().map_err(|e| match e.0 {
        sys::CUresult::CUDA_ERROR_NO_DEVICE => {
            "this machine has no NVIDIA GPU, or none is visible".into()
        }
        sys::CUresult::CUDA_ERROR_STUB_LIBRARY => {
            "this machine has no NVIDIA driver, only a stand-in for linking".into()
        }
        _ => format!("NVIDIA's driver does not start ({e})"),
    })?;
    let version = driver_version();
    if version < number(TOOLKIT) {
        let [have, want] =
            [version, number(TOOLKIT)].map(|v| format!("{}.{}", v / 1000, v % 1000 / 10));
        return Err(format!(
            "NVIDIA's driver is too old: it knows CUDA {have}, and spaxR was compiled with CUDA {want}"
        ));
    }
    match result::device::get_count() {
        Ok(0) => Err("this machine has no NVIDIA GPU, or none is visible".into()),
        Ok(n) => Ok(n),
        Err(e) => Err(format!("NVIDIA's driver lists no GPU ({e})")),
    }
}

fn driver_version() -> i32 {
    let mut version = 0;
    // SAFETY: writes one number.
    let status = unsafe { sys::cuDriverGetVersion(&mut version) };
    match status {
        sys::CUresult::CUDA_SUCCESS => version,
        _ => 0,
    }
}

fn describe(ordinal: i32) -> DeviceInfo {
    let name = format!("cuda:{ordinal}");
    let unavailable = |reason: String| DeviceInfo {
        name: name.clone(),
        available: false,
        memory: None,
        reason,
    };
    let asked = || -> std::result::Result<(String, usize, i32), result::DriverError> {
        use sys::CUdevice_attribute_enum as Attribute;
        let device = result::device::get(ordinal)?;
        let attribute = |which| unsafe { result::device::get_attribute(device, which) };
        let major = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        // SAFETY: the device was just asked for.
        let memory = unsafe { result::device::total_mem(device)? };
        Ok((
            result::device::get_name(device)?,
            memory,
            10 * major + minor,
        ))
    };
    match asked() {
        Err(e) => unavailable(format!("the GPU does not answer ({e})")),
        Ok((model, _, capability)) if capability < number(CAPABILITY) => unavailable(format!(
            "{model} has compute capability {}.{}, and this build of spaxR needs {}.{}: install it on this machine, or \
             with CUDA_COMPUTE_CAP={capability}",
            capability / 10,
            capability % 10,
            number(CAPABILITY) / 10,
            number(CAPABILITY) % 10
        )),
        Ok((model, memory, _)) => DeviceInfo {
            name,
            available: true,
            memory: Some(memory as u64),
            reason: model,
        },
    }
}

type Opened = Mutex<HashMap<(u32, usize), Device>>;

/// The device of that number and the bytes it has free. Opened once a process (CUDA does not survive a fork).
pub fn open(ordinal: usize) -> Result<(Device, u64)> {
    static OPENED: OnceLock<Opened> = OnceLock::new();
    let n = count().map_err(error)?;
    if ordinal >= n as usize {
        return Err(error(format!("this machine has {n} of them")));
    }
    let info = describe(ordinal as i32);
    if !info.available {
        return Err(error(info.reason));
    }
    let poisoned = |_| Error::Internal("the devices are poisoned".into());
    let mut opened = OPENED
        .get_or_init(Mutex::default)
        .lock()
        .map_err(poisoned)?;
    let key = (std::process::id(), ordinal);
    let device = match opened.get(&key) {
        Some(device) => device.clone(),
        None => {
            let device = start(ordinal).map_err(|e| error(format!("it does not start ({e})")))?;
            opened.insert(key, device.clone());
            device
        }
    };
    let free = crate::gpu::free_memory(&device).map_err(|e| error(e.to_string()))?;
    Ok((device, free))
}

fn start(ordinal: usize) -> candle_core::Result<Device> {
    let device = Device::new_cuda(ordinal)?;
    crate::gpu::prepare(&device)?;
    Ok(device)
}
