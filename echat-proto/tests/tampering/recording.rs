//! A session that both ends can be put through again: every exponent and random of it is fixed, so that
//! what one end sent once is what the other expects every time.

use echat_proto::Value;
use echat_proto::channel::{Channel, Incoming, Message};
use echat_proto::group::{EXPONENT, Ephemeral};
use echat_proto::handshake::{
    AwaitClientFinished, AwaitClientHello, AwaitServerHello, CLIENT_HELLO, ClientStart,
    HandshakeError, SERVER_HELLO, Step, respond,
};
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Which end listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    Server,
    Client,
}

/// One direction of a session: the hello, FINISHED, then frames, and what each of them says.
pub(crate) struct Recording {
    pub(crate) parts: Vec<Vec<u8>>,
    pub(crate) said: Vec<Vec<Incoming>>,
}

/// What an end hears of a stream, and how that ends: with so many bytes of no whole message, or by
/// being refused.
#[derive(Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) messages: Vec<Incoming>,
    pub(crate) end: Result<usize, HandshakeError>,
}

/// The session of this number; others have other exponents, and so other keys.
#[derive(Clone, Copy)]
pub(crate) struct Session(pub(crate) u8);

impl Session {
    pub(crate) fn host_key() -> SigningKey {
        SigningKey::from_bytes(&[9; 32])
    }

    fn rng(self) -> StdRng {
        StdRng::seed_from_u64(self.0.into())
    }

    /// The client's hello, and the client that waits for the answer.
    pub(crate) fn client(self) -> (Vec<u8>, AwaitServerHello) {
        ClientStart::with(Ephemeral::from_exponent(&[self.0; EXPONENT]), &[self.0; 32]).send()
    }

    /// Both directions, recorded while an honest client talked to an honest server.
    pub(crate) fn record(self, listener: Listener) -> Recording {
        let (hello, client) = self.client();
        let (flight, server) = self.answer(&hello).expect("an honest hello");
        let rng = &mut self.rng();
        let shown = next(client.next(&flight));
        let (mut client, finished) = next(shown.next(&[], rng));
        let mut server = next(server.next(&finished));
        let (first, second, sender) = match listener {
            Listener::Server => (hello, finished, &mut client),
            Listener::Client => {
                let (hello, finished) = flight.split_at(SERVER_HELLO);
                (hello.to_vec(), finished.to_vec(), &mut server)
            }
        };
        let said: Vec<Vec<Incoming>> = [1_u32, 2, 3, 4].map(|n| vec![line(n)]).into();
        let mut parts = vec![first, second];
        parts.extend(said.iter().map(|said| sealed(sender, &said[0], rng)));
        let said = [vec![vec![], vec![]], said].concat();
        Recording { parts, said }
    }

    /// What the server answers to a hello, and the server that waits for FINISHED.
    pub(crate) fn answer(
        self,
        hello: &[u8],
    ) -> Result<(Vec<u8>, AwaitClientFinished), HandshakeError> {
        let Step::Next((hello, _)) = AwaitClientHello::default().next(hello)? else {
            panic!("it was whole");
        };
        let ephemeral = Ephemeral::from_exponent(&[self.0 ^ 0xff; EXPONENT]);
        Ok(respond(
            &hello,
            ephemeral,
            &Self::host_key(),
            &mut self.rng(),
        ))
    }

    /// What one end hears of a stream that comes in these pieces.
    pub(crate) fn hears(self, listener: Listener, pieces: &[&[u8]]) -> Heard {
        let mut messages = Vec::new();
        let end = self.listen(listener, pieces, &mut messages);
        Heard { messages, end }
    }

    fn listen(
        self,
        listener: Listener,
        pieces: &[&[u8]],
        messages: &mut Vec<Incoming>,
    ) -> Result<usize, HandshakeError> {
        // A hello is gathered first: how it may be cut is the business of tests/decode.rs.
        let stream = pieces.concat();
        let hello = match listener {
            Listener::Server => CLIENT_HELLO,
            Listener::Client => SERVER_HELLO,
        };
        let Some((hello, _)) = stream.split_at_checked(hello) else {
            return self.half_a_hello(listener, &stream);
        };
        let mut behind = behind(pieces, hello.len()).into_iter();
        let channel = match listener {
            Listener::Server => {
                let (_, state) = self.answer(hello)?;
                until_finished(state, &mut behind, AwaitClientFinished::next)?
            }
            Listener::Client => {
                let state = next(Ok(self.client().1.next(hello)?));
                let rng = &mut self.rng();
                until_finished(state, &mut behind, |state, piece| {
                    Ok(match state.next(piece, rng)? {
                        Step::More(same) => Step::More(same),
                        Step::Next((channel, _)) => Step::Next(channel),
                    })
                })?
            }
        };
        let Some(mut channel) = channel else {
            return Ok(stream.len());
        };
        drain(&mut channel, messages)?;
        for piece in behind {
            channel.receive(piece);
            drain(&mut channel, messages)?;
        }
        Ok(channel.waiting())
    }

    /// A beginning is waited on, or refused for what it cannot become.
    fn half_a_hello(self, listener: Listener, stream: &[u8]) -> Result<usize, HandshakeError> {
        match listener {
            Listener::Server => AwaitClientHello::default().next(stream).map(drop)?,
            Listener::Client => self.client().1.next(stream).map(drop)?,
        }
        Ok(stream.len())
    }
}

/// The pieces without their first `skip` bytes.
fn behind<'a>(pieces: &[&'a [u8]], mut skip: usize) -> Vec<&'a [u8]> {
    let rest = |piece: &&'a [u8]| {
        let skipped = skip.min(piece.len());
        skip -= skipped;
        &piece[skipped..]
    };
    pieces.iter().map(rest).collect()
}

/// Feeds a state that waits for FINISHED; `None` if it waits still.
fn until_finished<'a, S>(
    mut state: S,
    pieces: &mut impl Iterator<Item = &'a [u8]>,
    mut step: impl FnMut(S, &[u8]) -> Result<Step<S, Channel>, HandshakeError>,
) -> Result<Option<Channel>, HandshakeError> {
    for piece in pieces {
        match step(state, piece)? {
            Step::More(same) => state = same,
            Step::Next(channel) => return Ok(Some(channel)),
        }
    }
    Ok(None)
}

fn drain(channel: &mut Channel, messages: &mut Vec<Incoming>) -> Result<(), HandshakeError> {
    while let Some(incoming) = channel.next_incoming()? {
        messages.push(incoming);
    }
    Ok(())
}

fn line(number: u32) -> Incoming {
    Incoming::Message(Message {
        command: number,
        params: Value::from("a line of text"),
    })
}

fn sealed(channel: &mut Channel, said: &Incoming, rng: &mut StdRng) -> Vec<u8> {
    let Incoming::Message(message) = said else {
        panic!("only messages are recorded");
    };
    let mut out = Vec::new();
    let plain = message.encode().expect("a wire form");
    channel.sealer().seal(&plain, rng, &mut out);
    out
}

fn next<A, B>(step: Result<Step<A, B>, HandshakeError>) -> B {
    match step.expect("both ends are honest") {
        Step::Next(next) => next,
        Step::More(_) => panic!("everything was given"),
    }
}
