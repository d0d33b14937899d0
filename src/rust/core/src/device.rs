//! Where training can run, and where it shall.

use candle_core::Device;

use crate::engine::memory::available_memory;
use crate::{Error, Result};

#[cfg(feature = "cuda")]
#[path = "device_cuda.rs"]
mod cuda;

/// Without CUDA in the build there is nothing to look for.
#[cfg(not(feature = "cuda"))]
mod cuda {
    use super::{missing, Device, DeviceInfo, Result};

    const REASON: &str = "this build of spaxR has no CUDA: it was compiled for the CPU";

    /// The GPUs of this machine.
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
    /// Whether the package was built for GPUs.
    pub available: bool,
    /// Bytes: what the CPU's machine has left, what a GPU has in all. None where that cannot be told.
    pub memory: Option<u64>,
    /// Why not, or what it is.
    pub reason: String,
}

/// What was chosen, and what a user should know about it.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The device that was opened.
    pub device: Device,
    /// "cpu", or "cuda:" and its number.
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
/// `needed` bytes of a GPU's memory (see [`crate::systems::spacross::memory`]). `"auto"` takes the first GPU that can
/// be used and has the memory, else the CPU.
///
/// # Errors
/// [`Error::Device`] for a device that is unknown, not available or too small, with the reason.
pub fn choose(name: &str, needed: u64) -> Result<Choice> {
    let gpus = Gpus {
        found: &cuda::devices,
        open: &cuda::open,
        mentioned: cfg!(feature = "cuda"),
    };
    gpus.choose(name, needed)
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

/// The GPUs of a machine.
struct Gpus<'a> {
    found: &'a dyn Fn() -> Vec<DeviceInfo>,
    /// The device of a number, and the bytes that it has free.
    open: &'a dyn Fn(usize) -> Result<(Device, u64)>,
    /// A build for the CPU says nothing of GPUs that nobody asked for.
    mentioned: bool,
}

impl Gpus<'_> {
    fn choose(&self, name: &str, needed: u64) -> Result<Choice> {
        match name {
            "cpu" => Ok(cpu(None)),
            "auto" => Ok(self.automatic(needed)),
            "cuda" => self.numbered(0, name, needed),
            _ => match name.strip_prefix("cuda:").map(str::parse) {
                Some(Ok(number)) => self.numbered(number, name, needed),
                _ => Err(error(format!("there is no device \"{name}\""))),
            },
        }
    }

    fn numbered(&self, number: usize, name: &str, needed: u64) -> Result<Choice> {
        let (device, free) = (self.open)(number)
            .map_err(|e| error(format!("device \"{name}\" cannot be used: {e}")))?;
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
    fn automatic(&self, needed: u64) -> Choice {
        let found = (self.found)();
        let usable = found.iter().enumerate().filter(|(_, d)| d.available);
        let mut note = None;
        for (number, info) in usable {
            match self.numbered(number, &info.name, needed) {
                Ok(choice) => return choice,
                Err(reason) => note = note.or(Some(reason.to_string())),
            }
        }
        let reasons = || found.first().map(|d| d.reason.clone());
        cpu(note.or_else(|| self.mentioned.then(reasons).flatten()))
    }
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

    /// A machine with these GPUs, each with its free gigabytes; None: it cannot be opened.
    fn with_gpus<T>(free: &[Option<u64>], work: impl FnOnce(Gpus) -> T) -> T {
        let info = |number: usize| DeviceInfo {
            name: format!("cuda:{number}"),
            available: free[number].is_some(),
            memory: Some(80 << 30),
            reason: format!("GPU {number}"),
        };
        let found = || (0..free.len()).map(info).collect();
        let open = |number: usize| match free.get(number) {
            Some(Some(gb)) => Ok((Device::Cpu, gb * 1_000_000_000)),
            _ => Err(error("it is not there")),
        };
        work(Gpus {
            found: &found,
            open: &open,
            mentioned: true,
        })
    }

    fn said(result: Result<Choice>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_gpu_that_is_too_small_is_refused_with_both_numbers() {
        with_gpus(&[Some(2)], |gpus| {
            for name in ["cuda", "cuda:0"] {
                assert_eq!(gpus.choose(name, 2_000_000_000).unwrap().name, "cuda:0");
                let message = said(gpus.choose(name, 5_500_000_000));
                assert!(message.contains("2.0 GB") && message.contains("5.5 GB"));
                assert!(message.contains(&format!("\"{name}\"")), "{message}");
            }
            assert!(said(gpus.choose("cuda:1", 0)).contains("not there"));
        });
    }

    #[test]
    fn automatic_takes_the_first_gpu_that_has_the_memory() {
        with_gpus(&[None, Some(2), Some(8)], |gpus| {
            let chosen = |gb: u64| gpus.choose("auto", gb * 1_000_000_000).unwrap();
            assert_eq!((chosen(1).name.as_str(), chosen(1).note), ("cuda:1", None));
            assert_eq!((chosen(5).name.as_str(), chosen(5).note), ("cuda:2", None));
            let cpu = chosen(9);
            assert_eq!(cpu.name, "cpu");
            assert!(matches!(cpu.device, Device::Cpu));
            let note = cpu.note.unwrap();
            assert!(note.contains("cuda:1") && note.contains("9.0 GB"), "{note}");
        });
    }

    #[test]
    fn without_a_gpu_that_can_be_used_automatic_says_why() {
        with_gpus(&[None], |gpus| {
            let choice = gpus.choose("auto", 0).unwrap();
            assert_eq!(
                (choice.name.as_str(), choice.note),
                ("cpu", Some("GPU 0".into()))
            );
        });
    }
}
