//! Protects the memory of the process, which contains the host key and passwords of logins.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Prevents core files of this process. Only root can then read its memory or attach a debugger (`PR_SET_DUMPABLE`,
/// prctl(2)).
///
/// # Errors
/// None on Linux; on other systems, the system's error.
pub fn keep() -> io::Result<()> {
    // A core_pattern that begins with a pipe (core(5)) ignores a size limit of 0, but respects this flag.
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
