//! The memory of the real server stays its own: no core file, no look from outside.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use echat_system::proc;
use echat_testkit::server_process::{ServerFolder, ServerProcess};
use rustix::process::{Signal, getuid};

const SERVER: &str = env!("CARGO_BIN_EXE_echat-server");

/// A user who owns nothing of the system.
const NOBODY: u32 = 65_534;

/// A server of a user who is not root: this one, or, for root, another.
fn server_of_a_user(dir: &ServerFolder) -> (ServerProcess, u32) {
    let mut command = dir.command("ulimit -c unlimited 2>/dev/null || ulimit -c hard", &ARGS);
    let own = getuid().as_raw();
    if own != 0 {
        return (ServerProcess::start(command), own);
    }
    // A program that a user may not read is not dumpable anyway, and would show nothing here.
    let mode = fs::metadata(SERVER).unwrap().permissions().mode();
    assert_eq!(mode & 0o005, 0o005, "{SERVER}");
    chown(dir.path(""), Some(NOBODY), Some(NOBODY)).unwrap();
    command.uid(NOBODY).gid(NOBODY);
    (ServerProcess::start(command), NOBODY)
}

const ARGS: [&str; 2] = ["--listen", "127.0.0.1:0"];

#[test]
fn the_server_leaves_no_core_and_hides_its_memory() {
    let dir = ServerFolder::new();
    let (server, user) = server_of_a_user(&dir);
    let limits = proc::core_file_limits(server.id()).unwrap();
    assert_eq!(limits, ["0", "0"]);
    assert_eq!(proc::memory_owner(server.id()), Some(0));

    // Another process of the same user is its user's.
    let mut other = Command::new("cat");
    other
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    if getuid().is_root() {
        other.uid(NOBODY).gid(NOBODY);
    }
    let mut other = other.spawn().unwrap();
    // It echoes: it runs cat by now.
    let echoed = std::io::Write::write_all(other.stdin.as_mut().unwrap(), b"x")
        .and_then(|()| std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut [0]));
    let seen = proc::memory_owner(other.id()).unwrap();
    drop(other.stdin.take());
    other.wait().unwrap();
    echoed.unwrap();
    assert_eq!(seen, user);

    server.signal(Signal::ABORT);
    assert!(!format!("{:?}", server.end().status).contains("core dumped"));
}
