//! The files of the workspace, and what of them is code.

use std::fs;
use std::path::{Path, PathBuf};

/// A Rust file.
pub(crate) struct Source {
    /// From the workspace's root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Lines with their numbers, without comments and without the tests at the bottom.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = lines
            .windows(2)
            .position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {"));
        let end = tests.unwrap_or(lines.len());
        (1..)
            .zip(lines.into_iter().take(end))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Whether it is a part of a library or a program, rather than a test, an example or a benchmark.
    pub(crate) fn is_source(&self) -> bool {
        let file = self.path.rsplit('/').next();
        self.path.contains("/src/") && !self.path.contains("/tests/") && file != Some("tests.rs")
    }

    /// `file:line`, which editors and terminals can open.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// What lies inside the crate's `src`, if it is there.
    pub(crate) fn inside(&self, krate: &str) -> Option<&str> {
        self.path.strip_prefix(krate)?.strip_prefix("/src/")
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
        .to_owned()
}

/// Every Rust file of the crates, `echat-testkit` among them, and of the fuzz targets, sorted by path.
pub(crate) fn sources() -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    for krate in [
        "echat-proto",
        "echat-system",
        "echat-server",
        "echat-client",
        "echat-testkit",
        "fuzz",
    ] {
        walk(&root, &root.join(krate), &mut found);
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 50, "no workspace at {}", root.display());
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            if !path.ends_with("target") {
                walk(root, &path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let inside = path.strip_prefix(root).expect("below the root");
            found.push(Source {
                path: inside.to_str().expect("UTF-8").replace('\\', "/"),
                text: fs::read_to_string(&path).expect("a readable file"),
            });
        }
    }
}

/// Whether `line` has `name` as a whole path or a whole part of one: `mio` is in `mio::Poll` and
/// not in `signal_hook_mio`.
pub(crate) fn has_path(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}
