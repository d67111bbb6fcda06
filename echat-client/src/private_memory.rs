//! Keeps the memory of the process out of other hands: it holds a password.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps, and on Linux reading the memory through /proc and ptrace(2) by processes of
/// the same user (`PR_SET_DUMPABLE` of prctl(2)). To be called before a password is read. Children
/// inherit the limit on core dumps, not the rest. What a system refuses is left as it is: a client
/// that cannot be closed off is better than none.
pub fn close() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
