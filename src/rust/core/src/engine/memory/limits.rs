//! What limits of the system leave to this process: of control groups (a container, a job of a cluster), and of its address
//! space (`ulimit -v`).

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// Files of one version of control groups, and the line of their statistics with the cache that the kernel gives back when asked.
struct Version {
    root: &'static str,
    most: &'static str,
    used: &'static str,
    cache: &'static str,
}

const FIRST: Version = Version {
    root: "/sys/fs/cgroup/memory",
    most: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cache: "total_inactive_file",
};
const SECOND: Version = Version {
    root: "/sys/fs/cgroup",
    most: "memory.max",
    used: "memory.current",
    cache: "inactive_file",
};

/// The least that any limit leaves, in bytes; None where there is none.
pub(super) fn left() -> Option<u64> {
    let read = |path: &Path| read_to_string(path).ok();
    let groups = left_in_groups(read);
    let space = left_of_space(read);
    groups.into_iter().chain(space).min()
}

/// A group's limit holds for the groups in it, so all up to the root are looked at.
fn left_in_groups(read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let groups = read(Path::new("/proc/self/cgroup"))?;
    let ours = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let version = match controllers {
            "" => SECOND,
            names if names.split(',').any(|name| name == "memory") => FIRST,
            _ => return None,
        };
        Some((version, path))
    });
    let left = ours.flat_map(|(version, path)| {
        let path = PathBuf::from(path);
        let folders = path.ancestors().map(|inside| {
            let inside = inside.strip_prefix("/").unwrap_or(inside);
            Path::new(version.root).join(inside)
        });
        let left = folders.filter_map(|folder| left_in(&version, &folder, &read));
        left.collect::<Vec<_>>()
    });
    left.min()
}

fn left_in(
    version: &Version,
    folder: &Path,
    read: &impl Fn(&Path) -> Option<String>,
) -> Option<u64> {
    let number = |file: &str| -> Option<u64> { read(&folder.join(file))?.trim().parse().ok() };
    let most = number(version.most)?;
    let statistics = read(&folder.join("memory.stat")).unwrap_or_default();
    let cache = statistics.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == version.cache)
            .then(|| value.trim().parse().ok())
            .flatten()
    });
    let used = number(version.used)?.saturating_sub(cache.unwrap_or(0));
    Some(most.saturating_sub(used))
}

/// The soft limit less what is taken.
fn left_of_space(read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let limits = read(Path::new("/proc/self/limits"))?;
    let line = limits
        .lines()
        .find_map(|l| l.strip_prefix("Max address space"))?;
    let most: u64 = line.split_whitespace().next()?.parse().ok()?;
    let status = read(Path::new("/proc/self/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmSize:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(most.saturating_sub(1024 * kilobytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files<'a>(files: &'a [(&'a str, &'a str)]) -> impl Fn(&Path) -> Option<String> + 'a {
        |path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| (*text).to_owned())
        }
    }

    #[test]
    fn a_job_of_a_cluster_has_what_its_groups_leave() {
        let second = [
            ("/proc/self/cgroup", "0::/slurm/job_1/step\n"),
            ("/sys/fs/cgroup/slurm/job_1/memory.max", "1000\n"),
            ("/sys/fs/cgroup/slurm/job_1/memory.current", "700\n"),
            (
                "/sys/fs/cgroup/slurm/job_1/memory.stat",
                "anon 500\ninactive_file 150\n",
            ),
            ("/sys/fs/cgroup/slurm/job_1/step/memory.max", "max\n"),
            ("/sys/fs/cgroup/slurm/job_1/step/memory.current", "10\n"),
        ];
        assert_eq!(left_in_groups(files(&second)), Some(450));
        let first = [
            (
                "/proc/self/cgroup",
                "5:cpu:/\n4:hugetlb,memory:/job\n0::/\n",
            ),
            ("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "100\n"),
            ("/sys/fs/cgroup/memory/job/memory.usage_in_bytes", "120\n"),
            (
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "5\n"),
        ];
        assert_eq!(left_in_groups(files(&first)), Some(0));
        assert_eq!(left_in_groups(files(&[])), None);
    }

    #[test]
    fn an_address_space_has_what_its_limit_leaves() {
        let status = "Name: R\nVmSize:\t    3 kB\n";
        let left = |most: &str| {
            let limits = format!("Limit Soft\nMax address space         {most} unlimited bytes\n");
            let known = [
                ("/proc/self/limits", limits.as_str()),
                ("/proc/self/status", status),
            ];
            left_of_space(files(&known))
        };
        assert_eq!(left("10000"), Some(10_000 - 3 * 1024));
        assert_eq!(left("unlimited"), None);
    }
}
