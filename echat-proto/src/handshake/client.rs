//! The client's side of the handshake.

use super::schedule::{Schedule, signed_text};
use super::{
    CLIENT_HELLO, CLIENT_HELLO_TYPE, HandshakeError, PUBLIC_VALUE, RANDOM, SERVER_HELLO,
    SERVER_HELLO_TYPE, SERVER_SIGNED, Step, check_prefix, hello_prefix, public_of,
};
use crate::channel::{Channel, seal_finished};
use crate::crypto::{OpenKeys, SealKeys};
use crate::group::{Ephemeral, KeyShare, Public};
use crate::limits;
use ed25519_dalek::{Signature, VerifyingKey};
use rand::CryptoRng;
use subtle::ConstantTimeEq;

/// A ClientHello that is not sent yet.
pub struct ClientStart<K = Ephemeral> {
    hello: [u8; CLIENT_HELLO],
    share: K,
}

impl ClientStart {
    /// Draws an exponent and a random. Computes one modular power by table.
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        let ephemeral = Ephemeral::generate(rng);
        let mut random = [0; 32];
        rng.fill_bytes(&mut random);
        Self::with(ephemeral, &random)
    }
}

impl<K: KeyShare> ClientStart<K> {
    /// The same from a given exponent and random, for the test vectors.
    pub fn with(share: K, random: &[u8; 32]) -> Self {
        let mut hello = [0; CLIENT_HELLO];
        hello[..RANDOM].copy_from_slice(&hello_prefix(CLIENT_HELLO_TYPE));
        hello[RANDOM..PUBLIC_VALUE].copy_from_slice(random);
        hello[PUBLIC_VALUE..].copy_from_slice(share.public());
        Self { hello, share }
    }

    /// The bytes to send, and the next state.
    pub fn send(self) -> (Vec<u8>, AwaitServerHello<K>) {
        let bytes = self.hello.to_vec();
        (
            bytes,
            AwaitServerHello {
                hello: self.hello,
                share: self.share,
                buffer: Vec::new(),
            },
        )
    }
}

/// Awaits the ServerHello.
pub struct AwaitServerHello<K = Ephemeral> {
    hello: [u8; CLIENT_HELLO],
    share: K,
    buffer: Vec<u8>,
}

impl<K: KeyShare> AwaitServerHello<K> {
    /// Takes received bytes. When the hello is complete, verifies its signature and computes the keys (one modular
    /// power). After an error, the client closes without sending anything.
    pub fn next(mut self, bytes: &[u8]) -> Result<Step<Self, AwaitServerFinished>, HandshakeError> {
        self.buffer.extend_from_slice(bytes);
        let Some(answer) = ServerHello::read(&self.hello, &self.buffer)? else {
            return Ok(Step::More(self));
        };
        let z = self.share.agree(&answer.public);
        let schedule = Schedule::new(&self.hello, answer.bytes, &z);
        let mut channel = Channel::new(
            SealKeys::derive(&schedule.client_to_server),
            OpenKeys::derive(&schedule.server_to_client),
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

/// A ServerHello with valid fields and a valid signature over both hellos.
pub struct ServerHello<'a> {
    bytes: &'a [u8; SERVER_HELLO],
    public: Public,
    host_key: VerifyingKey,
}

impl<'a> ServerHello<'a> {
    /// Parses the reply to a ClientHello from the front of `bytes`; `None` until all of it has arrived. Computes no
    /// modular power.
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

/// The host key in a ServerHello, after its signature is verified.
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

/// Awaits the server's FINISHED. The caller first decides whether it trusts [`Self::host_key`]; nothing has been sent
/// that depends on it.
pub struct AwaitServerFinished {
    channel: Channel,
    expected: [u8; 32],
    own: [u8; 32],
    host_key: VerifyingKey,
}

impl AwaitServerFinished {
    /// The host key, of which the server has proved possession.
    pub fn host_key(&self) -> &VerifyingKey {
        &self.host_key
    }

    /// Takes received bytes, possibly none, since the FINISHED may have arrived with the hello. Returns the channel,
    /// and the client's own FINISHED, which is sent before anything else.
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
