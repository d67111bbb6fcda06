//! A server's answer that is signed as it should be, and whatever follows it.

use super::cuts;
use super::memory::bounded;
use super::signed::server_hello;
use echat_proto::group::{EXPONENT, Ephemeral, PUBLIC};
use echat_proto::handshake::{AwaitServerHello, ClientStart, HandshakeError, Step};
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// What of the input the hello takes: random and public value.
const FREE: usize = 32 + PUBLIC;

/// The input is the free part of a ServerHello and what comes behind it; the rest of the hello is made
/// honestly, or no input would come past the signature. A FINISHED cannot be guessed: the client never
/// takes the channel for made, and says the same however the bytes are cut.
pub fn check(bytes: &[u8]) {
    let Some((free, behind)) = bytes.split_at_checked(FREE) else {
        return;
    };
    let (hello, client) = ask();
    let host_key = SigningKey::from_bytes(&[7; 32]);
    let (random, public) = free.split_at(32);
    let answer = server_hello(&hello, random, public, &host_key);
    let stream = [&answer[..], behind].concat();
    let whole = bounded(stream.len(), || end_of(client, &[&stream]));
    let [.., pieces] = cuts(&stream);
    let (_, client) = ask();
    assert_eq!(bounded(stream.len(), || end_of(client, &pieces)), whole);
}

fn ask() -> (Vec<u8>, AwaitServerHello) {
    ClientStart::with(Ephemeral::from_exponent(&[5; EXPONENT]), &[6; 32]).send()
}

/// Why the client gave up, or `None` if it waits for more.
fn end_of(mut client: AwaitServerHello, pieces: &[&[u8]]) -> Option<HandshakeError> {
    let mut pieces = pieces.iter();
    let mut shown = loop {
        match client.next(pieces.next()?) {
            Ok(Step::More(same)) => client = same,
            Ok(Step::Next(shown)) => break shown,
            Err(error) => return Some(error),
        }
    };
    let mut piece: &[u8] = &[];
    loop {
        match shown.next(piece, &mut StdRng::seed_from_u64(8)) {
            Ok(Step::More(same)) => shown = same,
            Ok(Step::Next(_)) => panic!("a FINISHED was guessed"),
            Err(error) => return Some(error),
        }
        piece = pieces.next()?;
    }
}
