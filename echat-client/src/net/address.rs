//! Where a server is: `host:port`, or an `echat://` link that may also name a user, a room, the
//! server's key and an invitation code.
//!
//! ```text
//! host:port     [2001:db8::1]:7000
//! echat://[user@]host:port[/[room]][#[SHA256:...][&invitation=CODE]]
//! ```
//!
//! An address has one spelling (lower case, IPv6 shortest and in brackets), because known hosts are found by it. Spaces
//! and line breaks in a link count for nothing. User, room and what follows `#` may be percent-encoded. No error quotes
//! the text that it refuses: it may contain a password or a code.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use echat_proto::names::InvitationCode;

use crate::net::fingerprint::{Fingerprint, FingerprintError};

const SCHEME: &str = "echat://";
/// Begins the invitation code of a link.
const INVITATION: &str = "invitation=";
/// The longest DNS name, in bytes.
const MAX_HOST: usize = 253;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Lower case; an IPv6 address without its brackets.
    host: String,
    port: u16,
}

/// What an `echat://` link or a `host:port` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTarget {
    /// Where to connect.
    pub address: Address,
    /// The user to log in.
    pub user: Option<String>,
    /// The only key that the server may show.
    pub fingerprint: Option<Fingerprint>,
    /// The room to join and to open.
    pub room: Option<String>,
    /// The invitation code to register with. It has the form of one.
    pub invitation: Option<InvitationCode>,
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The host is missing.
    #[error("the host is missing: an address is host:port")]
    NoHost,
    /// The port is missing.
    #[error("the port is missing: an address is host:port")]
    NoPort,
    /// The port is not a number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    BadPort,
    /// A host of other characters than those of DNS names.
    #[error("a host may contain only letters, digits, '-', '_' and '.' (other scripts as xn--...)")]
    BadHost,
    /// An IPv6 address without brackets.
    #[error("an IPv6 address must be in brackets: [::1]:port")]
    Unbracketed,
    /// Brackets around something else.
    #[error("the brackets do not contain an IPv6 address")]
    BadIpv6,
    /// A link to something else.
    #[error("only echat:// links are supported")]
    Scheme,
    /// `user@host:port`.
    #[error("to name a user, write a link: echat://user@host:port")]
    UserWithoutLink,
    /// `echat://user:password@...`.
    #[error("an address must not contain a password, since others can see it")]
    Password,
    /// An empty user.
    #[error("the user name before '@' is empty")]
    NoUser,
    /// A `?`, or more than one path segment.
    #[error("after the port, a link can have only /room, #SHA256:... and &invitation=CODE")]
    Extra,
    /// A `&` without `#` before it.
    #[error("the code comes after '#': /#SHA256:...&invitation=CODE, or /#invitation=CODE")]
    NoHash,
    /// A part after `#` that is none of those.
    #[error("after '#', a link can have only SHA256:... and invitation=CODE, with & between them")]
    UnknownPart,
    /// Two keys or two codes.
    #[error("after '#', a link can have one SHA256:... and one invitation=CODE")]
    Repeated,
    /// A code that no server can have made.
    #[error(
        "the invitation code is not complete: it has 16 letters and digits (XXXX-XXXX-XXXX-XXXX)"
    )]
    BadInvitation,
    /// A `%` that is not followed by two hexadecimal digits, or bytes that are not UTF-8.
    #[error("'%' must be followed by two hexadecimal digits, and the result must be UTF-8")]
    BadEscape,
    /// The part after `#`.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
}

impl Address {
    /// The host as a resolver wants it: no brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether only programs of the same machine reach it.
    pub fn is_loopback(&self) -> bool {
        let ip = self.host.parse::<IpAddr>();
        ip.map_or_else(|_| self.host == "localhost", |ip| ip.is_loopback())
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(rest) = text.strip_prefix('[') {
            let (inside, after) = rest.split_once(']').ok_or(AddressError::BadIpv6)?;
            let ip: Ipv6Addr = inside.parse().map_err(|_| AddressError::BadIpv6)?;
            let port = after.strip_prefix(':').ok_or(AddressError::NoPort)?;
            return Ok(Self {
                host: ip.to_string(),
                port: parse_port(port)?,
            });
        }
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::NoPort)?;
        if host.is_empty() {
            return Err(AddressError::NoHost);
        }
        if host.contains(':') {
            return Err(AddressError::Unbracketed);
        }
        let named = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
        if host.len() > MAX_HOST || !host.bytes().all(named) {
            return Err(AddressError::BadHost);
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port: parse_port(port)?,
        })
    }
}

impl FromStr for LinkTarget {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let Some(link) = strip_scheme(text) else {
            if text.contains("://") {
                return Err(AddressError::Scheme);
            }
            if text.contains('@') {
                return Err(AddressError::UserWithoutLink);
            }
            let address = text.parse()?;
            return Ok(Self::at(address));
        };
        // A link that was copied from a terminal may be cut into rows.
        let link: String = link.split_whitespace().collect();
        let link = link.as_str();
        let (rest, fragment) = match link.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (link, None),
        };
        let (fingerprint, invitation) = fragment.map_or(Ok((None, None)), parse_fragment)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if rest.contains('?') || path.contains('/') {
            return Err(AddressError::Extra);
        }
        if path.contains('&') {
            return Err(AddressError::NoHash);
        }
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(parse_user(user)?), host),
            None => (None, authority),
        };
        let room = if path.is_empty() {
            None
        } else {
            Some(unescape(path)?)
        };
        Ok(Self {
            address: host.parse()?,
            user,
            fingerprint,
            room,
            invitation,
        })
    }
}

impl LinkTarget {
    /// A server, and nothing else.
    pub fn at(address: Address) -> Self {
        Self {
            address,
            user: None,
            fingerprint: None,
            room: None,
            invitation: None,
        }
    }

    /// The link, in quotes as a shell needs it: an unquoted `&` ends a command.
    pub fn quoted(&self) -> String {
        format!("'{self}'")
    }
}

impl fmt::Display for LinkTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        if let Some(user) = &self.user {
            write!(f, "{}@", Escaped(user))?;
        }
        let room = self.room.as_deref().unwrap_or_default();
        write!(f, "{}/{}", self.address, Escaped(room))?;
        let mut mark = '#';
        if let Some(fingerprint) = &self.fingerprint {
            write!(f, "{mark}{fingerprint}")?;
            mark = '&';
        }
        if let Some(code) = self.invitation.as_ref().and_then(InvitationCode::key) {
            write!(f, "{mark}{INVITATION}{}", *code)?;
        }
        Ok(())
    }
}

/// A text in a link. Letters of every script stay as they are; a shell, a link and a terminal may
/// take any other character for one of their own.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | '~') {
                write!(f, "{character}")?;
                continue;
            }
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// The key and the code after `#`, in any order. `/#` and nothing behind it names neither.
fn parse_fragment(
    fragment: &str,
) -> Result<(Option<Fingerprint>, Option<InvitationCode>), AddressError> {
    let (mut fingerprint, mut invitation) = (None, None);
    for part in fragment.split('&').filter(|part| !part.is_empty()) {
        let part = unescape(part)?;
        let is_repeated = if let Some(code) = part.strip_prefix(INVITATION) {
            let code = InvitationCode::presented(code).ok();
            let code = code.filter(|code| code.key().is_some());
            invitation
                .replace(code.ok_or(AddressError::BadInvitation)?)
                .is_some()
        } else if part.contains('=') && !part.starts_with("SHA256:") {
            return Err(AddressError::UnknownPart);
        } else {
            fingerprint.replace(part.parse()?).is_some()
        };
        if is_repeated {
            return Err(AddressError::Repeated);
        }
    }
    Ok((fingerprint, invitation))
}

/// What follows `echat://`, in whatever case the scheme is written.
fn strip_scheme(text: &str) -> Option<&str> {
    let scheme = text.get(..SCHEME.len())?;
    scheme
        .eq_ignore_ascii_case(SCHEME)
        .then(|| &text[SCHEME.len()..])
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    if text.is_empty() {
        return Err(AddressError::NoPort);
    }
    // u16's own parser takes "+80" too.
    if !text.bytes().all(|c| c.is_ascii_digit()) {
        return Err(AddressError::BadPort);
    }
    text.parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or(AddressError::BadPort)
}

fn parse_user(text: &str) -> Result<String, AddressError> {
    if text.contains(':') {
        return Err(AddressError::Password);
    }
    let user = unescape(text)?;
    if user.is_empty() {
        Err(AddressError::NoUser)
    } else {
        Ok(user)
    }
}

/// Replaces `%41` by `A`.
fn unescape(text: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%' {
            let digits = tail.get(..2).ok_or(AddressError::BadEscape)?;
            bytes.extend(hex::decode(digits).map_err(|_| AddressError::BadEscape)?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).map_err(|_| AddressError::BadEscape)
}

#[cfg(test)]
mod tests;
