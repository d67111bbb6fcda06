//! The memory of both clients holds a password: no core dump has it, and no other process of the
//! same user reads it.
#![cfg(target_os = "linux")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use echat_system::proc;
use echat_testkit::scene::Scene;
use rustix::process::geteuid;

const ECHAT_NC: &str = env!("CARGO_BIN_EXE_echat-nc");
const ECHAT: &str = env!("CARGO_BIN_EXE_echat");
/// Files of root's processes are root's in any case: root runs the clients as this user.
const NOBODY: u32 = 65_534;

/// A program of this scene, as a user who is not root.
fn as_a_user(scene: &Scene, program: &str) -> (Command, u32) {
    if !geteuid().is_root() {
        return (scene.command(program), geteuid().as_raw());
    }
    // Where every user may execute it.
    let copy = scene.path("program");
    fs::copy(program, &copy).unwrap();
    for path in [scene.path(""), copy.clone()] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = scene.command(copy.to_str().unwrap());
    command.uid(NOBODY).gid(NOBODY);
    (command, NOBODY)
}

fn ends(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn neither_client_dumps_core_or_can_be_read() {
    for program in [ECHAT, ECHAT_NC] {
        let scene = Scene::new();
        let (mut command, _) = as_a_user(&scene, program);
        let link = scene.link();
        command
            .args(["--user", "ann", "--password-env", "TEST_PASSWORD", &link])
            .env("TEST_PASSWORD", "correct horse")
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let child = command.spawn().unwrap();
        let mut end = scene.server.accept();
        end.hears().expect("a LOGIN");
        let limits = proc::core_file_limits(child.id()).unwrap();
        assert_eq!(limits, ["0", "0"], "{program}");
        assert_eq!(proc::memory_owner(child.id()), Some(0), "{program}");
        ends(child);
    }
}

#[test]
fn control_another_program_is_readable_by_its_user() {
    let scene = Scene::new();
    let sleep = ["/usr/bin/sleep", "/bin/sleep"];
    let sleep = sleep.iter().find(|path| fs::exists(path).unwrap()).unwrap();
    let (mut command, user) = as_a_user(&scene, sleep);
    command.arg("600").stdout(Stdio::piped());
    // It is there when spawn is back: that waits for exec.
    let child = command.spawn().unwrap();
    assert_eq!(proc::memory_owner(child.id()), Some(user));
    ends(child);
}
