//! The memory of a process that holds keys and passwords, kept from other processes.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps, and on Linux reading the memory through /proc and ptrace(2) by processes of the same
/// user (`PR_SET_DUMPABLE`, prctl(2)). To be called before a secret is read. Children inherit the limit on
/// core dumps, not the rest.
///
/// # Errors
/// None on Linux; elsewhere what the system says.
pub fn forbid_dumps_and_tracing() -> io::Result<()> {
    // A pattern of core(5) that begins with a pipe ignores a limit of 0; what is not dumpable it obeys.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let limited = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    Ok(limited?)
}
