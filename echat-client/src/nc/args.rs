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
use echat_proto::names::InvitationCode;

use super::flags::{Cli, FollowFlags, OnlineFlags, ServerFlags, Work, command};
use super::known::KnownHistory;
use super::script::{self, CommandRef, ScriptCommand};
use crate::local::password;
use crate::net::address::{Address, LinkTarget};
use crate::net::fingerprint::Fingerprint;
use crate::secret::Secret;

pub use super::flags::Offline;

/// What the program is to do.
#[derive(Debug)]
pub enum RunMode {
    /// Talk to a server.
    Online(Box<Online>),
    /// Print every message of one.
    Follow(Box<Follow>),
    /// Forget a server's key.
    Forget(Address),
    /// Work without one.
    Offline(Offline),
}

/// How to talk to a server.
#[derive(Debug)]
pub struct Online {
    /// Which server.
    pub server: ServerOptions,
    /// The user to log in first.
    pub login: Option<LoginOptions>,
    /// Where statements come from.
    pub source: ScriptSource,
    /// What was known of the server's history.
    pub known: KnownHistory,
    /// When to stop.
    pub stop: Stop,
    /// False for the raw connection.
    pub handshake: bool,
    /// 0 nothing, 1 fields, 2 bytes.
    pub verbose: u8,
    /// Whether passwords and session secrets are shown, in lines and in what `verbose` shows.
    pub show_secrets: bool,
}

/// A server, and how far it is trusted.
#[derive(Debug)]
pub struct ServerOptions {
    /// Where it is.
    pub address: Address,
    /// The only key that it may show.
    pub pinned: Option<Fingerprint>,
    /// Whether an unknown key is taken and remembered.
    pub accept_new: bool,
    /// Limit on connecting and the handshake together.
    pub connect_timeout: Duration,
}

/// How to follow a server.
#[derive(Debug)]
pub struct Follow {
    /// Which server.
    pub server: ServerOptions,
    /// The user.
    pub login: LoginOptions,
    /// The only room whose messages are printed.
    pub room: Option<String>,
    /// The file that remembers the last message.
    pub cursor: Option<PathBuf>,
    /// Where to begin without one.
    pub from: From,
    /// Whether to end when everything up to now is printed.
    pub once: bool,
    /// Whether lines of standard input are sent.
    pub send: bool,
    /// 0 nothing, 1 fields, 2 bytes.
    pub verbose: u8,
    /// Whether passwords and session secrets are shown in what `verbose` shows.
    pub show_secrets: bool,
}

/// The first message to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The first after the first login.
    New,
    /// The first after this id.
    After(u64),
}

/// A login before everything else.
#[derive(Debug)]
pub struct LoginOptions {
    /// The user's name.
    pub user: String,
    /// Where the password or the token is; `None` if only a person knows it.
    pub password: Option<password::PasswordSource>,
    /// The code of the address to register with.
    pub invitation: Option<InvitationCode>,
    /// The room of the address.
    pub room: Option<String>,
}

impl Online {
    /// Whether one command is asked for, and so nothing but its reply is shown. With -v, and where more than the reply
    /// is waited for, everything is.
    pub fn shows_only_replies(&self) -> bool {
        let Stop {
            count,
            until,
            listen,
            ..
        } = &self.stop;
        let waits_for_more = count.is_some() || until.is_some() || *listen;
        // LOGIN_BUNDLE has what is to be given next time.
        let compares = self.known.after.is_some() || self.known.history.is_some();
        let wants_more = self.verbose > 0 || waits_for_more || compares;
        matches!(self.source, ScriptSource::Once(_)) && !wants_more
    }
}

impl LoginOptions {
    /// What is there to log in with.
    pub fn kind(&self) -> SecretKind {
        match self.password {
            Some(password::PasswordSource::Token(_)) => SecretKind::Token,
            _ => SecretKind::Password,
        }
    }
}

/// What a user logs in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// The password of a user.
    Password,
    /// The token of a bot.
    Token,
}

/// Where statements come from.
#[derive(Debug, PartialEq, Eq)]
pub enum ScriptSource {
    /// The arguments: one command.
    Once(ScriptCommand),
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
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<RunMode, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    let cli = Cli::from_arg_matches(&matches)?;
    let refuse = |message: String| command().error(ErrorKind::ValueValidation, message);
    match cli.work {
        Some(Work::Offline(offline)) => return Ok(RunMode::Offline(offline)),
        Some(Work::Follow(flags)) => {
            let follow = follow(flags).map_err(refuse)?;
            return Ok(RunMode::Follow(Box::new(follow)));
        }
        None => {}
    }
    if let Some(address) = &cli.online.forget_host {
        let target: LinkTarget = address
            .parse()
            .map_err(|error| refuse(format!("{error}")))?;
        return Ok(RunMode::Forget(target.address));
    }
    online(cli.online)
        .map(|online| RunMode::Online(Box::new(online)))
        .map_err(refuse)
}

fn online(flags: OnlineFlags) -> Result<Online, String> {
    // clap has seen to it that there is one.
    let address = flags.address.unwrap_or_default();
    let (verbose, show_secrets) = (flags.server.verbose, flags.server.show_secrets);
    let (server, login) = server(&address, flags.server)?;
    let handshake = !flags.no_handshake;
    let login = login.filter(|_| handshake);
    let source = match (flags.name, flags.script) {
        (Some(name), _) => ScriptSource::Once(line(&name, flags.json)?),
        (None, Some(script)) => ScriptSource::Script(script),
        (None, None) => ScriptSource::Stdin,
    };
    let until = flags
        .until
        .as_deref()
        .map(script::parse_command)
        .transpose();
    Ok(Online {
        server,
        login,
        source,
        known: KnownHistory {
            after: flags.after,
            history: flags.history,
        },
        stop: Stop {
            count: flags.count,
            timeout: flags.timeout,
            until: until.map_err(|_| "--until requires the name or number of a command")?,
            listen: flags.listen,
        },
        handshake,
        verbose,
        show_secrets,
    })
}

/// The server of an address, and the login.
fn server(
    address: &str,
    flags: ServerFlags,
) -> Result<(ServerOptions, Option<LoginOptions>), String> {
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
    let variable = flags.password_env.map(password::PasswordSource::Variable);
    let file = flags.password_file.map(password::PasswordSource::File);
    let token = flags.token_file.map(password::PasswordSource::Token);
    let password = variable.or(file).or(token);
    let user = flags.user.or(target.user);
    if user.is_none() && password.is_some() {
        return Err("a password or a token requires --user".to_owned());
    }
    let server = ServerOptions {
        address: target.address,
        pinned,
        accept_new: flags.accept_new,
        connect_timeout: flags.connect_timeout,
    };
    let login = user.map(|user| LoginOptions {
        user,
        password,
        invitation: target.invitation,
        room: target.room,
    });
    Ok((server, login))
}

fn follow(flags: FollowFlags) -> Result<Follow, String> {
    let (verbose, show_secrets) = (flags.server.verbose, flags.server.show_secrets);
    let (server, login) = server(&flags.address, flags.server)?;
    let login = login.ok_or("follow requires --user")?;
    let room = match (flags.room, &login.room) {
        (Some(flag), Some(link)) if flag != *link => {
            return Err("--room and the link name two different rooms".to_owned());
        }
        (flag, link) => flag.or_else(|| link.clone()),
    };
    let from = match &*flags.from {
        "new" => From::New,
        "all" => From::After(0),
        id => match id.parse() {
            Ok(id) => From::After(id),
            Err(_) => return Err("--from must be all, new or an id".to_owned()),
        },
    };
    Ok(Follow {
        server,
        login,
        room,
        cursor: flags.cursor,
        from,
        once: flags.once,
        send: flags.send,
        verbose,
        show_secrets,
    })
}

/// `NAME` and `JSON` from the arguments; the first may also be a whole line.
pub fn line(name: &str, json: Option<Secret>) -> Result<ScriptCommand, String> {
    let Some(params) = json else {
        return script::parse_line(name.trim()).map_err(|error| error.to_string());
    };
    let command = script::parse_command(name).map_err(|error| error.to_string())?;
    Ok(ScriptCommand { command, params })
}

#[cfg(test)]
mod tests;
