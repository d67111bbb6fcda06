//! The arguments, and what they ask for.
//!
//! The first word decides: `commands`, `describe`, `encode` and `decode` work offline and are no
//! addresses (an address has a colon); anything else is an ADDRESS, perhaps followed by one
//! command and its parameters.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::FromArgMatches;
use clap::error::ErrorKind;

use super::flags::{Cli, Flags, command};
use super::known::Known;
use super::script::{self, CommandRef, Line};
use crate::local::password;
use crate::net::address::{Address, LinkTarget};
use crate::net::fingerprint::Fingerprint;

pub use super::flags::Offline;

/// What the program is to do.
#[derive(Debug)]
pub enum Mode {
    /// Talk to a server.
    Online(Box<Online>),
    /// Forget a server's key.
    Forget(Address),
    /// Work without one.
    Offline(Offline),
}

/// How to talk to a server.
#[derive(Debug)]
pub struct Online {
    /// Which server.
    pub address: Address,
    /// The only key that it may show.
    pub pinned: Option<Fingerprint>,
    /// Whether an unknown key is taken and remembered.
    pub accept_new: bool,
    /// The user to log in first.
    pub login: Option<LoginOptions>,
    /// Where statements come from.
    pub source: Source,
    /// What was known of the server's history.
    pub known: Known,
    /// When to stop.
    pub stop: Stop,
    /// Limit on connecting and the handshake together.
    pub connect_timeout: Duration,
    /// False for the raw connection.
    pub handshake: bool,
    /// 0 nothing, 1 fields, 2 bytes.
    pub verbose: u8,
    /// Whether passwords and session secrets are shown, in lines and in what `verbose` shows.
    pub show_secrets: bool,
}

/// A login before everything else.
#[derive(Debug)]
pub struct LoginOptions {
    /// The user's name.
    pub user: String,
    /// Where the password is; `None` if only a person knows it.
    pub password: Option<password::Source>,
}

/// Where statements come from.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// The arguments: one command.
    Once(Line),
    /// A file, understood whole before anything is sent.
    Script(PathBuf),
    /// Standard input, line by line.
    Stdin,
}

/// When to stop; the first that comes true.
#[derive(Debug, Default)]
pub struct Stop {
    /// After so many messages.
    pub count: Option<u64>,
    /// So long after the handshake.
    pub timeout: Option<Duration>,
    /// After this message.
    pub until: Option<CommandRef>,
    /// Not at the end of input.
    pub listen: bool,
}

/// Reads the arguments, the program's name first.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Mode, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    let cli = Cli::from_arg_matches(&matches)?;
    if let Some(offline) = cli.offline {
        return Ok(Mode::Offline(offline));
    }
    let refuse = |message: String| command().error(ErrorKind::ValueValidation, message);
    if let Some(address) = &cli.online.forget_host {
        let target: LinkTarget = address
            .parse()
            .map_err(|error| refuse(format!("{error}")))?;
        return Ok(Mode::Forget(target.address));
    }
    online(cli.online)
        .map(|online| Mode::Online(Box::new(online)))
        .map_err(refuse)
}

fn online(flags: Flags) -> Result<Online, String> {
    // clap has seen to it that there is one.
    let address = flags.address.unwrap_or_default();
    let target: LinkTarget = address
        .parse()
        .map_err(|error| format!("ADDRESS: {error}"))?;
    let pinned = match (flags.fingerprint, target.fingerprint) {
        (Some(text), link) => {
            let pinned: Fingerprint = text
                .parse()
                .map_err(|error| format!("--fingerprint: {error}"))?;
            if link.is_some_and(|link| link != pinned) {
                return Err("--fingerprint and the link name two different keys".to_owned());
            }
            Some(pinned)
        }
        (None, link) => link,
    };
    let handshake = !flags.no_handshake;
    let user = flags.user.or(target.user).filter(|_| handshake);
    let password = match (flags.password_env, flags.password_file) {
        (Some(variable), _) => Some(password::Source::Variable(variable)),
        (None, file) => file.map(password::Source::File),
    };
    if user.is_none() && password.is_some() {
        return Err("a password requires --user".to_owned());
    }
    let source = match (flags.name, flags.script) {
        (Some(name), _) => Source::Once(line(&name, flags.json)?),
        (None, Some(script)) => Source::Script(script),
        (None, None) => Source::Stdin,
    };
    let until = flags
        .until
        .as_deref()
        .map(script::parse_command)
        .transpose();
    Ok(Online {
        address: target.address,
        pinned,
        accept_new: flags.accept_new,
        login: user.map(|user| LoginOptions { user, password }),
        source,
        known: Known {
            after: flags.after,
            history: flags.history,
        },
        stop: Stop {
            count: flags.count,
            timeout: flags.timeout,
            until: until.map_err(|_| "--until requires the name or number of a command")?,
            listen: flags.listen,
        },
        connect_timeout: flags.connect_timeout,
        handshake,
        verbose: flags.verbose,
        show_secrets: flags.show_secrets,
    })
}

/// `NAME` and `JSON` from the arguments; the first may also be a whole line.
pub fn line(name: &str, json: Option<String>) -> Result<Line, String> {
    let Some(params) = json else {
        return script::parse_line(name.trim()).map_err(|error| error.to_string());
    };
    let command = script::parse_command(name).map_err(|error| error.to_string())?;
    Ok(Line { command, params })
}

#[cfg(test)]
mod tests;
