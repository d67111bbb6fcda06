//! The command line as clap reads it, and the text of `--help`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::ArgPredicate;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

use super::script;
use crate::exit::Exit;
use crate::secret::Secret;

/// Debug client of echat: the protocol as lines of JSON
#[derive(Parser)]
#[command(
    name = "echat-nc",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "Subcommands",
    override_usage = "echat-nc [OPTIONS] ADDRESS [NAME [JSON]]\n       \
        echat-nc follow [OPTIONS] ADDRESS\n       \
        echat-nc commands | describe NAME | encode [NAME [JSON]] | decode [HEX]...\n       \
        echat-nc --forget-host ADDRESS"
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) work: Option<Work>,
    #[command(flatten)]
    pub(super) online: OnlineFlags,
}

#[derive(Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the command line"
)]
pub(super) struct OnlineFlags {
    /// host:port, or 'echat://[user@]host:port[/room][#[SHA256:...][&invitation=CODE]]' (in quotes)
    #[arg(required_unless_present = "forget_host")]
    pub(super) address: Option<String>,
    /// Send this command, print its final reply (with -v all messages), and exit
    pub(super) name: Option<String>,
    /// Parameters of the command; default: null
    pub(super) json: Option<Secret>,
    #[command(flatten)]
    pub(super) server: ServerFlags,
    /// Forget the key of a server
    #[arg(long, value_name = "ADDRESS", exclusive = true)]
    pub(super) forget_host: Option<String>,
    /// Run the statements in a file instead of standard input
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "name")]
    pub(super) script: Option<PathBuf>,
    /// Exit after N messages, not counting the replies to --user
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// Exit after this many seconds, not counting connecting and asking for a password
    #[arg(short = 't', long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
    /// Exit after the first message with this name, not counting the replies to --user
    #[arg(long, value_name = "NAME")]
    pub(super) until: Option<String>,
    /// Keep running after the end of input, until -n, -t, --until or the server ends the session
    #[arg(short = 'l', long)]
    pub(super) listen: bool,
    /// Highest message id seen before; prints a line if the server's ids end below it
    #[arg(long, value_name = "ID")]
    pub(super) after: Option<u64>,
    /// "history" of the last LOGIN_BUNDLE; prints a line if the server has another
    #[arg(long, value_name = "NAME")]
    pub(super) history: Option<String>,
    /// Connect without a handshake, for .raw; received data is printed as {"$bytes": HEX}
    #[arg(long, conflicts_with_all = [
        "fingerprint", "accept_new", "user", "name", "until", "after", "history",
    ])]
    pub(super) no_handshake: bool,
}

/// How to reach a server and log in: the same for every use of one.
#[derive(Args)]
pub(super) struct ServerFlags {
    /// Trust the server only if it has this key
    #[arg(long, value_name = "SHA256:...", conflicts_with = "accept_new")]
    pub(super) fingerprint: Option<String>,
    /// Trust and remember an unknown server; never replaces a known key
    #[arg(long)]
    pub(super) accept_new: bool,
    /// Log in first; asks for the password on the terminal unless an option provides it
    #[arg(long)]
    pub(super) user: Option<String>,
    /// Environment variable that contains the password
    #[arg(long, value_name = "VARIABLE", group = "password")]
    pub(super) password_env: Option<String>,
    /// File that contains the password (one line), which only its owner can read (chmod 600)
    #[arg(long, value_name = "FILE", group = "password")]
    pub(super) password_file: Option<PathBuf>,
    /// File that contains the token of a bot (one line), which only its owner can read (chmod 600)
    #[arg(long, value_name = "FILE", group = "password")]
    pub(super) token_file: Option<PathBuf>,
    /// Time limit for connecting and the handshake together
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(super) connect_timeout: Duration,
    /// Print the fields of messages to standard error, and all messages besides the reply to a
    /// command; twice: also the encrypted and plain bytes
    #[arg(short = 'v', long, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Do not hide passwords, tokens, and "resume" and "device" of LOGIN_BUNDLE, in the output and in that of -v
    #[arg(long)]
    pub(super) show_secrets: bool,
}

/// What comes in place of an address.
#[derive(Subcommand)]
pub(super) enum Work {
    /// Print every message exactly once, across restarts and lost connections
    #[command(after_help = FOLLOW)]
    Follow(FollowFlags),
    #[command(flatten)]
    Offline(Offline),
}

#[derive(Args)]
pub(super) struct FollowFlags {
    /// host:port, or echat://[user@]host:port[/room][#SHA256:...]
    pub(super) address: String,
    #[command(flatten)]
    pub(super) server: ServerFlags,
    /// Print only the messages of this room
    #[arg(long, value_name = "ROOM")]
    pub(super) room: Option<String>,
    /// File that remembers the last message; without it, only new messages are printed
    #[arg(long, value_name = "FILE")]
    pub(super) cursor: Option<PathBuf>,
    /// Where to begin if the cursor file is not there: all, new, or the messages after an id; default: all with
    /// --cursor, else new
    #[arg(
        long,
        value_name = "all|new|ID",
        default_value_if("cursor", ArgPredicate::IsPresent, "all"),
        default_value = "new",
        hide_default_value = true
    )]
    pub(super) from: String,
    /// Exit when all messages up to now are printed
    #[arg(long)]
    pub(super) once: bool,
    /// Send the requests that are the lines of standard input, over the same connection
    #[arg(long)]
    pub(super) send: bool,
}

/// What follows the options of `echat-nc follow --help`.
const FOLLOW: &str = "\
Each message is one line of JSON, in the order of the ids, written at once:
  {\"id\":12,\"username\":READER,\"sender\":...,\"send_time\":...,\"target\":ROOM or FRIEND,
   \"target_type\":1 or 0,\"sent\":...,\"content\":...}
Messages of bots have \"bot\":true. A program that answers messages must skip those whose sender
is itself. Rooms that keep no messages (keep_days 0) print nothing: the server sends such messages
only to those who are online, and they are in no history. A lost connection is made again, with
growing pauses, for as long as it takes.

The cursor file is replaced durably after the line is written. If standard output is a regular
file (>> FILE), the cursor is saved once a page; after a kill, the lines behind it are found
in the file, and a line that was cut is removed: each message is in the file exactly once. If it
is a pipe, the cursor is saved after each line. A kill between both prints that one line again
at the next start, since the reader may or may not have it: a reader skips ids up to the last
one that it handled. Two runs cannot share a cursor file (FILE.lock is locked).

If the server has another history than the cursor, or its ids end below it, an older database
was restored. Then this line is printed (on one line), and a note to standard error, and all
messages are printed again, since their ids are new:
  {\"event\":\"HISTORY_REPLACED\",\"params\":{\"history\":...,\"newest\":...,
   \"known_history\":...,\"known_after\":...}}

With --send a line of standard input is a request: NAME or NAME JSON. They are sent one by one, and
their replies are not printed; a refusal is a note to standard error. After a lost connection
the request that is not answered is sent again: give a message a txn_id, and it is stored once.
Requests that log in or out are refused. The end of standard input ends nothing.

It ends when the server refuses the login or the room (1) or ends the session (1), with --once after
a refused request (1), when a line of standard input is no request (2), when the server is not
trusted (4), when data was altered (7), and when standard output or the cursor file fails, the
reader of a pipe is gone, or another run appends to the same file (8).
";

/// What follows the options in `--help`.
const LANGUAGE: &str = "\
A line of input is NAME, NAME JSON, a number in place of NAME, or
{\"command\": NAME or number, \"params\": ...}. Every received message is printed to standard
output as one line in that last form; everything else goes to standard error. Bytes are
{\"$bytes\": HEX}. A PING is answered without being printed.
If input is not a terminal, it is sent without waiting for replies, except by directives:
  .expect NAME [JSON]  wait for a message with this name whose parameters match JSON: the
                       keys of a dict must exist with matching values, a list must have the
                       same number of matching items, everything else must be equal. Messages
                       since the last expectation are checked in order; those that do not
                       match are skipped. It fails on a timeout (-t, default 10 s), when the
                       connection ends, and when the newest request that NAME could answer
                       was answered otherwise. (An ON_NEW_MESSAGE that does not match is
                       skipped, since it may acknowledge a message of your own.)
  .expect-close        wait for the server to close the connection
  .sleep SECONDS       wait
  .raw HEX             send these bytes as they are
  .frame HEX           send an encrypted frame with these plain bytes, without checking them
  .quit                say goodbye without waiting for outstanding replies
At the end of input echat-nc waits for outstanding replies, then says goodbye.
Frames are limited to 4 KiB before LOGIN_SUCCESS and to 64 KiB after it, except with .frame
and .raw.

`echat-nc follow` prints every message exactly once; see `echat-nc follow --help`. By hand, a
bot that was offline catches up with QUERY_HISTORY {\"after\": ID}. If an older database was
restored on the server, ids started again and ID is meaningless. Keep \"history\" of each
LOGIN_BUNDLE, and the highest of its \"newest\" and of all ids received since, and pass them
with --history and --after. If the next LOGIN_BUNDLE contradicts them, this line is printed
before it (on one line):
  {\"event\":\"HISTORY_REPLACED\",\"params\":{\"history\":...,\"newest\":...,
   \"known_history\":...,\"known_after\":...}}
Read the history again from {\"after\": 0} then. The line does not come from the server: it does
not count for -n, matches no .expect and does not change the exit code.

With a command in the arguments only its final reply is printed, or what ended the session
before it; with -v, -n, --until, -l, --after or --history every message is.

With --user, the room of the address is joined after the login. If the address has an invitation
code, and the server knows no such user with this password, the user is registered with the code
first.

known_hosts is $ECHAT_KNOWN_HOSTS, else $XDG_STATE_HOME/echat/known_hosts, else
~/.local/state/echat/known_hosts. A changed key is never accepted, whatever the options.

A refused request ends a one-shot, a pipe or a script with code 1, unless an .expect waited
for the refusal. On a terminal the session continues.
";

/// Work that needs no server.
#[derive(Debug, Subcommand)]
pub enum Offline {
    /// List every command: number, name, sender
    Commands,
    /// Describe a command: parameters, reply and refusal
    Describe {
        /// A command's name or number
        #[arg(value_name = "NAME")]
        command: String,
    },
    /// Print the plain bytes of a message in hex; without NAME, of each line of standard input
    Encode {
        /// A command's name or number
        name: Option<Secret>,
        /// Its parameters; default: null
        json: Option<Secret>,
    },
    /// Print the messages in plain bytes; without HEX, of each line of standard input
    Decode {
        /// Command and value in hex; spaces are allowed
        hex: Vec<Secret>,
    },
}

/// The definition. The help texts depend on the exit codes, which an attribute cannot list.
pub fn command() -> clap::Command {
    Cli::command()
        .after_help(Exit::table(Exit::ALL))
        .after_long_help(format!("{LANGUAGE}\n{}", Exit::table(Exit::ALL)))
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    script::script_seconds(text).ok_or("must be a number of seconds from 0 to 86400")
}
