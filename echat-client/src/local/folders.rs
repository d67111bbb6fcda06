//! Where a user's own files are, as the XDG base directory specification has it: an empty variable
//! counts as absent, and so does a relative one. And a path that the user types.

use std::ffi::OsString;
use std::path::PathBuf;

/// What the client remembers: `echat` in `$XDG_STATE_HOME`, else in `~/.local/state`.
pub(crate) fn state(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    place(variable, "XDG_STATE_HOME", ".local/state")
}

/// What the user chose: `echat` in `$XDG_CONFIG_HOME`, else in `~/.config`.
pub(crate) fn config(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    place(variable, "XDG_CONFIG_HOME", ".config")
}

/// A path as a user types it: `~` is the home folder, also in the full-width form of an input method. `None` if that is
/// not known.
pub(crate) fn typed(path: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let Some(behind) = path.strip_prefix(['~', '～']) else {
        return Some(path.into());
    };
    if !behind.is_empty() && !behind.starts_with(['/', '／']) {
        return Some(path.into());
    }
    let home = variable("HOME").filter(|home| !home.is_empty())?;
    Some(PathBuf::from(home).join(behind.trim_start_matches(['/', '／'])))
}

fn place(
    variable: impl Fn(&str) -> Option<OsString>,
    name: &str,
    at_home: &str,
) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    set(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(at_home)))
        .map(|folder| folder.join("echat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_folder() {
        let home = |name: &str| (name == "HOME").then(|| "/home/ann".into());
        for (path, meant) in [
            ("~/a b", "/home/ann/a b"),
            ("～／导出", "/home/ann/导出"),
            ("~", "/home/ann/"),
            ("~bob/a", "~bob/a"),
            ("a/~", "a/~"),
            ("/a", "/a"),
        ] {
            assert_eq!(typed(path, home), Some(meant.into()), "{path}");
        }
        assert_eq!(typed("~/a", |_| None), None);
        assert_eq!(typed("~/a", |_| Some(OsString::new())), None);
    }
}
