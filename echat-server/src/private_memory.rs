//! No image of the memory: it holds the host key and the passwords of those who log in.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// From now on no core file of this process is written, and only root may look into its memory or
/// attach a debugger (`PR_SET_DUMPABLE`, prctl(2)).
///
/// # Errors
/// None on Linux; elsewhere what the system says.
pub fn keep() -> io::Result<()> {
    // A pattern of core(5) that begins with a pipe ignores a limit of 0; what is not dumpable it obeys.
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
