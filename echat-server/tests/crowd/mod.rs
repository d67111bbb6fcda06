//! A room, clients that load its server, and what that costs the room.
//!
//! No verdict hangs on a time alone. A room is compared with one in a second server without load
//! ([`control`]), by a ratio with a wide margin, and again before it is believed. Other figures are printed by the
//! campaigns (CONTRIBUTING.md, "Long campaigns"), for a reader.

#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod control;
pub(crate) mod dripping;
pub(crate) mod flood;
pub(crate) mod greedy;
pub(crate) mod leaving;
pub(crate) mod long_log;
pub(crate) mod room;
pub(crate) mod silent;
pub(crate) mod watch;

use std::sync::atomic::{AtomicBool, Ordering};

use echat_testkit::server_process::{ServerFolder, ServerProcess};

/// Raises the soft limit on open files, as a service manager would have set it.
pub(crate) const ALL_FILES: &str = r#"ulimit -n "$(ulimit -Hn)""#;

/// A server with these `server.limits` and as many files as it may have.
pub(crate) fn start_with_limits(dir: &ServerFolder, limits: &str) -> ServerProcess {
    let config = format!(r#"{{"server": {{"limits": {limits}}}}}"#);
    dir.write("config.json", config);
    dir.start_behind(ALL_FILES, &["--log", "info"])
}

/// Sets the flag when this goes out of scope, in a panic too: a thread that runs until then must end.
pub(crate) struct Until<'a>(pub(crate) &'a AtomicBool);

impl Drop for Until<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
