//! The way to a link: known hosts, the connection, and what is asked of a person on the way.

use std::env;
use std::time::Duration;

use echat_proto::handshake::HandshakeError;

use super::args::ServerOptions;
use super::ask;
use super::output;
use super::rules::SessionEnd;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::net::fingerprint::Fingerprint;
use crate::net::known_hosts::{KnownHosts, KnownHostsError};
use crate::net::link::{Link, OpenError, Tap};
use crate::net::socket::{Socket, SocketError};
use crate::net::trust::{Trust, Trusted, Untrusted};

/// Connects without a handshake.
pub fn raw(server: &ServerOptions, clock: &Clock) -> Result<Socket, SessionEnd> {
    let deadline = clock.now() + server.connect_timeout;
    Socket::connect(&server.address, clock, deadline).map_err(|error| no_socket(server, &error))
}

/// Connects to a server that is trusted, or becomes so: an unknown key is remembered if
/// `--accept-new` or a person on the terminal says so.
pub fn sealed(
    server: &ServerOptions,
    clock: &Clock,
    tap: &mut dyn Tap,
) -> Result<Link, SessionEnd> {
    let hosts = match KnownHosts::of_user(|name| env::var_os(name)) {
        Ok(hosts) => Some(hosts),
        // A pinned key needs no file.
        Err(KnownHostsError::NoPlace) if server.pinned.is_some() => None,
        Err(error) => return Err(SessionEnd::local(&error)),
    };
    let keys = hosts
        .as_ref()
        .map(|hosts| hosts.look_up(&server.address))
        .transpose();
    let keys = keys
        .map_err(|error| SessionEnd::local(&error))?
        .unwrap_or_default();
    if let (Some(hosts), false) = (&hosts, keys.malformed.is_empty()) {
        let lines: Vec<String> = keys.malformed.iter().map(ToString::to_string).collect();
        let path = hosts.path().display().to_string();
        output::diagnostic(&format!("{path:?}: cannot parse line {}", lines.join(", ")));
    }
    let mut trust = Trust {
        known: keys.known,
        pinned: server.pinned.clone(),
        accept_new: server.accept_new,
    };
    let mut link = open(server, &trust, clock, tap);
    if let Err(OpenFailure::Open(OpenError::Untrusted(Untrusted::Unknown { shown }))) = &link {
        if !ask(server, shown)? {
            return Err(SessionEnd {
                exit: Exit::NotTrusted,
                note: None,
            });
        }
        // A person may take longer than the handshake may: it starts again, with this key only.
        remember(hosts.as_ref(), server, shown)?;
        trust.known.push(shown.clone());
        link = open(server, &trust, clock, tap);
    }
    let link = link.map_err(|failure| failure.into_end(server))?;
    if link.trusted() == Trusted::New {
        remember(hosts.as_ref(), server, link.key())?;
        output::diagnostic(&format!(
            "{} is now known with {}",
            server.address,
            link.key()
        ));
    }
    Ok(link)
}

enum OpenFailure {
    Socket(SocketError),
    Open(OpenError),
}

fn open(
    server: &ServerOptions,
    trust: &Trust,
    clock: &Clock,
    tap: &mut dyn Tap,
) -> Result<Link, OpenFailure> {
    let deadline: Duration = clock.now() + server.connect_timeout;
    let socket = Socket::connect(&server.address, clock, deadline).map_err(OpenFailure::Socket)?;
    Link::open(socket, trust, clock, deadline, tap).map_err(OpenFailure::Open)
}

fn remember(
    hosts: Option<&KnownHosts>,
    server: &ServerOptions,
    key: &Fingerprint,
) -> Result<(), SessionEnd> {
    hosts
        .map_or(Ok(()), |hosts| hosts.remember(&server.address, key))
        .map_err(|error| {
            let address = &server.address;
            let hint = if error.is_helped_by_pinning() {
                format!(
                    "\nthe key cannot be remembered, and nothing was sent; to do without known_hosts, \
                     name the key with the address: echat://{address}/#{key}"
                )
            } else {
                String::new()
            };
            SessionEnd::local(&format!("{error}{hint}"))
        })
}

impl OpenFailure {
    fn into_end(self, server: &ServerOptions) -> SessionEnd {
        let address = &server.address;
        let (exit, note) = match self {
            Self::Socket(error) => return no_socket(server, &error),
            Self::Open(error) => {
                let hint = match &error {
                    OpenError::Untrusted(Untrusted::Unknown { shown }) => format!(
                        "\nnothing was sent; if this is the right key, use --fingerprint {shown}, \
                         or --accept-new to remember it"
                    ),
                    OpenError::Untrusted(Untrusted::Changed { .. }) => format!(
                        "\nnothing was sent: someone may be intercepting the connection. If the \
                         server's operator confirms the new key, run: echat-nc --forget-host {address}"
                    ),
                    _ => String::new(),
                };
                (exit_of(&error), format!("{address}: {error}{hint}"))
            }
        };
        SessionEnd {
            exit,
            note: Some(note),
        }
    }
}

fn exit_of(error: &OpenError) -> Exit {
    match error {
        OpenError::TimedOut
        | OpenError::Closed
        | OpenError::Handshake(HandshakeError::NotAHello) => Exit::CannotConnect,
        OpenError::Untrusted(_) | OpenError::Handshake(HandshakeError::BadSignature) => {
            Exit::NotTrusted
        }
        OpenError::Handshake(_) => Exit::Protocol,
        OpenError::Io(_) => Exit::Local,
    }
}

fn no_socket(server: &ServerOptions, error: &SocketError) -> SessionEnd {
    SessionEnd::because(Exit::CannotConnect, &format!("{}: {error}", server.address))
}

/// Asks whether an unknown server's key is right; without a terminal it is not.
fn ask(server: &ServerOptions, shown: &Fingerprint) -> Result<bool, SessionEnd> {
    let address = &server.address;
    let answer = ask::yes(&format!(
        "{address} is an unknown server. Its key is\n  {shown}\nType yes if this is the right key: "
    ))?;
    answer.ok_or_else(|| {
        let failure = OpenError::Untrusted(Untrusted::Unknown {
            shown: shown.clone(),
        });
        OpenFailure::Open(failure).into_end(server)
    })
}
