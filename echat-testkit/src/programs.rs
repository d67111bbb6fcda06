//! Where the programs under test are.
//!
//! Cargo builds the programs of a package before its tests, and names them in `CARGO_BIN_EXE_NAME` of their
//! environment. For tests of another package nothing is built or named: what lies in the target folder may be
//! old. There the program is built first, with the test's own profile, into the test's own target folder.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

static SERVER: LazyLock<PathBuf> = LazyLock::new(|| find("echat-server", "echat-server"));
static NC: LazyLock<PathBuf> = LazyLock::new(|| find("echat-client", "echat-nc"));

/// The path of `echat-server`.
pub fn server() -> &'static Path {
    &SERVER
}

/// The path of `echat-nc`.
pub fn nc() -> &'static Path {
    &NC
}

/// The folder `tmp` of the target folder, for files that tests make once.
pub fn temporary_folder() -> PathBuf {
    let folder = profile_folder().with_file_name("tmp");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// `target/PROFILE`, from the path of the test: `target/PROFILE/deps/TEST`.
fn profile_folder() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent);
    folder.expect("a test lies in a target folder").to_owned()
}

fn find(package: &str, program: &str) -> PathBuf {
    if let Some(path) = env::var_os(format!("CARGO_BIN_EXE_{program}")) {
        return path.into();
    }
    let folder = profile_folder();
    let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev",
        other => other,
    };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "-p", package, "--profile", profile])
        .arg("--target-dir")
        .arg(folder.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success());
    folder.join(program)
}
