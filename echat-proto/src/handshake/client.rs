//! The client's side.

use super::schedule::{Schedule, signed_text};
use super::{
    CLIENT_HELLO, CLIENT_HELLO_TYPE, HandshakeError, SERVER_HELLO, SERVER_HELLO_TYPE,
    SERVER_SIGNED, Step, check_prefix, hello_prefix, public_of,
};
use crate::channel::{Channel, seal_finished};
use crate::group::{Ephemeral, PUBLIC, Public};
use crate::limits;
use ed25519_dalek::{Signature, VerifyingKey};
use rand::CryptoRng;
use subtle::ConstantTimeEq;

/// A ClientHello, made and not yet answered.
pub struct ClientStart {
    hello: [u8; CLIENT_HELLO],
    ephemeral: Ephemeral,
}

impl ClientStart {
    /// Draws an exponent and a random; one modular power, about 1.5 ms.
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        let ephemeral = Ephemeral::generate(rng);
        let mut random = [0; 32];
        rng.fill_bytes(&mut random);
        Self::with(ephemeral, &random)
    }

    /// The same from a given exponent and random, as the golden vectors need it.
    pub fn with(ephemeral: Ephemeral, random: &[u8; 32]) -> Self {
        let mut hello = [0; CLIENT_HELLO];
        hello[..8].copy_from_slice(&hello_prefix(CLIENT_HELLO_TYPE));
        hello[8..40].copy_from_slice(random);
        hello[40..40 + PUBLIC].copy_from_slice(ephemeral.public());
        Self { hello, ephemeral }
    }

    /// The bytes to send, and the state that waits for the answer.
    pub fn send(self) -> (Vec<u8>, AwaitServerHello) {
        let bytes = self.hello.to_vec();
        (
            bytes,
            AwaitServerHello {
                hello: self.hello,
                ephemeral: self.ephemeral,
                buffer: Vec::new(),
            },
        )
    }
}

/// Waits for the ServerHello.
pub struct AwaitServerHello {
    hello: [u8; CLIENT_HELLO],
    ephemeral: Ephemeral,
    buffer: Vec<u8>,
}

impl AwaitServerHello {
    /// Takes bytes; once the hello is whole, checks its signature and computes the keys (one modular
    /// power). An error means: send nothing, close.
    pub fn next(mut self, bytes: &[u8]) -> Result<Step<Self, AwaitServerFinished>, HandshakeError> {
        self.buffer.extend_from_slice(bytes);
        let Some(answer) = ServerHello::read(&self.hello, &self.buffer)? else {
            return Ok(Step::More(self));
        };
        let z = self.ephemeral.agree(&answer.public);
        let schedule = Schedule::new(&self.hello, answer.bytes, &z);
        let mut channel = Channel::new(
            schedule.client_to_server,
            schedule.server_to_client,
            limits::FRAME_TO_CLIENT,
            schedule.exporter,
        );
        channel.receive(&self.buffer[SERVER_HELLO..]);
        Ok(Step::Next(AwaitServerFinished {
            channel,
            expected: schedule.server_finished,
            own: schedule.client_finished,
            host_key: answer.host_key,
        }))
    }
}

/// A ServerHello whose every field holds, and the signature over them and over the hello it answers.
pub struct ServerHello<'a> {
    bytes: &'a [u8; SERVER_HELLO],
    public: Public,
    host_key: VerifyingKey,
}

impl<'a> ServerHello<'a> {
    /// Reads the answer to a ClientHello from the front of `bytes`; `None` while it is not all there.
    /// Costs no modular power.
    pub fn read(
        client_hello: &[u8; CLIENT_HELLO],
        bytes: &'a [u8],
    ) -> Result<Option<Self>, HandshakeError> {
        check_prefix(bytes, SERVER_HELLO_TYPE)?;
        let Some(bytes) = bytes.first_chunk::<SERVER_HELLO>() else {
            return Ok(None);
        };
        Ok(Some(Self {
            bytes,
            public: public_of(bytes)?,
            host_key: verified(client_hello, bytes)?,
        }))
    }
}

/// The host key that a ServerHello shows and has signed with.
fn verified(
    client_hello: &[u8; CLIENT_HELLO],
    server_hello: &[u8; SERVER_HELLO],
) -> Result<VerifyingKey, HandshakeError> {
    let (signed, signature) = server_hello
        .split_first_chunk::<SERVER_SIGNED>()
        .expect("shorter");
    let key = signed
        .last_chunk::<32>()
        .expect("the host key ends the signed part");
    let key = VerifyingKey::from_bytes(key).map_err(|_| HandshakeError::BadSignature)?;
    let signature = Signature::from_slice(signature).map_err(|_| HandshakeError::BadSignature)?;
    key.verify_strict(&signed_text(client_hello, signed), &signature)
        .map_err(|_| HandshakeError::BadSignature)?;
    Ok(key)
}

/// Waits for the server's FINISHED. Before going on, the caller decides whether it trusts
/// [`Self::host_key`]; nothing has been sent that depends on it.
pub struct AwaitServerFinished {
    channel: Channel,
    expected: [u8; 32],
    own: [u8; 32],
    host_key: VerifyingKey,
}

impl AwaitServerFinished {
    /// The key that the server has proved to hold.
    pub fn host_key(&self) -> &VerifyingKey {
        &self.host_key
    }

    /// Takes bytes, at first perhaps none: the FINISHED may have come with the hello. Then the
    /// channel, and the client's own FINISHED to be sent before anything else.
    pub fn next(
        mut self,
        bytes: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Step<Self, (Channel, Vec<u8>)>, HandshakeError> {
        self.channel.receive(bytes);
        match self.channel.take_finished()? {
            None => Ok(Step::More(self)),
            Some(got) if bool::from(got.ct_eq(&self.expected)) => {
                let mut finished = Vec::new();
                seal_finished(self.channel.sealer(), &self.own, rng, &mut finished);
                Ok(Step::Next((self.channel, finished)))
            }
            Some(_) => Err(HandshakeError::BadFinished),
        }
    }
}
