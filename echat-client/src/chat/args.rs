//! The command line as clap reads it, and the text of `--help`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Command, CommandFactory, FromArgMatches, Parser};

use crate::exit::Exit;
use crate::text::Language;

/// Talk with people on an echat server, encrypted, in a terminal
#[derive(Debug, Parser)]
#[command(name = "echat", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag")]
pub(super) struct Flags {
    /// host:port, or echat://[user@]host:port[/room][#SHA256:...]
    pub(super) address: Option<String>,
    /// Log in as this user; the password is asked for unless told where it is
    #[arg(long)]
    pub(super) user: Option<String>,
    /// The environment variable that holds the password
    #[arg(long, value_name = "VARIABLE", group = "password")]
    pub(super) password_env: Option<String>,
    /// The file that holds the password (one line)
    #[arg(long, value_name = "FILE", group = "password")]
    pub(super) password_file: Option<PathBuf>,
    /// The shell command that says the password (one line)
    #[arg(long, value_name = "COMMAND", group = "password")]
    pub(super) password_command: Option<String>,
    /// The language: en or zh; else the configuration's, else the locale's
    #[arg(long, value_name = "LANGUAGE")]
    pub(super) lang: Option<Language>,
    /// Read the section "client" of this file and of no other
    #[arg(
        long,
        value_name = "FILE",
        env = "ECHAT_CONFIG",
        hide_env_values = true
    )]
    pub(super) config: Option<PathBuf>,
    /// No colours
    #[arg(long)]
    pub(super) no_color: bool,
    /// Never redraw: for screen readers and old terminals
    #[arg(long)]
    pub(super) plain: bool,
    /// Times in UTC instead of local time
    #[arg(long)]
    pub(super) utc: bool,
    /// Shorter lines: HH:MM name: text
    #[arg(long)]
    pub(super) compact: bool,
    /// Give up after so many seconds; only where there is no terminal
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
}

/// What follows the options in `--help`.
const MORE: &str = "\
On a terminal, `help` lists what can be typed. Without one, every line of standard input is
taken as if it were typed, what is shown are plain lines, and the program ends when everything
was answered. A password, and whether to trust an unknown server, are asked at /dev/tty,
wherever input and outputs go; where there is none, the options name the password, and an
unknown server is refused unless the address names its key.

Configuration: --config, else ECHAT_CONFIG, else echat/config.json in $XDG_CONFIG_HOME or
~/.config, else ./config.json; the first that is there, its section \"client\". A wrong file
that no one named is ignored with a note. ./config.json counts only with \"client\" or
\"server\" and no unknown keys, and may name no user, key or password.
";

/// The definition. What follows the options lists the exit codes, which an attribute cannot.
pub fn command() -> Command {
    let codes = Exit::table(Exit::of_chat());
    Flags::command().after_help(format!("{MORE}\n{codes}"))
}

/// Reads the arguments, the program's name first.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Flags, clap::Error> {
    Flags::from_arg_matches(&command().try_get_matches_from(arguments)?)
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err("a number of seconds, 1 or more".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_hold() {
        command().debug_assert();
    }

    #[test]
    fn one_place_for_the_password() {
        let flags = ["echat", "--password-env", "A", "--password-file", "b"];
        assert!(Flags::try_parse_from(flags).is_err());
        let flags = ["echat", "[::1]:1024", "--lang", "zh", "--timeout", "5"];
        let flags = Flags::try_parse_from(flags).unwrap();
        assert_eq!(flags.lang, Some(Language::Chinese));
        assert_eq!(flags.timeout, Some(Duration::from_secs(5)));
    }
}
