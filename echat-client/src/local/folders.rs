//! Where a user's own files are, as the XDG base directory specification has it: an empty variable
//! counts as absent, and so does a relative one.

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
