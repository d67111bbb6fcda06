//! Where the programs under test are.
//!
//! Cargo builds the programs of a package before its tests, and names them in `CARGO_BIN_EXE_NAME` of their
//! environment. For tests of another package nothing is named, and a program in the target folder may be missing or
//! old. Then it is built first, with the test's own profile, into the test's own target folder. That takes a minute
//! even after all packages are built: a package alone has other features of its dependencies than the workspace.

use std::env;
use std::io;
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
    let path = folder.join(program);
    if is_current(&path, workspace(), &manifests()).unwrap_or(false) {
        return path;
    }
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
    path
}

fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("a package lies in the workspace")
}

/// The files besides the sources that a program depends on.
fn manifests() -> Vec<PathBuf> {
    let members = std::fs::read_dir(workspace()).unwrap();
    let members = members.map(|entry| entry.unwrap().path().join("Cargo.toml"));
    ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"]
        .map(|name| workspace().join(name))
        .into_iter()
        .chain(members)
        .filter(|path| path.exists())
        .collect()
}

/// Whether a program is as new as these files and as the sources that cargo lists in a file beside it (dep-info, in the
/// syntax of make), all of which lie in this workspace: another copy, also one in `target`, may use the same target
/// folder.
///
/// # Errors
/// The program, its list or one of its sources is missing.
fn is_current(program: &Path, workspace: &Path, manifests: &[PathBuf]) -> io::Result<bool> {
    let modified = |path: &Path| path.metadata()?.modified();
    let built = modified(program)?;
    let listed = std::fs::read_to_string(program.with_extension("d"))?;
    let (_, sources) = listed.trim_end().split_once(": ").unwrap_or_default();
    // A space within a path is escaped.
    let sources = sources.replace("\\ ", "\0");
    let sources = sources.split(' ').map(|path| path.replace('\0', " "));
    let mut files = sources.map(PathBuf::from).chain(manifests.iter().cloned());
    files.try_fold(true, |is_current, path| {
        let is_ours = path.starts_with(workspace) && !path.starts_with(workspace.join("target"));
        Ok(is_current && is_ours && modified(&path)? <= built)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_program_is_current_if_it_is_newer_than_all_it_was_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let [program, source, spaced, manifest] =
            ["program", "main.rs", "a text", "Cargo.toml"].map(|name| folder.path().join(name));
        let write = |path: &Path, second| {
            fs::write(path, "").unwrap();
            let time = UNIX_EPOCH + Duration::from_secs(second);
            File::options()
                .append(true)
                .open(path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        for path in [&source, &spaced, &manifest] {
            write(path, 1);
        }
        let of = |workspace: &Path| {
            is_current(&program, workspace, std::slice::from_ref(&manifest)).unwrap_or(false)
        };
        let is_current = || of(folder.path());
        assert!(!is_current(), "it is missing");
        write(&program, 2);
        assert!(!is_current(), "its list is missing");
        let escaped = spaced.to_str().unwrap().replace(' ', "\\ ");
        let list = format!("{}: {} {escaped}\n", program.display(), source.display());
        fs::write(folder.path().join("program.d"), list).unwrap();
        assert!(is_current());
        assert!(!of(Path::new("/another/copy")));
        for path in [&source, &spaced, &manifest] {
            write(path, 3);
            assert!(!is_current(), "{} is newer", path.display());
            write(path, 1);
        }
        assert!(is_current());
        fs::remove_file(&source).unwrap();
        assert!(!is_current(), "a source is gone");
    }
}
