//! What the figures were measured on.

use std::fs;

use super::super::Failure;
use super::{Bench, first_line};

/// Extensions of a processor that make AES and SHA-256 cheap.
const EXTENSIONS: &[&str] = &["aes", "vaes", "sha_ni"];

/// The machine, as pairs of a name and a value.
pub(super) fn describe(bench: &Bench) -> Result<Vec<(&'static str, String)>, Failure> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let unknown = || "unknown".to_owned();
    let flags = field("flags").unwrap_or_default();
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let extensions = EXTENSIONS.iter().map(|name| {
        let has = if flags.contains(name) { "" } else { "no " };
        format!("{has}{name}")
    });
    let extensions: Vec<String> = extensions.collect();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kib = memory.split_whitespace().nth(1);
    let kib: u64 = kib.and_then(|kib| kib.parse().ok()).unwrap_or_default();
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    Ok(vec![
        ("processor", field("model name").unwrap_or_else(unknown)),
        ("extensions", extensions.join(", ")),
        ("cores", processors(&cpuinfo).to_string()),
        ("memory", format!("{} GiB", kib >> 20)),
        ("kernel", kernel.trim().to_owned()),
        (
            "system",
            system.unwrap_or("unknown").trim_matches('"').to_owned(),
        ),
        ("pinned", bench.cores.describe()),
        (
            "date",
            first_line("date".into(), "+%Y-%m-%d").unwrap_or_else(unknown),
        ),
    ])
}

/// The processors of the machine. This thread may use one of them only, since it is pinned.
fn processors(cpuinfo: &str) -> usize {
    let fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    fields
        .filter(|(name, _)| name.trim() == "processor")
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_processor_of_the_machine_counts() {
        let cpuinfo = "processor\t: 0\nmodel name\t: a processor\n\nprocessor\t: 1\nmodel name\t: a processor\n";
        assert_eq!(processors(cpuinfo), 2);
    }
}
