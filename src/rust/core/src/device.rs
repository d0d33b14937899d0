//! Where training can run.

use candle_core::Device;

use crate::{Error, Result};

/// A device by name, whether it can be used here, and why (not).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    pub name: &'static str,
    pub available: bool,
    pub reason: &'static str,
}

/// Every device that spaxR knows of.
pub fn devices() -> Vec<DeviceInfo> {
    vec![
        DeviceInfo {
            name: "cpu",
            available: true,
            reason: "always there",
        },
        DeviceInfo {
            name: "cuda",
            available: false,
            reason: "this build of spaxR has no CUDA: it was compiled for the CPU",
        },
    ]
}

/// The device of that name; `"auto"` takes the fastest that is available.
///
/// # Errors
/// [`Error::Device`] for a device that is unknown or not available, with the reason.
pub fn find(name: &str) -> Result<Device> {
    let wanted = if name == "auto" { "cpu" } else { name };
    let device = |message: String| Error::Device { message };
    match devices().iter().find(|d| d.name == wanted) {
        None => Err(device(format!("there is no device \"{name}\""))),
        Some(found) if !found.available => {
            Err(device(format!("device \"{name}\": {}", found.reason)))
        }
        Some(_) => Ok(Device::Cpu),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_available_devices_are_found() {
        assert!(matches!(find("auto"), Ok(Device::Cpu)));
        for device in devices() {
            assert_eq!(find(device.name).is_ok(), device.available);
        }
        assert!(matches!(find("abacus"), Err(Error::Device { .. })));
    }
}
