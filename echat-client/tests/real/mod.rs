//! The real server, built anew if it is stale, for the real client to talk to.

#![allow(dead_code, reason = "each test program uses its own part")]

#[path = "../../../echat-server/tests/server_process/running.rs"]
mod running;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

pub(crate) use running::ServerProcess;

/// The server's binary. Cargo builds the binaries of a test's own package alone, and what lies in
/// the target folder may be of another day.
static SERVER: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("target/PROFILE/deps/TEST");
    let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev",
        other => other,
    };
    let target = folder.parent().unwrap();
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "-p",
            "echat-server",
            "--profile",
            profile,
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success());
    folder.join("echat-server")
});

/// The server's binary.
pub(crate) fn binary() -> &'static Path {
    &SERVER
}

/// Starts a server on a free port; its data is in this folder.
pub(crate) fn start(folder: &Path, args: &[&str]) -> ServerProcess {
    let mut command = Command::new(&*SERVER);
    command
        .args(["--listen", "127.0.0.1:0", "--data", "data"])
        .args(args)
        .current_dir(folder)
        .env_remove("ECHAT_CONFIG")
        .env_remove("ECHAT_LOG");
    ServerProcess::start(command)
}
