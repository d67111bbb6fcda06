//! The handshake (PROTOCOL.md, section 3) as a typed state machine: each state is named after the input it awaits,
//! takes bytes as they arrive, and is consumed by the transition. The last state is a
//! [`Channel`](crate::channel::Channel), which holds any bytes that followed the handshake.
//!
//! ```text
//! client                                              server
//! ClientStart ------------- ClientHello ------------> AwaitClientHello
//! AwaitServerHello <--- ServerHello | FINISHED ------ respond()
//! AwaitServerFinished
//!      | the caller decides whether it trusts host_key()
//! Channel ------------ FINISHED | first command ----> AwaitClientFinished -> Channel
//! ```
//!
//! Only [`ClientStart::new`], [`respond`] and [`AwaitServerHello::next`] compute modular powers and signatures, so that
//! a reactor can run them on a worker thread.

mod client;
mod schedule;
mod server;

pub use client::{AwaitServerFinished, AwaitServerHello, ClientStart, ServerHello};
pub use server::{AwaitClientFinished, AwaitClientHello, ClientHello, respond};

use crate::channel::{ChannelError, TakeFinished};
use crate::group::{BadPublic, PUBLIC, Public};
use ed25519_dalek::{PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH};
use thiserror::Error;

const MAGIC: &[u8; 4] = b"ECH2";
const CLIENT_HELLO_TYPE: u8 = 0x01;
const SERVER_HELLO_TYPE: u8 = 0x03;
const VERSION: u8 = 0x02;
const SUITE: u8 = 0x01;
const FLAGS: u8 = 0x00;
// The offsets of a hello's fields (PROTOCOL.md, section 3): magic, type, version, suite and flags come first.
/// Where a hello's random bytes begin.
const RANDOM: usize = 8;
/// Where a hello's public value begins.
const PUBLIC_VALUE: usize = RANDOM + 32;
/// Bytes of a ClientHello.
pub const CLIENT_HELLO: usize = PUBLIC_VALUE + PUBLIC;
/// Where the host key of a ServerHello begins.
const HOST_KEY: usize = PUBLIC_VALUE + PUBLIC;
/// Bytes of a ServerHello before its signature.
const SERVER_SIGNED: usize = HOST_KEY + PUBLIC_KEY_LENGTH;
/// Bytes of a ServerHello.
pub const SERVER_HELLO: usize = SERVER_SIGNED + SIGNATURE_LENGTH;

/// Why a handshake failed. The connection is then closed without a message (PROTOCOL.md, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HandshakeError {
    /// The first bytes are not an echat/2 hello.
    #[error("this is not an echat/2 hello")]
    NotAHello,
    /// The public value is out of range.
    #[error(transparent)]
    BadPublic(#[from] BadPublic),
    /// The server's signature does not verify under its host key.
    #[error("the server's signature does not verify")]
    BadSignature,
    /// The FINISHED message is wrong or missing.
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

/// The result of feeding bytes to a state.
pub enum Step<Same, Next> {
    /// More bytes are needed.
    More(Same),
    /// The next state.
    Next(Next),
}

/// The bytes of a hello before its random ones.
fn hello_prefix(kind: u8) -> [u8; RANDOM] {
    let [a, b, c, d] = *MAGIC;
    [a, b, c, d, kind, VERSION, SUITE, FLAGS]
}

/// Checks the fixed bytes that have arrived, so that another protocol is recognised at once.
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
        hello[PUBLIC_VALUE..PUBLIC_VALUE + PUBLIC]
            .try_into()
            .expect("a hello holds a public value"),
    )
}

#[cfg(test)]
mod tests;
