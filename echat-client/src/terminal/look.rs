//! What a terminal can show, and what its owner wants.

use std::ffi::{OsStr, OsString};

use echat_proto::config::Notify;

use super::Charset;

/// How lines are painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Appearance {
    /// Styles have colours.
    pub colour: bool,
    /// A prompt is kept at the bottom; without, lines and prompts only follow one another, and
    /// there are no escape codes at all.
    pub redraw: bool,
    /// Characters beyond ASCII may be written.
    pub utf8: bool,
    /// A link may be marked as one, so that it can be opened as a whole however it is divided (OSC 8).
    pub links: bool,
    /// How the desktop is told of a message; not [`Notify::Auto`].
    pub notify: Notify,
}

/// What flags and settings say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppearanceOptions {
    /// No colours.
    pub no_colour: bool,
    /// No redrawing: for screen readers and old terminals.
    pub plain: bool,
}

impl Appearance {
    /// Everything that a terminal of today can do.
    #[cfg(test)]
    pub(crate) const FULL: Self = Self {
        colour: true,
        redraw: true,
        utf8: true,
        links: true,
        notify: Notify::Off,
    };

    /// Lines only, as for a pipe.
    pub const PLAIN: Self = Self {
        colour: false,
        redraw: false,
        utf8: true,
        links: false,
        notify: Notify::Off,
    };

    /// What the environment's `NO_COLOR`, `TERM` and locale say, and the wishes above them. An
    /// unset locale counts as ASCII, as it does for every other program.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>, wishes: AppearanceOptions) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM");
        let term = term.as_deref().and_then(OsStr::to_str).unwrap_or("");
        let redraw = !wishes.plain && !matches!(term, "" | "dumb");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| set(name));
        Self {
            colour: redraw && !wishes.no_colour && set("NO_COLOR").is_none(),
            redraw,
            utf8: locale.is_some_and(|locale| shows_all(&locale)),
            links: redraw && knows_links(term, set),
            notify: Notify::Off,
        }
    }
}

/// Whether the terminal is known to mark links. One that does not know OSC 8 ignores it by the standard, but old ones
/// show it, so that only names that are known count. A multiplexer may be of any age.
fn knows_links(term: &str, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    if ["tmux", "screen"].iter().any(|name| term.starts_with(name)) || variable("TMUX").is_some() {
        return false;
    }
    let terms = [
        "foot",
        "xterm-kitty",
        "alacritty",
        "xterm-ghostty",
        "wezterm",
        "contour",
    ];
    let programs = [
        "iTerm.app",
        "WezTerm",
        "ghostty",
        "vscode",
        "Tabby",
        "Hyper",
        "rio",
    ];
    let number = |name: &str| {
        let value = variable(name)?;
        value.to_str()?.parse::<u32>().ok()
    };
    terms.iter().any(|name| term.starts_with(name))
        || variable("TERM_PROGRAM").is_some_and(|known| programs.iter().any(|name| known == *name))
        // 0.50 of VTE has it, without the faults of its first versions from 0.50.1 on.
        || number("VTE_VERSION").is_some_and(|version| version > 5_000)
        || number("KONSOLE_VERSION").is_some_and(|version| version >= 201_200)
        || variable("WT_SESSION").is_some()
}

fn shows_all(locale: &OsStr) -> bool {
    is_utf8(locale) || Charset::of_name(locale).is_some()
}

fn is_utf8(locale: &OsStr) -> bool {
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(variables: &[(&str, &str)], wishes: AppearanceOptions) -> Appearance {
        let value = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Appearance::of(value, wishes)
    }

    #[test]
    fn the_environment_decides() {
        let usual = [("TERM", "foot"), ("LANG", "zh_CN.UTF-8")];
        assert_eq!(look(&usual, AppearanceOptions::default()), Appearance::FULL);
        let dumb = [("TERM", "dumb"), ("LANG", "en_US.utf8")];
        assert_eq!(look(&dumb, AppearanceOptions::default()), Appearance::PLAIN);
        let none = [("TERM", "xterm"), ("NO_COLOR", "1"), ("LC_ALL", "C")];
        let none = look(&none, AppearanceOptions::default());
        assert!(!none.colour && none.redraw && !none.utf8);
    }

    #[test]
    fn links_are_marked_where_the_terminal_is_known() {
        for (variables, expected) in [
            (&[("TERM", "xterm-256color")][..], false),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")], true),
            (
                &[("TERM", "xterm-256color"), ("VTE_VERSION", "4205")],
                false,
            ),
            (
                &[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")],
                true,
            ),
            (
                &[
                    ("TERM", "xterm-256color"),
                    ("TERM_PROGRAM", "Apple_Terminal"),
                ],
                false,
            ),
            (&[("TERM", "xterm-256color"), ("WT_SESSION", "x")], true),
            (&[("TERM", "xterm-kitty")], true),
            (&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x")], false),
            (&[("TERM", "tmux-256color"), ("VTE_VERSION", "7600")], false),
            (&[("TERM", "dumb"), ("WT_SESSION", "x")], false),
        ] {
            assert_eq!(
                look(variables, AppearanceOptions::default()).links,
                expected,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn options_override_the_environment() {
        let usual = [("TERM", "foot"), ("LANG", "C.UTF-8")];
        let plain = AppearanceOptions {
            plain: true,
            ..AppearanceOptions::default()
        };
        assert_eq!(look(&usual, plain), Appearance::PLAIN);
        let no_colour = AppearanceOptions {
            no_colour: true,
            ..AppearanceOptions::default()
        };
        assert!(!look(&usual, no_colour).colour);
    }
}
