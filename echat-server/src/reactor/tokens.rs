//! The sources of events in the poll, and their tokens.
//!
//! A token is a number of 64 bits. That of a connection is its [`ConnId`], whose upper 40 bits are a serial number. The
//! last serial number, which is reached after 2^40 connections, is reserved: its lower 24 bits have the kind of another
//! source and an index of 16 bits.

use crate::conn::ConnId;
use mio::Token;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the id of a connection has 64 bits, and so must a token of the poll");

/// What an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventSource {
    /// A thread has a result.
    Waker,
    /// Signals of the system.
    Signals,
    /// The server's own terminal.
    Terminal,
    /// The listening socket of this index.
    Listener(u16),
    /// The connection of a proxy in this slot, whose header has not come.
    Proxied(u16),
    /// The listening socket of `echat-server ctl`.
    CtlListener,
    /// Its client in this slot.
    CtlClient(u16),
    /// The listening socket of the page of metrics.
    HttpListener,
    /// Its client in this slot.
    HttpClient(u16),
    /// A connection of a user.
    Connection(ConnId),
}

/// The first number with the reserved serial number.
const RESERVED: u64 = u64::MAX << ConnId::SLOT_BITS;
/// Bits of an index.
const INDEX_BITS: u32 = 16;

impl EventSource {
    /// Its token.
    pub(super) fn token(self) -> Token {
        let (kind, index) = match self {
            Self::Connection(conn) => return to_token(conn.0),
            Self::Waker => (0, 0),
            Self::Signals => (1, 0),
            Self::Terminal => (2, 0),
            Self::Listener(index) => (3, index),
            Self::Proxied(slot) => (4, slot),
            Self::CtlListener => (5, 0),
            Self::CtlClient(slot) => (6, slot),
            Self::HttpListener => (7, 0),
            Self::HttpClient(slot) => (8, slot),
        };
        to_token(RESERVED | kind << INDEX_BITS | u64::from(index))
    }

    /// The source of a token. A token that is no other's is that of a connection, perhaps of one that does not exist.
    pub(super) fn of(token: Token) -> Self {
        let number = token.0 as u64;
        let connection = Self::Connection(ConnId(number));
        let Some(reserved) = number.checked_sub(RESERVED) else {
            return connection;
        };
        let [.., high, low] = number.to_be_bytes();
        let index = u16::from_be_bytes([high, low]);
        match (reserved >> INDEX_BITS, index) {
            (0, 0) => Self::Waker,
            (1, 0) => Self::Signals,
            (2, 0) => Self::Terminal,
            (3, index) => Self::Listener(index),
            (4, slot) => Self::Proxied(slot),
            (5, 0) => Self::CtlListener,
            (6, slot) => Self::CtlClient(slot),
            (7, 0) => Self::HttpListener,
            (8, slot) => Self::HttpClient(slot),
            _ => connection,
        }
    }
}

fn to_token(number: u64) -> Token {
    Token(usize::try_from(number).expect("pointers have 64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_source_has_a_token_of_its_own() {
        let mut sources = vec![
            EventSource::Waker,
            EventSource::Signals,
            EventSource::Terminal,
            EventSource::CtlListener,
            EventSource::HttpListener,
        ];
        for index in [0, 1, 255, 256, u16::MAX] {
            sources.extend([
                EventSource::Listener(index),
                EventSource::Proxied(index),
                EventSource::CtlClient(index),
                EventSource::HttpClient(index),
            ]);
        }
        for conn in [0, 1, 1 << ConnId::SLOT_BITS, RESERVED - 1] {
            sources.push(EventSource::Connection(ConnId(conn)));
        }
        let tokens: HashSet<_> = sources.iter().map(|source| source.token()).collect();
        assert_eq!(tokens.len(), sources.len());
        for source in sources {
            assert_eq!(EventSource::of(source.token()), source);
        }
    }

    #[test]
    fn each_token_is_of_one_source() {
        let edges = (0..=9).flat_map(|kind| {
            let first = RESERVED + (kind << INDEX_BITS);
            [first - 1, first, first + 1, first + 255]
        });
        for number in edges.chain([0, 1, u64::MAX - 1, u64::MAX]) {
            let token = to_token(number);
            assert_eq!(EventSource::of(token).token(), token, "{number:#x}");
        }
    }
}
