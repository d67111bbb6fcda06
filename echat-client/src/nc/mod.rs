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
//! ask  pending  known  subset  files  questions; requests without a reply; what was seen; parts of values; files
//! message                             messages as lines
//! flags  script  rules  output        the command line; what a line says; limits of a session; both outputs
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
use crate::secret::Secret;

/// The largest script, in bytes.
const MAX_SCRIPT: u64 = 16 << 20;

/// Runs the program with the arguments of the process.
pub fn main() -> Exit {
    // Where memory cannot be protected, the program runs all the same.
    let _ = private_memory::forbid_dumps_and_tracing();
    let mode = match args::parse(env::args_os()) {
        Ok(mode) => mode,
        Err(error) => {
            return Exit::printed("echat-nc", &error);
        }
    };
    let end = match mode {
        RunMode::Online(online) => talk(&online),
        RunMode::Follow(options) => follow::run(&options),
        RunMode::Forget(address) => match forget(&address) {
            Ok(note) => SessionEnd::because(Exit::Success, &note),
            Err(end) => end,
        },
        RunMode::Offline(work) => {
            let done = offline::run(&work, io::stdin().lock(), &mut output::stdout());
            done.map_or_else(|end| end, |()| SessionEnd::success())
        }
    };
    if let Some(note) = end.note {
        output::diagnostic(&note);
    }
    end.exit
}

/// Removes the key of a server from the known ones. What there is to say about it.
fn forget(address: &Address) -> Result<String, SessionEnd> {
    let hosts = KnownHosts::of_user(|name| env::var_os(name));
    let hosts = hosts.map_err(|error| SessionEnd::local(&error))?;
    let forgotten = hosts.forget(address);
    Ok(
        match forgotten.map_err(|error| SessionEnd::local(&error))? {
            0 => format!("{address} is not a known server"),
            _ => format!("{address} was removed from the known servers"),
        },
    )
}

/// Connects, and carries the script out to its end.
fn talk(online: &Online) -> SessionEnd {
    let prepared = match Prepared::of(online) {
        Ok(prepared) => prepared,
        Err(end) => return end,
    };
    let clock = Clock::start();
    let (level, show_secrets) = (online.verbose, online.show_secrets);
    let mut dump = Dump::new(level, show_secrets, clock, output::stderr());
    let peer = match connect(online, &clock, &mut dump) {
        Ok(peer) => peer,
        Err(end) => return end,
    };
    let sequence = match first_requests(online, prepared.secret, &clock) {
        Ok(sequence) => sequence,
        Err(end) => {
            peer.leave(Some(CloseReason::Bye), &clock, &mut dump);
            return end;
        }
    };
    let reads = online.source == ScriptSource::Stdin;
    let interactive = reads && ask::is_interactive();
    let rules = rules(online, prepared.until, interactive, &clock);
    let login = sequence.map(|sequence| ScriptStep::LogIn(Box::new(sequence)));
    let mut session = ScriptSession::new(rules, login);
    for step in prepared.steps {
        session.push(step);
    }
    let input = reads.then(|| ScriptInput::stdin(interactive, rules.raw));
    if !reads {
        session.end_of_input();
    }
    run::run(peer, &mut session, &online.known, input, &clock, &mut dump)
}

/// What is read before the server hears of the program, so that most mistakes are found before that.
struct Prepared {
    /// The message after which the session is over.
    until: Option<u32>,
    steps: Vec<ScriptStep>,
    /// The password or the token, if it need not be asked for on a terminal.
    secret: Option<Secret>,
}

impl Prepared {
    fn of(online: &Online) -> Result<Self, SessionEnd> {
        let until = online.stop.until.as_ref().map(message::number).transpose();
        let until = until.map_err(|error| SessionEnd::because(Exit::Usage, &error))?;
        let steps = first_steps(&online.source, !online.handshake)?;
        let source = online
            .login
            .as_ref()
            .and_then(|login| login.password.as_ref());
        let secret = ask::password_from(source)?;
        Ok(Self {
            until,
            steps,
            secret,
        })
    }
}

/// Connects as the arguments say, with a handshake or without one.
fn connect(
    online: &Online,
    clock: &Clock,
    dump: &mut Dump<output::Stderr>,
) -> Result<Peer, SessionEnd> {
    Ok(if online.handshake {
        Peer::Sealed(Box::new(connect::sealed(&online.server, clock, dump)?))
    } else {
        Peer::Raw(connect::raw(&online.server, clock)?)
    })
}

/// The requests before those of the script. A password that no option provides is asked for.
fn first_requests(
    online: &Online,
    secret: Option<Secret>,
    clock: &Clock,
) -> Result<Option<LoginSequence>, SessionEnd> {
    let Some(login) = &online.login else {
        return Ok(None);
    };
    let secret = match secret {
        Some(secret) => secret,
        None => ask::password(&login.user, clock)?,
    };
    let sequence = login_sequence(login, &secret);
    let sequence = sequence.map_err(|error| SessionEnd::because(Exit::Usage, &error))?;
    Ok(Some(sequence))
}

/// When the session is over, and what counts in it.
fn rules(online: &Online, until: Option<u32>, interactive: bool, clock: &Clock) -> Rules {
    let raw = !online.handshake;
    Rules {
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
    }
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
