//! Every file that echat and echat-nc write is its owner's alone, also where the system would let
//! every user read it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use echat_testkit::scene::{Outcome, SECRET, Scene, outcome};
use echat_testkit::server_process::ServerProcess;

const ECHAT_NC: &str = env!("CARGO_BIN_EXE_echat-nc");
const ECHAT: &str = env!("CARGO_BIN_EXE_echat");

/// Runs a program under umask 000, with all of its input already there.
fn run(scene: &Scene, program: &str, arguments: &[&str], input: &str) -> Outcome {
    let mut command = scene.command("sh");
    command.args(["-c", r#"umask 000; exec "$0" "$@""#, program]);
    command
        .args(arguments)
        .env("HOME", home(scene))
        .env_remove("ECHAT_KNOWN_HOSTS");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    outcome(child)
}

fn home(scene: &Scene) -> PathBuf {
    scene.path("home")
}

/// The names of all files below a folder. They and the folders must be their owner's alone.
fn private_files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        let private = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, private, "{}", path.display());
        if path.is_dir() {
            names.extend(private_files(&path));
        } else {
            names.extend(
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    names
}

#[test]
fn files_are_private_under_umask_000() {
    let scene = Scene::new();
    fs::create_dir(home(&scene)).unwrap();
    let server = ServerProcess::start_in(&scene.path(""), &["--log", "off"]);
    let (address, password) = (
        server.address().to_string(),
        scene.write("password", SECRET),
    );
    let credentials = format!(r#"{{"username":"ann","password":"{SECRET}"}}"#);
    let register = ["--accept-new", &address, "REGISTER", &credentials];
    run(&scene, ECHAT_NC, &register, "").exits(0);
    let login = ["--user", "ann", "--password-file", &password, &address];
    run(&scene, ECHAT, &login, "room1=\n@r room1 hello\n").exits(0);
    let state = home(&scene).join(".local/state/echat");
    // The file of unsent lines is there only while there are some; it is made like known_hosts. The first two are
    // the secret of the device and its lock.
    assert_eq!(
        private_files(&state),
        [
            "ann",
            "ann.lock",
            "ann.lock",
            "known_hosts",
            "known_hosts.lock"
        ]
    );
}
