//! What the machine has left.

mod limits;

use std::fs::read_to_string;

/// Bytes that a device needs beside the arrays of a training: cuBLAS's workspace, and what its pool of memory cannot
/// fill.
pub const DEVICE_RESERVE: u64 = 1 << 29;

/// Bytes of memory that a process can still take, or None where that cannot be told (only Linux
/// says so): what the kernel calls available, or less where the system sets a limit, for a container, a job of a cluster, or the
/// address space.
pub fn available_memory() -> Option<u64> {
    let kernel = read_to_string("/proc/meminfo").ok();
    let free = kernel.as_deref().and_then(available_in)?;
    Some(limits::left().map_or(free, |left| free.min(left)))
}

/// The line `MemAvailable: <n> kB`.
fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|l| l.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read_in_bytes() {
        let text = "MemTotal:       24576 kB\nMemAvailable:   1024 kB\n";
        assert_eq!(available_in(text), Some(1 << 20));
        assert_eq!(available_in("MemTotal: 1 kB\n"), None);
    }
}
