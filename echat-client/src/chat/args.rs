//! The command line as clap reads it, and the text of `--help`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Command, CommandFactory, FromArgMatches, Parser};

use crate::clock::parse_seconds;
use crate::exit::Exit;
use crate::secret::Secret;
use crate::text::Language;

/// The shortest time for `--timeout`, which ends with a second of the clock.
const SECONDS_MIN: Duration = Duration::from_secs(1);

/// Encrypted terminal chat
#[derive(Debug, Parser)]
#[command(name = "echat", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag")]
pub(super) struct Flags {
    /// host:port, or 'echat://[user@]host:port[/room][#[SHA256:...][&invitation=CODE]]' (in quotes)
    pub(super) address: Option<String>,
    /// Log in as this user; asks for the password unless an option provides it
    #[arg(long)]
    pub(super) user: Option<String>,
    /// Environment variable that contains the password
    #[arg(long, value_name = "VARIABLE", group = "password")]
    pub(super) password_env: Option<String>,
    /// File that contains the password (one line), which only its owner can read (chmod 600)
    #[arg(long, value_name = "FILE", group = "password")]
    pub(super) password_file: Option<PathBuf>,
    /// Shell command that prints the password (one line)
    #[arg(long, value_name = "COMMAND", group = "password")]
    pub(super) password_command: Option<String>,
    /// File that contains the token of a bot (one line), which only its owner can read (chmod 600)
    #[arg(long, value_name = "FILE", group = "password")]
    pub(super) token_file: Option<PathBuf>,
    /// Invitation code; unless there is a user to log in, echat begins by registering with it
    #[arg(long, value_name = "CODE")]
    pub(super) invitation: Option<Secret>,
    /// Language, en or zh; default: from the configuration, else from the locale
    #[arg(long, value_name = "LANGUAGE")]
    pub(super) lang: Option<Language>,
    /// Configuration file to read, instead of the default ones
    #[arg(
        long,
        value_name = "FILE",
        env = "ECHAT_CONFIG",
        hide_env_values = true
    )]
    pub(super) config: Option<PathBuf>,
    /// Disable colours
    #[arg(long)]
    pub(super) no_color: bool,
    /// Never redraw the screen, for screen readers and old terminals
    #[arg(long)]
    pub(super) plain: bool,
    /// Show times in UTC instead of local time
    #[arg(long)]
    pub(super) utc: bool,
    /// Show messages as HH:MM name: text
    #[arg(long)]
    pub(super) compact: bool,
    /// Exit after this many seconds; only without a terminal
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
}

/// What follows the options in `--help`.
const MORE: &str = "\
On a terminal, `help` lists the commands. Without a terminal, each line of standard input is
run as if it were typed, output is plain lines, and echat exits when everything has been
answered. A password, and whether to trust an unknown server, are asked on /dev/tty, wherever
input and output are redirected. Without /dev/tty, an option must provide the password, and an
unknown server is refused unless the address contains its key.

With an invitation code, in the address or by --invitation, echat begins by asking for a name
and a password, and registers with them. With a user (in the address, by --user or in the
configuration) it asks for the password of that user instead. After the login it opens the room
of the address, and joins it first if need be.

Configuration: the \"client\" section of --config, else ECHAT_CONFIG, else echat/config.json in
$XDG_CONFIG_HOME or ~/.config, else ./config.json. An invalid default file is ignored with a
note. ./config.json is used only if it has a \"client\" or \"server\" section and no unknown
keys, and it must not contain a user, key, invitation or password.
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

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = parse_seconds(text).filter(|seconds| *seconds >= SECONDS_MIN);
    seconds.ok_or("must be a number of seconds, at least 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_hold() {
        command().debug_assert();
    }

    #[test]
    fn a_password_has_one_source() {
        let flags = ["echat", "--password-env", "A", "--password-file", "b"];
        assert!(Flags::try_parse_from(flags).is_err());
        let flags = ["echat", "[::1]:1024", "--lang", "zh", "--timeout", "5"];
        let flags = Flags::try_parse_from(flags).unwrap();
        assert_eq!(flags.lang, Some(Language::Chinese));
        assert_eq!(flags.timeout, Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_timeout_has_at_least_a_second_and_no_upper_bound() {
        let timeout = |text: &str| {
            let flags = Flags::try_parse_from(["echat", "--timeout", text]);
            flags.ok().and_then(|flags| flags.timeout)
        };
        assert_eq!(timeout("18446744073709551615"), Some(Duration::MAX));
        assert_eq!(timeout("1.5"), Some(Duration::from_millis(1_500)));
        for refused in ["0", "0.5", "soon"] {
            assert_eq!(timeout(refused), None, "{refused}");
        }
    }
}
