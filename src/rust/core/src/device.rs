//! Where training can run, and where it shall.

use candle_core::Device;

use crate::system::available_memory;
use crate::{Error, Result};

#[cfg(feature = "cuda")]
#[path = "device_cuda.rs"]
mod cuda;

/// Without CUDA in the build there is nothing to look for.
#[cfg(not(feature = "cuda"))]
mod cuda {
    use super::{missing, Device, DeviceInfo, Result};

    const REASON: &str = "this build of spaxR has no CUDA: it was compiled for the CPU";

    pub fn devices() -> Vec<DeviceInfo> {
        vec![missing(REASON)]
    }

    pub fn open(_: usize) -> Result<(Device, u64)> {
        Err(super::error(REASON))
    }
}

/// A device by name, whether it can be used here, and why (not).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// "cpu", "cuda:0", "cuda:1", ...; "cuda" where there is none to number.
    pub name: String,
    pub available: bool,
    /// Bytes: what the CPU's machine has left, what a GPU has in all. None where that cannot be told.
    pub memory: Option<u64>,
    /// Why not, or what it is.
    pub reason: String,
}

/// What was chosen, and what a user should know about it.
#[derive(Clone, Debug)]
pub struct Choice {
    pub device: Device,
    /// "cpu" or "cuda:<number>".
    pub name: String,
    /// Why the CPU, where a GPU was there and "auto" did not take it.
    pub note: Option<String>,
}

fn missing(reason: impl Into<String>) -> DeviceInfo {
    DeviceInfo {
        name: "cuda".into(),
        available: false,
        memory: None,
        reason: reason.into(),
    }
}

fn error(message: impl Into<String>) -> Error {
    Error::Device {
        message: message.into(),
    }
}

/// Every device that spaxR knows of.
pub fn devices() -> Vec<DeviceInfo> {
    let cpu = DeviceInfo {
        name: "cpu".into(),
        available: true,
        memory: available_memory(),
        reason: "always there".into(),
    };
    std::iter::once(cpu).chain(cuda::devices()).collect()
}

/// The device of that name, `"auto"`, `"cpu"`, `"cuda"` (the first GPU) or `"cuda:<number>"`, for a training that needs
/// `needed` bytes of a GPU's memory (see [`crate::spacross::memory`]). `"auto"` takes the first GPU that can be used and
/// has the memory, else the CPU.
///
/// # Errors
/// [`Error::Device`] for a device that is unknown, not available or too small, with the reason.
pub fn choose(name: &str, needed: u64) -> Result<Choice> {
    match name {
        "cpu" => Ok(cpu(None)),
        "auto" => Ok(automatic(needed)),
        "cuda" => gpu(0, name, needed),
        _ => match name.strip_prefix("cuda:").map(str::parse) {
            Some(Ok(number)) => gpu(number, name, needed),
            _ => Err(error(format!("there is no device \"{name}\""))),
        },
    }
}

/// The device of that name, as [`choose`] takes it, whatever the memory.
///
/// # Errors
/// Those of [`choose`].
pub fn find(name: &str) -> Result<Device> {
    Ok(choose(name, 0)?.device)
}

fn cpu(note: Option<String>) -> Choice {
    Choice {
        device: Device::Cpu,
        name: "cpu".into(),
        note,
    }
}

fn gpu(number: usize, name: &str, needed: u64) -> Result<Choice> {
    let (device, free) =
        cuda::open(number).map_err(|e| error(format!("device \"{name}\" cannot be used: {e}")))?;
    if free < needed {
        return Err(error(format!(
            "device \"{name}\" has {:.1} GB of memory free, and this training needs about {:.1} GB",
            free as f64 / 1e9,
            needed as f64 / 1e9
        )));
    }
    Ok(Choice {
        device,
        name: format!("cuda:{number}"),
        note: None,
    })
}

/// The first GPU that can be used and is large enough; where all that are there fall short, the CPU and why.
fn automatic(needed: u64) -> Choice {
    let found = cuda::devices();
    let usable = found.iter().enumerate().filter(|(_, d)| d.available);
    let mut note = None;
    for (number, info) in usable {
        match gpu(number, &info.name, needed) {
            Ok(choice) => return choice,
            Err(reason) => note = note.or(Some(reason.to_string())),
        }
    }
    // A build for the CPU says nothing of GPUs.
    let reasons = || found.first().map(|d| d.reason.clone());
    cpu(note.or_else(|| cfg!(feature = "cuda").then(reasons).flatten()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_available_devices_are_found() {
        for device in devices() {
            assert_eq!(find(&device.name).is_ok(), device.available);
        }
        for name in ["abacus", "cuda:", "cuda:x", "cuda:-1", "CPU", ""] {
            assert!(matches!(find(name), Err(Error::Device { .. })), "{name}");
        }
    }

    #[test]
    fn a_build_for_the_cpu_takes_it_without_a_word() {
        if cfg!(not(feature = "cuda")) {
            let choice = choose("auto", u64::MAX).unwrap();
            assert_eq!((choice.name.as_str(), choice.note), ("cpu", None));
            assert!(matches!(choose("cuda:1", 0), Err(Error::Device { .. })));
        }
    }
}
