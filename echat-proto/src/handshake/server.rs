//! The server's side of the handshake.

use super::schedule::{Schedule, signed_text};
use super::{
    CLIENT_HELLO, CLIENT_HELLO_TYPE, HOST_KEY, HandshakeError, PUBLIC_VALUE, RANDOM, SERVER_HELLO,
    SERVER_HELLO_TYPE, SERVER_SIGNED, Step, check_prefix, hello_prefix, public_of,
};
use crate::channel::{Channel, seal_finished};
use crate::crypto::{OpenKeys, SealKeys};
use crate::group::{KeyShare, Public};
use crate::limits;
use ed25519_dalek::{Signer, SigningKey};
use rand::CryptoRng;
use subtle::ConstantTimeEq;

/// Awaits the ClientHello.
#[derive(Debug, Default)]
pub struct AwaitClientHello {
    buffer: Vec<u8>,
}

/// A ClientHello with valid fields.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientHello {
    bytes: Box<[u8; CLIENT_HELLO]>,
    public: Public,
}

impl AwaitClientHello {
    /// Takes received bytes. The second part of the result is the bytes after the hello; a correct client sends none
    /// before the server's reply.
    pub fn next(
        mut self,
        bytes: &[u8],
    ) -> Result<Step<Self, (ClientHello, Vec<u8>)>, HandshakeError> {
        self.buffer.extend_from_slice(bytes);
        check_prefix(&self.buffer, CLIENT_HELLO_TYPE)?;
        let Some(hello) = self.buffer.first_chunk::<CLIENT_HELLO>() else {
            return Ok(Step::More(self));
        };
        let hello = ClientHello {
            public: public_of(hello)?,
            bytes: Box::new(*hello),
        };
        Ok(Step::Next((hello, self.buffer.split_off(CLIENT_HELLO))))
    }
}

/// Answers a ClientHello. Returns ServerHello and FINISHED, to be sent in one write, and the next state. Computes one
/// modular power (`share.agree`) and one signature, about 2 ms: work for a worker thread.
pub fn respond(
    hello: &ClientHello,
    share: impl KeyShare,
    host_key: &SigningKey,
    rng: &mut impl CryptoRng,
) -> (Vec<u8>, AwaitClientFinished) {
    let mut server_hello = [0; SERVER_HELLO];
    server_hello[..RANDOM].copy_from_slice(&hello_prefix(SERVER_HELLO_TYPE));
    rng.fill_bytes(&mut server_hello[RANDOM..PUBLIC_VALUE]);
    server_hello[PUBLIC_VALUE..HOST_KEY].copy_from_slice(share.public());
    server_hello[HOST_KEY..SERVER_SIGNED].copy_from_slice(host_key.verifying_key().as_bytes());
    let signed = server_hello
        .first_chunk::<SERVER_SIGNED>()
        .expect("shorter than the hello");
    let signature = host_key.sign(&signed_text(&hello.bytes, signed));
    server_hello[SERVER_SIGNED..].copy_from_slice(&signature.to_bytes());

    let z = share.agree(&hello.public);
    let schedule = Schedule::new(&hello.bytes, &server_hello, &z);
    let mut channel = Channel::new(
        SealKeys::derive(&schedule.server_to_client),
        OpenKeys::derive(&schedule.client_to_server),
        limits::FRAME_BEFORE_LOGIN,
        schedule.exporter,
    );
    let mut flight = server_hello.to_vec();
    seal_finished(
        channel.sealer(),
        &schedule.server_finished,
        rng,
        &mut flight,
    );
    (
        flight,
        AwaitClientFinished {
            channel,
            expected: schedule.client_finished,
        },
    )
}

/// Awaits the client's FINISHED.
pub struct AwaitClientFinished {
    channel: Channel,
    expected: [u8; 32],
}

impl AwaitClientFinished {
    /// Takes received bytes. Bytes after the FINISHED are kept in the channel.
    pub fn next(mut self, bytes: &[u8]) -> Result<Step<Self, Channel>, HandshakeError> {
        self.channel.receive(bytes);
        match self.channel.take_finished()? {
            None => Ok(Step::More(self)),
            Some(got) if bool::from(got.ct_eq(&self.expected)) => Ok(Step::Next(self.channel)),
            Some(_) => Err(HandshakeError::BadFinished),
        }
    }
}
