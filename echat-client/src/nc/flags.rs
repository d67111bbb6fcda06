//! The command line as clap reads it, and the text of `--help`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

use super::script;
use crate::exit::Exit;

/// The debug client of echat: the protocol as lines of JSON
#[derive(Parser)]
#[command(
    name = "echat-nc",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "Offline",
    override_usage = "echat-nc [OPTIONS] ADDRESS [NAME [JSON]]\n       \
        echat-nc commands | describe NAME | encode [NAME [JSON]] | decode [HEX]...\n       \
        echat-nc --forget-host ADDRESS"
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) offline: Option<Offline>,
    #[command(flatten)]
    pub(super) online: Flags,
}

#[derive(Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the command line"
)]
pub(super) struct Flags {
    /// host:port, or echat://[user@]host:port[/#SHA256:...]
    #[arg(required_unless_present = "forget_host")]
    pub(super) address: Option<String>,
    /// Send this command, show what comes, and end with its final reply
    pub(super) name: Option<String>,
    /// The command's parameters; null if left out
    pub(super) json: Option<String>,
    /// Trust the server if its key is this one, and only then
    #[arg(long, value_name = "SHA256:...", conflicts_with = "accept_new")]
    pub(super) fingerprint: Option<String>,
    /// Trust and remember an unknown server; never replaces a key
    #[arg(long)]
    pub(super) accept_new: bool,
    /// Forget the key of a server
    #[arg(long, value_name = "ADDRESS", exclusive = true)]
    pub(super) forget_host: Option<String>,
    /// Log in first; asks for the password on the terminal unless told where it is
    #[arg(long)]
    pub(super) user: Option<String>,
    /// The environment variable that holds the password
    #[arg(long, value_name = "VARIABLE", conflicts_with = "password_file")]
    pub(super) password_env: Option<String>,
    /// The file that holds the password (one line)
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// Run the statements of a file instead of those of standard input
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "name")]
    pub(super) script: Option<PathBuf>,
    /// Stop after N messages (the answers to --user do not count)
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// Stop after so many seconds; connecting and asking for a password do not count
    #[arg(short = 't', long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
    /// Stop after the first message of this name (the answers to --user do not count)
    #[arg(long, value_name = "NAME")]
    pub(super) until: Option<String>,
    /// Stay after the end of input, until -n, -t, --until or the server ends it
    #[arg(short = 'l', long)]
    pub(super) listen: bool,
    /// The highest message id seen before; a line says so if the server's ids end below it
    #[arg(long, value_name = "ID")]
    pub(super) after: Option<u64>,
    /// "history" of the last LOGIN_BUNDLE; a line says so if the server has another
    #[arg(long, value_name = "NAME")]
    pub(super) history: Option<String>,
    /// Limit on connecting and the handshake together
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(super) connect_timeout: Duration,
    /// Only connect, for .raw; what comes is shown as {"$bytes": HEX}
    #[arg(long, conflicts_with_all = [
        "fingerprint", "accept_new", "user", "name", "until", "after", "history",
    ])]
    pub(super) no_handshake: bool,
    /// Show the fields of messages on standard error; twice: sealed and plain bytes too
    #[arg(short = 'v', long, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Do not blot out passwords in what -v shows
    #[arg(long)]
    pub(super) show_secrets: bool,
}

/// What follows the options in `--help`.
const LANGUAGE: &str = "\
A line of input is NAME, NAME JSON, a number in place of NAME, or
{\"command\": NAME or number, \"params\": ...}. Every message that comes is one line of
standard output in that last form; everything else goes to standard error. Bytes are
{\"$bytes\": HEX}. A PING is answered without being shown.
Input that is no terminal is sent without waiting for answers, except by directives:
  .expect NAME [JSON]  wait for a message of that name whose parameters have what JSON has:
                       a dict's keys must be there with matching values, a list must have
                       as many items, each matching, all else must be equal. Messages since
                       the last expectation are looked at in order; those that do not match
                       are passed over. It fails when its time is over (-t, else 10 s), when
                       the connection ends, and when the newest request that could be
                       answered by NAME was answered otherwise. (An ON_NEW_MESSAGE that does
                       not match is passed over: it may be the receipt of one's own.)
  .expect-close        wait for the server to close the connection
  .sleep SECONDS       wait
  .raw HEX             send these bytes as they are
  .frame HEX           send a sealed frame with these plain bytes, whatever they mean
  .quit                say goodbye without waiting for what is owed
At the end of input echat-nc waits for the replies it is owed, then says goodbye.
Before LOGIN_SUCCESS no frame over 4 KiB is sent, after it none over 64 KiB, except by .frame
and .raw.

A bot that was away catches up with QUERY_HISTORY {\"after\": ID}. If an older database was
put in the server's place in between, ids began again and ID means nothing. Keep \"history\"
of each LOGIN_BUNDLE, and the highest of its \"newest\" and of the ids that came since; hand
both in with --history and --after. If the next LOGIN_BUNDLE contradicts them, the line
  {\"event\":\"HISTORY_REPLACED\",\"params\":{\"history\":...,\"newest\":...,
   \"known_history\":...,\"known_after\":...}}
stands before it (all in one line). Read anew then, from {\"after\": 0} on. The line is none of
the server's: it does not count for -n, matches no .expect and changes no exit code.

known_hosts is $ECHAT_KNOWN_HOSTS, else $XDG_STATE_HOME/echat/known_hosts, else
~/.local/state/echat/known_hosts. A changed key is never accepted, whatever the options.

A refused request ends a one-shot, a pipe and a script with code 1, unless an .expect
was for the refusal. On a terminal it does not.
";

/// Work that needs no server.
#[derive(Debug, Subcommand)]
pub enum Offline {
    /// List every command: number, name, who sends it
    Commands,
    /// Explain a command: its parameters, its answer and its refusal
    Describe {
        /// A command's name or number
        #[arg(value_name = "NAME")]
        command: String,
    },
    /// Print the plain bytes of a message in hex; without NAME, of every line of standard input
    Encode {
        /// A command's name or number
        name: Option<String>,
        /// Its parameters; null if left out
        json: Option<String>,
    },
    /// Print the messages that plain bytes hold; without HEX, those of every line of standard input
    Decode {
        /// Command and value in hex, blanks allowed
        hex: Vec<String>,
    },
}

/// The definition. The help texts depend on the exit codes, which an attribute cannot list.
pub fn command() -> clap::Command {
    Cli::command()
        .after_help(Exit::table(Exit::ALL))
        .after_long_help(format!("{LANGUAGE}\n{}", Exit::table(Exit::ALL)))
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    script::parse_seconds(text).ok_or("seconds are a number from 0 to 86400")
}
