//! The handshake (wire.md 2): states that consume themselves, named after what they expect, each fed
//! with bytes as they come. It ends in a [`Channel`](crate::channel::Channel) that holds the bytes that came behind it.
//!
//! ```text
//! client                                              server
//! ClientStart ------------- ClientHello ------------> AwaitClientHello
//! AwaitServerHello <--- ServerHello | FINISHED ------ respond()
//! AwaitServerFinished
//!      | trust in host_key() is the caller's to decide
//! Channel ------------ FINISHED | first command ----> AwaitClientFinished -> Channel
//! ```
//!
//! Modular powers and the signature happen in [`ClientStart::new`], [`respond`] and
//! [`AwaitServerHello::next`] alone, so that a reactor can leave them to a helper thread.

mod client;
mod schedule;
mod server;

pub use client::{AwaitServerFinished, AwaitServerHello, ClientStart, ServerHello};
pub use server::{AwaitClientFinished, AwaitClientHello, ClientHello, respond};

use crate::channel::{ChannelError, TakeFinished};
use crate::group::{BadPublic, PUBLIC, Public};
use thiserror::Error;

const MAGIC: &[u8; 4] = b"ECH2";
const CLIENT_HELLO_TYPE: u8 = 0x01;
const SERVER_HELLO_TYPE: u8 = 0x03;
const VERSION: u8 = 0x02;
const SUITE: u8 = 0x01;
const FLAGS: u8 = 0x00;
/// Bytes before a hello's public value: magic, type, version, suite, flags, random.
const PREFIX: usize = 8 + 32;
/// Bytes of a ClientHello.
pub const CLIENT_HELLO: usize = PREFIX + PUBLIC;
/// Bytes of a ServerHello up to its signature.
const SERVER_SIGNED: usize = PREFIX + PUBLIC + 32;
/// Bytes of a ServerHello.
pub const SERVER_HELLO: usize = SERVER_SIGNED + 64;

/// Why a handshake cannot go on. Each of them is answered by closing, without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HandshakeError {
    /// The first bytes are not those of an echat/2 hello.
    #[error("this is not an echat/2 hello")]
    NotAHello,
    /// The public value is out of range.
    #[error(transparent)]
    BadPublic(#[from] BadPublic),
    /// The server's signature does not hold under the key it shows.
    #[error("the server's signature does not hold")]
    BadSignature,
    /// The FINISHED message is wrong, or something else came in its place.
    #[error("the first frame is not the FINISHED message of this handshake")]
    BadFinished,
    /// The first frame cannot be opened.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}

impl From<TakeFinished> for HandshakeError {
    fn from(error: TakeFinished) -> Self {
        match error {
            TakeFinished::Channel(error) => HandshakeError::Channel(error),
            TakeFinished::NotFinished => HandshakeError::BadFinished,
        }
    }
}

/// What a state makes of the bytes so far.
pub enum Step<Same, Next> {
    /// More bytes are needed.
    More(Same),
    /// The next state.
    Next(Next),
}

/// The eight bytes that a hello begins with.
fn hello_prefix(kind: u8) -> [u8; 8] {
    let [a, b, c, d] = *MAGIC;
    [a, b, c, d, kind, VERSION, SUITE, FLAGS]
}

/// Checks as much of a hello's fixed bytes as is there, so that a stranger is told apart at once.
fn check_prefix(bytes: &[u8], kind: u8) -> Result<(), HandshakeError> {
    let expected = hello_prefix(kind);
    let there = bytes.len().min(expected.len());
    if bytes[..there] == expected[..there] {
        Ok(())
    } else {
        Err(HandshakeError::NotAHello)
    }
}

fn public_of(hello: &[u8]) -> Result<Public, BadPublic> {
    Public::new(
        hello[PREFIX..PREFIX + PUBLIC]
            .try_into()
            .expect("a hello holds a public value"),
    )
}

#[cfg(test)]
mod tests;
