//! `echat-nc`, the debug client: the protocol as lines of JSON.
//!
//! A module imports only from those below it:
//!
//! ```text
//! (this)                              which mode, and the exit code
//! follow  run                         every message once; the loop over standard input and the socket
//! peer  connect  offline              the server's end; the way to it; work without one
//! session                             what to do next, and when it is over (pure)
//! step                                statements with everything looked up
//! login_sequence  expectation  dump   the requests before everything else; messages waited for; -v
//! args                                what the arguments ask for
//! ask  pending  known  subset  files  what only a person knows; replies not yet here; what a bot knew; parts of values
//! message                             messages as lines
//! flags  script  rules  output        what was typed after the program's name; what a line says; when to stop; both outputs
//! ```

pub mod args;
pub mod ask;
pub mod connect;
pub mod dump;
pub mod expectation;
pub mod files;
mod flags;
mod follow;
pub mod known;
mod login_sequence;
pub mod message;
pub mod offline;
pub mod output;
pub mod peer;
pub mod pending;
pub mod rules;
pub mod run;
pub mod script;
pub mod session;
pub mod step;
pub mod subset;

use std::fmt::Display;
use std::path::Path;
use std::{env, io};

use echat_proto::commands::CloseReason;
use echat_system::private_memory;

use crate::exit::Exit;
use args::{LoginOptions, Online, RunMode, ScriptSource, SecretKind};
use dump::Dump;
pub use flags::command;
use login_sequence::LoginSequence;
use message::MessageError;
use peer::Peer;
use rules::{Rules, SessionEnd};
use run::ScriptInput;
use session::ScriptSession;
use step::ScriptStep;

use crate::clock::Clock;
use crate::net::address::Address;
use crate::net::known_hosts::KnownHosts;
use crate::net::liveness::Periods;

/// The largest script, in bytes.
const MAX_SCRIPT: u64 = 16 << 20;

/// Runs the program with the arguments of the process.
pub fn main() -> Exit {
    // A client that cannot be closed off is better than none.
    let _ = private_memory::forbid_dumps_and_tracing();
    let mode = match args::parse(env::args_os()) {
        Ok(mode) => mode,
        Err(error) => {
            return Exit::printed("echat-nc", &error);
        }
    };
    let end = match mode {
        RunMode::Online(online) => talk(&online).unwrap_or_else(|end| end),
        RunMode::Follow(options) => follow::run(&options),
        RunMode::Forget(address) => forget(&address).unwrap_or_else(|end| end),
        RunMode::Offline(work) => {
            let done = offline::run(&work, io::stdin().lock(), &mut io::stdout().lock());
            done.map_or_else(|end| end, |()| SessionEnd::success())
        }
    };
    if let Some(note) = end.note {
        output::diagnostic(&note);
    }
    end.exit
}

fn forget(address: &Address) -> Result<SessionEnd, SessionEnd> {
    let local = |error| SessionEnd::because(Exit::Local, &error);
    let hosts = KnownHosts::of_user(|name| env::var_os(name)).map_err(local)?;
    let note = match hosts.forget(address).map_err(local)? {
        0 => format!("{address} is not a known server"),
        _ => format!("{address} was removed from the known servers"),
    };
    Ok(SessionEnd::because(Exit::Success, &note))
}

/// Everything that can be wrong here is found before the server hears of it.
fn talk(online: &Online) -> Result<SessionEnd, SessionEnd> {
    let raw = !online.handshake;
    let usage = |error: &dyn Display| SessionEnd::because(Exit::Usage, error);
    let until = online.stop.until.as_ref().map(message::number).transpose();
    let until = until.map_err(|error| usage(&error))?;
    let steps = first_steps(&online.source, raw)?;
    let login = online.login.as_ref();
    let password = login
        .map(|login| ask::password_from(login.password.as_ref()))
        .transpose()?;

    let clock = Clock::start();
    let mut dump = Dump::new(online.verbose, online.show_secrets, clock, io::stderr());
    let peer = if raw {
        Peer::Raw(connect::raw(&online.server, &clock)?)
    } else {
        Peer::Sealed(Box::new(connect::sealed(
            &online.server,
            &clock,
            &mut dump,
        )?))
    };
    let sequence = match (login, password.flatten()) {
        (None, _) => None,
        (Some(login), Some(secret)) => Some(login_sequence(login, &secret)),
        (Some(login), None) => match ask::password(&login.user, &clock) {
            Ok(password) => Some(login_sequence(login, &password)),
            Err(end) => {
                peer.leave(Some(CloseReason::Bye), &clock, &mut dump);
                return Err(end);
            }
        },
    };
    let sequence = sequence.transpose().map_err(|error| usage(&error))?;
    let reads = online.source == ScriptSource::Stdin;
    let interactive = reads && ask::is_interactive();
    let rules = Rules {
        count: online.stop.count,
        until,
        deadline: online.stop.timeout.map(|limit| clock.now() + limit),
        listen: online.stop.listen,
        raw,
        // Without a channel there is nothing to ask with.
        silence: (!raw).then(Periods::default),
        forgiving: interactive,
        only_replies: online.shows_only_replies(),
        show_secrets: online.show_secrets,
    };
    let mut session = ScriptSession::new(
        rules,
        sequence.map(|sequence| ScriptStep::LogIn(Box::new(sequence))),
    );
    for step in steps {
        session.push(step);
    }
    let input = reads.then(|| ScriptInput::stdin(interactive, raw));
    if !reads {
        session.end_of_input();
    }
    let known = &online.known;
    Ok(run::run(
        peer,
        &mut session,
        known,
        input,
        &clock,
        &mut dump,
    ))
}

/// What `--user` and the address ask for before everything else. A bot is in its rooms already.
fn login_sequence(login: &LoginOptions, secret: &str) -> Result<LoginSequence, MessageError> {
    let mut sequence = LoginSequence::new(&login.user, secret, login.kind())?;
    if login.kind() == SecretKind::Token {
        return Ok(sequence);
    }
    if let Some(code) = &login.invitation {
        sequence = sequence.registering(&login.user, secret, code)?;
    }
    match &login.room {
        Some(room) => sequence.joining(room),
        None => Ok(sequence),
    }
}

/// The steps that are known before anything is connected.
fn first_steps(source: &ScriptSource, raw: bool) -> Result<Vec<ScriptStep>, SessionEnd> {
    match source {
        ScriptSource::Stdin => Ok(Vec::new()),
        ScriptSource::Once(line) => {
            let step = step::compile(script::ScriptLine::Send(line.clone()), 1, raw);
            step.map(|step| vec![step])
                .map_err(|error| SessionEnd::because(Exit::Usage, &error))
        }
        ScriptSource::Script(path) => read_script(path, raw),
    }
}

fn read_script(path: &Path, raw: bool) -> Result<Vec<ScriptStep>, SessionEnd> {
    let shown = path.display();
    let wrong = |number, error: &dyn Display| {
        SessionEnd::because(Exit::Usage, &format!("{shown}: line {number}: {error}"))
    };
    let text = files::read(path, MAX_SCRIPT)?;
    let statements = script::parse_all(&text).map_err(|(number, error)| wrong(number, &error))?;
    let compile = |(number, statement)| {
        step::compile(statement, number, raw).map_err(|error| wrong(number, &error))
    };
    statements.into_iter().map(compile).collect()
}
