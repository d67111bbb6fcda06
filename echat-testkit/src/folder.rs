//! Temporary folders.

use tempfile::TempDir;

/// A disk in memory, where there is one.
const MEMORY: &str = "/dev/shm";
/// Bytes that must be free there.
const ROOMY: u64 = 256 << 20;

/// An empty folder in memory, where the system has a file system there with room enough, else on disk. Syncs cost
/// nothing in memory. Programs cannot be run from it on every system.
pub fn in_memory() -> TempDir {
    let is_roomy = rustix::fs::statvfs(MEMORY)
        .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) > ROOMY);
    let in_memory = is_roomy
        .then(|| tempfile::tempdir_in(MEMORY).ok())
        .flatten();
    in_memory.unwrap_or_else(|| tempfile::tempdir().unwrap())
}
