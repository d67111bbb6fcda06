//! What a process of this machine uses, as Linux shows it under /proc (proc(5)).
//!
//! Every function gives `None` where there is no such process, no /proc, or no permission.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

/// User and system time of all threads so far, in steps of a clock tick (10 ms on most systems).
pub fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces; it ends at the last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let per_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_secs(ticks) / u32::try_from(per_second).ok()?)
}

/// Memory in RAM, in KiB.
pub fn resident_kib(pid: u32) -> Option<u64> {
    number_in(&status(pid)?, "VmRSS:")
}

/// The most memory that was ever in RAM, in KiB.
pub fn peak_resident_kib(pid: u32) -> Option<u64> {
    number_in(&status(pid)?, "VmHWM:")
}

/// Open file descriptors, connections among them.
pub fn open_files(pid: u32) -> Option<usize> {
    let folder = format!("/proc/{pid}/fd");
    match fs::read_dir(&folder) {
        Ok(files) => Some(files.count()),
        // Only root reads the folder of a process that is not dumpable; its size is the count, since Linux 6.2.
        Err(_) => usize::try_from(fs::metadata(&folder).ok()?.len()).ok(),
    }
}

/// How often the threads of the process have given up the processor to wait: each wake-up ends so.
pub fn voluntary_switches(pid: u32) -> Option<u64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    tasks
        .map(|task| {
            let status = fs::read_to_string(task.ok()?.path().join("status")).ok()?;
            number_in(&status, "voluntary_ctxt_switches:")
        })
        .sum()
}

/// The soft and the hard limit on core files, in bytes or `unlimited`.
pub fn core_file_limits(pid: u32) -> Option<[String; 2]> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"))?;
    let mut words = line.split_whitespace().map(str::to_owned);
    Some([words.next()?, words.next()?])
}

/// The user that owns what the system shows of the memory of the process. It is root (0) for a process that
/// is not dumpable, the user of the process for another.
pub fn memory_owner(pid: u32) -> Option<u32> {
    let environment = fs::metadata(format!("/proc/{pid}/environ")).ok()?;
    Some(environment.uid())
}

fn status(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/status")).ok()
}

/// The number in the line of a `status` file that begins with `key`.
fn number_in(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_reads_its_own_usage() {
        let pid = std::process::id();
        let (now, peak) = (resident_kib(pid).unwrap(), peak_resident_kib(pid).unwrap());
        assert!(0 < now && now <= peak, "{now} KiB, at most {peak}");
        let before = open_files(pid).unwrap();
        let file = fs::File::open("/proc/self/stat").unwrap();
        assert!(open_files(pid).unwrap() >= before.min(1));
        drop(file);
        assert!(cpu_time(pid).is_some());
        assert!(voluntary_switches(pid).is_some());
        assert!(core_file_limits(pid).is_some());
        assert!(memory_owner(pid).is_some());
    }

    #[test]
    fn a_missing_process_has_no_usage() {
        // Above the greatest pid of Linux, 2^22.
        let pid = u32::MAX;
        assert_eq!(cpu_time(pid), None);
        assert_eq!(resident_kib(pid), None);
        assert_eq!(open_files(pid), None);
        assert_eq!(voluntary_switches(pid), None);
    }
}
