//! Both ends in memory: every split point of a session, and every way to spoil it.

use super::*;
use crate::channel::{Channel, Incoming, Message};
use crate::group::Ephemeral;
use crate::value::Value;
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

fn host_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn next<A, B>(step: Result<Step<A, B>, HandshakeError>) -> B {
    match step.expect("no error") {
        Step::Next(next) => next,
        Step::More(_) => panic!("everything was given"),
    }
}

struct Flight {
    hello: Vec<u8>,
    client: AwaitServerHello,
    answer: Vec<u8>,
    server: AwaitClientFinished,
}

fn flight(rng: &mut StdRng) -> Flight {
    let (hello, client) = ClientStart::new(rng).send();
    let (client_hello, leftover) = next(AwaitClientHello::default().next(&hello));
    assert!(leftover.is_empty());
    let (answer, server) = respond(&client_hello, Ephemeral::generate(rng), &host_key(), rng);
    Flight {
        hello,
        client,
        answer,
        server,
    }
}

/// Two channels, and the client's FINISHED that the server has not seen.
fn established(rng: &mut StdRng) -> (Channel, Vec<u8>, AwaitClientFinished) {
    let Flight {
        client,
        answer,
        server,
        ..
    } = flight(rng);
    let (channel, finished) = next(next(client.next(&answer)).next(&[], rng));
    (channel, finished, server)
}

fn message(command: u32) -> Message {
    Message {
        command,
        params: Value::from("a line of text"),
    }
}

#[test]
fn a_session_survives_every_split() {
    let rng = &mut rng();
    let (mut client, mut stream, mut server) = established(rng);
    for command in [1, 2] {
        client
            .sealer()
            .seal(&message(command).encode().expect("good"), rng, &mut stream);
    }
    let mut received = Vec::new();
    let mut channel = None;
    // Byte by byte is every split point at once.
    for byte in stream.chunks(1) {
        channel = match channel {
            None => match server.next(byte).expect("no error") {
                Step::More(same) => {
                    server = same;
                    None
                }
                Step::Next(channel) => {
                    // A placeholder never used again: the state is consumed by the step.
                    server = established(rng).2;
                    Some(channel)
                }
            },
            Some(mut channel) => {
                Channel::receive(&mut channel, byte);
                while let Some(incoming) = channel.next_incoming().expect("good") {
                    received.push(incoming);
                }
                Some(channel)
            }
        };
    }
    assert_eq!(received, [1, 2].map(|n| Incoming::Message(message(n))));
}

#[test]
fn hello_and_finished_may_come_apart() {
    let rng = &mut rng();
    let Flight {
        mut client, answer, ..
    } = flight(rng);
    for byte in answer[..SERVER_HELLO - 1].chunks(1) {
        client = match client.next(byte).expect("good") {
            Step::More(same) => same,
            Step::Next(_) => panic!("too early"),
        };
    }
    let mut waiting = next(client.next(&answer[SERVER_HELLO - 1..SERVER_HELLO]));
    assert_eq!(waiting.host_key(), &host_key().verifying_key());
    for byte in answer[SERVER_HELLO..answer.len() - 1].chunks(1) {
        waiting = match waiting.next(byte, rng).expect("good") {
            Step::More(same) => same,
            Step::Next(_) => panic!("too early"),
        };
    }
    next(waiting.next(&answer[answer.len() - 1..], rng));
}

#[test]
fn a_strange_hello_is_refused_at_its_first_wrong_byte() {
    let hello = flight(&mut rng()).hello;
    for at in 0..8 {
        let mut bytes = hello[..=at].to_vec();
        bytes[at] ^= 1;
        let result = AwaitClientHello::default().next(&bytes);
        assert!(
            matches!(result, Err(HandshakeError::NotAHello)),
            "byte {at}"
        );
    }
    let mut zero = hello.clone();
    zero[40..].fill(0);
    let result = AwaitClientHello::default().next(&zero);
    assert!(matches!(result, Err(HandshakeError::BadPublic(_))));
}

#[test]
fn every_bit_of_the_servers_answer_counts() {
    let rng = &mut rng();
    // One modular power a try: a byte of each field rather than every bit of all of them.
    for at in [
        0, 7, 8, 39, 41, 423, 424, 455, 456, 519, 520, 524, 525, 541, 560, 588, 620,
    ] {
        let Flight {
            client, mut answer, ..
        } = flight(rng);
        assert!(at < answer.len());
        answer[at] ^= 0x10;
        let failed = match client.next(&answer) {
            Err(_) => true,
            Ok(Step::More(_)) => panic!("the hello was whole"),
            Ok(Step::Next(waiting)) => !matches!(waiting.next(&[], rng), Ok(Step::Next(_))),
        };
        assert!(failed, "byte {at}");
    }
}

#[test]
fn a_finished_of_another_session_is_refused() {
    let rng = &mut rng();
    let (_, _, server) = established(rng);
    let (_, finished, _) = established(rng);
    assert!(matches!(
        server.next(&finished),
        Err(HandshakeError::Channel(ChannelError::BadTag))
    ));
}

#[test]
fn the_first_frame_is_finished_and_nothing_else() {
    let rng = &mut rng();
    let Flight {
        client,
        answer,
        server,
        ..
    } = flight(rng);
    let (mut channel, _) = next(next(client.next(&answer)).next(&[], rng));
    // The client's FINISHED was sealed as seq 0 and is withheld: the server sees seq 1 first.
    let mut frame = Vec::new();
    channel
        .sealer()
        .seal(&message(1).encode().expect("good"), rng, &mut frame);
    assert!(server.next(&frame).is_err());
}
