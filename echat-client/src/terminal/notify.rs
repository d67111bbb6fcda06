//! Which sequence asks a terminal for a desktop notification.

use std::ffi::{OsStr, OsString};

use echat_proto::config::Notify;

/// Terminals that show OSC 9, by `TERM_PROGRAM` or `LC_TERMINAL`.
const OSC9_PROGRAMS: [&str; 5] = ["iTerm.app", "iTerm2", "WezTerm", "ghostty", "kitty"];

/// A choice on the terminal that the environment describes: never [`Notify::Auto`]. Inside a
/// multiplexer that is the bell: it passes that on, and the environment may describe the
/// terminal outside.
pub fn notification_for(choice: Notify, variable: impl Fn(&str) -> Option<OsString>) -> Notify {
    if choice != Notify::Auto {
        return choice;
    }
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let text = |name: &str| {
        let value = set(name).unwrap_or_default();
        value.to_string_lossy().into_owned()
    };
    let term = text("TERM");
    let is_inside = ["TMUX", "STY", "ZELLIJ"]
        .iter()
        .any(|name| set(name).is_some())
        || ["screen", "tmux"].iter().any(|name| term.starts_with(name));
    let is_osc9 = ["TERM_PROGRAM", "LC_TERMINAL"].iter().any(|name| {
        let value = set(name);
        OSC9_PROGRAMS
            .iter()
            .any(|known| value.as_deref() == Some(OsStr::new(known)))
    }) || term.starts_with("xterm-kitty")
        || term.starts_with("xterm-ghostty");
    let is_osc777 = term.starts_with("foot")
        || term.starts_with("rxvt-unicode")
        || set("VTE_VERSION").is_some();
    match (is_inside, is_osc9, is_osc777) {
        (false, true, _) => Notify::Osc9,
        (false, false, true) => Notify::Osc777,
        _ => Notify::Bell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(notify: Notify, variables: &[(&str, &str)]) -> Notify {
        notification_for(notify, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn under_auto_the_terminal_decides_the_alert() {
        for (variables, expected) in [
            (&[("TERM", "xterm-256color")][..], Notify::Bell),
            (&[], Notify::Bell),
            (&[("TERM", "xterm-kitty")], Notify::Osc9),
            (&[("TERM_PROGRAM", "iTerm.app")], Notify::Osc9),
            (&[("TERM", "foot")], Notify::Osc777),
            (&[("TERM", "rxvt-unicode-256color")], Notify::Osc777),
            (&[("VTE_VERSION", "7200")], Notify::Osc777),
            (&[("VTE_VERSION", "")], Notify::Bell),
            (&[("VTE_VERSION", "7200"), ("TMUX", "/tmp/1")], Notify::Bell),
            (&[("TERM", "xterm-kitty"), ("STY", "1.pts")], Notify::Bell),
            (
                &[("TERM_PROGRAM", "WezTerm"), ("TERM", "screen.xterm")],
                Notify::Bell,
            ),
            (
                &[("LC_TERMINAL", "iTerm2"), ("TERM", "tmux-256color")],
                Notify::Bell,
            ),
        ] {
            assert_eq!(at(Notify::Auto, variables), expected, "{variables:?}");
            for chosen in [Notify::Off, Notify::Bell, Notify::Osc9, Notify::Osc777] {
                assert_eq!(at(chosen, variables), chosen, "{variables:?}");
            }
        }
    }
}
