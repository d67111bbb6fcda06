//! An end that holds every key of the connection and sends a wrong FINISHED: its frame opens, and the value
//! in it has to be compared all the same.

use echat_proto::channel::Channel;
use echat_proto::group::{EXPONENT, Ephemeral, KeyShare, PUBLIC, Public};
use echat_proto::handshake::{
    AwaitClientFinished, AwaitClientHello, AwaitServerFinished, ClientStart, HandshakeError,
    SERVER_HELLO, Step, respond,
};
use echat_testkit::schedule::{Schedule, wrong_values};
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Both ends of a connection before either FINISHED, and what belongs in them.
struct Ends {
    schedule: Schedule,
    client: AwaitServerFinished,
    server: AwaitClientFinished,
}

/// The ends of the connection of this number: equal numbers give equal keys.
fn ends(number: u8) -> Ends {
    let exponent = |bits: u8| Ephemeral::from_exponent(&[number ^ bits; EXPONENT]);
    let (hello, client) = ClientStart::with(exponent(0), &[number; 32]).send();
    let Ok(Step::Next((read, _))) = AwaitClientHello::default().next(&hello) else {
        panic!("an honest hello");
    };
    let rng = &mut StdRng::seed_from_u64(number.into());
    let host_key = SigningKey::from_bytes(&[9; 32]);
    let (flight, server) = respond(&read, exponent(0xff), &host_key, rng);
    let server_hello = &flight[..SERVER_HELLO];
    let public: [u8; PUBLIC] = hello[40..].try_into().expect("it ends the hello");
    let z = exponent(0xff).agree(&Public::new(&public).expect("in range"));
    let Ok(Step::Next(client)) = client.next(server_hello) else {
        panic!("an honest answer");
    };
    Ends {
        schedule: Schedule::new(&hello, server_hello, &*z),
        client,
        server,
    }
}

fn client_hears(client: AwaitServerFinished, frame: &[u8]) -> Result<Channel, HandshakeError> {
    let step = client.next(frame, &mut StdRng::seed_from_u64(1))?;
    Ok(whole(step).0)
}

fn server_hears(server: AwaitClientFinished, frame: &[u8]) -> Result<Channel, HandshakeError> {
    Ok(whole(server.next(frame)?))
}

fn whole<A, B>(step: Step<A, B>) -> B {
    match step {
        Step::Next(next) => next,
        Step::More(_) => panic!("the frame was whole"),
    }
}

#[test]
fn the_correct_value_is_accepted() {
    let Ends {
        schedule,
        client,
        server,
    } = ends(1);
    let frame = schedule.server_says(&schedule.server_finished());
    assert!(client_hears(client, &frame).is_ok());
    let frame = schedule.client_says(&schedule.client_finished());
    assert!(server_hears(server, &frame).is_ok());
}

#[test]
fn a_client_refuses_every_other_value() {
    let schedule = ends(1).schedule;
    let wrong = wrong_values(
        schedule.server_finished(),
        schedule.client_finished(),
        ends(2).schedule.server_finished(),
    );
    for (what, value) in wrong {
        let heard = client_hears(ends(1).client, &schedule.server_says(&value));
        assert_eq!(heard.err(), Some(HandshakeError::BadFinished), "{what}");
    }
}

#[test]
fn a_server_refuses_every_other_value() {
    let schedule = ends(1).schedule;
    let wrong = wrong_values(
        schedule.client_finished(),
        schedule.server_finished(),
        ends(2).schedule.client_finished(),
    );
    for (what, value) in wrong {
        let heard = server_hears(ends(1).server, &schedule.client_says(&value));
        assert_eq!(heard.err(), Some(HandshakeError::BadFinished), "{what}");
    }
}
