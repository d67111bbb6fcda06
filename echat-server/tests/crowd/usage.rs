//! What a server uses, from /proc (proc(5)).

use std::fs;
use std::time::Duration;

use echat_testkit::server_process::ServerProcess;

fn proc(server: &ServerProcess, entry: &str) -> String {
    format!("/proc/{}/{entry}", server.pid().as_raw_nonzero())
}

/// The number in a line of a `status` file.
fn status(path: &str, key: &str) -> u64 {
    let status = fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect(key).parse().unwrap()
}

/// Memory that is in RAM, in KiB.
pub(crate) fn resident_kib(server: &ServerProcess) -> u64 {
    status(&proc(server, "status"), "VmRSS:")
}

/// The most memory that was ever in RAM, in KiB.
pub(crate) fn peak_kib(server: &ServerProcess) -> u64 {
    status(&proc(server, "status"), "VmHWM:")
}

/// Open files, connections among them.
pub(crate) fn files(server: &ServerProcess) -> usize {
    let fd = proc(server, "fd");
    match fs::read_dir(&fd) {
        Ok(files) => files.count(),
        // Only root looks into a server; its size is the count too, since Linux 6.2.
        Err(_) => usize::try_from(fs::metadata(&fd).unwrap().len()).unwrap(),
    }
}

/// User and system time so far.
pub(crate) fn cpu(server: &ServerProcess) -> Duration {
    let stat = fs::read_to_string(proc(server, "stat")).unwrap();
    // The name may hold spaces; it ends at the last parenthesis.
    let fields = stat.rsplit_once(')').unwrap().1;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    let per_second = u32::try_from(rustix::param::clock_ticks_per_second()).unwrap();
    Duration::from_secs(ticks) / per_second
}

/// How often the process's threads gave up the processor by themselves: each wake-up ends so.
pub(crate) fn switches(server: &ServerProcess) -> u64 {
    let tasks = fs::read_dir(proc(server, "task")).unwrap();
    tasks
        .map(|task| task.unwrap().path().join("status"))
        .map(|path| status(path.to_str().unwrap(), "voluntary_ctxt_switches:"))
        .sum()
}
