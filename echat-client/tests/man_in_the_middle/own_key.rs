//! An attacker with a key of its own, with one handshake with the client and another with the server.

use std::io::Write;
use std::time::Duration;

use echat_client::clock::Clock;
use echat_client::net::link::{Link, Unwatched};
use echat_client::net::socket::{Received, Socket};
use echat_client::net::trust::Trust;
use echat_client::net::wait::{Interest, WatchedFd, wait};
use echat_proto::channel::{Incoming, Message};
use echat_proto::group::{EXPONENT, Ephemeral, KeyShare};
use echat_testkit::server_end::{Server, some_bytes};
use echat_testkit::server_process::ServerProcess;
use echat_testkit::wire::message;

use crate::middle::{Direction, How, Middle, Tampering};
use crate::{credentials, knows, login, scene, through};

const LONG: Duration = Duration::from_secs(30);

/// The relay's own connection to the real server.
fn behind(server: &ServerProcess) -> Link {
    let clock = Clock::start();
    let address = server.address().to_string().parse().unwrap();
    let socket = Socket::connect(&address, &clock, LONG).unwrap();
    let any_key = Trust {
        accept_new: true,
        ..Trust::default()
    };
    Link::open(socket, &any_key, &clock, LONG, &mut Unwatched).unwrap()
}

/// Asks the real server, and waits for what it answers.
fn asks(link: &mut Link, request: &Message) -> Vec<Incoming> {
    link.send(&request.encode().unwrap(), &mut Unwatched);
    link.socket().flush();
    loop {
        if let Some(answer) = link.next_frame(&mut Unwatched).unwrap() {
            return answer;
        }
        let mut fds = [WatchedFd::new(&*link, Interest::Read)];
        wait(&mut fds, &Clock::start(), Some(LONG)).unwrap();
        assert_ne!(link.receive(&mut Unwatched), Received::End);
    }
}

#[test]
fn a_man_in_the_middle_with_another_key_reads_nothing() {
    let (scene, server) = scene(["ann", "bob"]);
    let face = Server::new(2);
    let _waiting = behind(&server);
    knows(&scene, &face.address(), server.fingerprint());
    let link = format!("echat://{}/#{}", face.address(), face.fingerprint());
    let address = face.address();
    for options in [
        &[address.as_str()][..],
        &["--accept-new", &address],
        &["--fingerprint", server.fingerprint(), &address],
        &[&link],
    ] {
        let mut heard = None;
        let act = |_: &Server| {
            let mut stream = face.accept_raw();
            let (flight, _) = face.flight(&mut stream);
            stream.write_all(&flight).unwrap();
            heard = some_bytes(&mut stream);
        };
        let outcome = scene.with(options, &login("ann"), act).exits(4);
        assert_eq!(heard, None, "not a byte after the hello");
        assert_eq!(outcome.out, "");
        assert!(outcome.err.contains(&face.fingerprint()), "{}", outcome.err);
    }
}

/// What the test above would let through if the key did not matter: the relay works.
#[test]
fn a_client_that_accepts_any_key_is_readable() {
    let (scene, server) = scene(["ann", "bob"]);
    let face = Server::new(2);
    let mut link = behind(&server);
    let asked = message(&format!("LOGIN {}", credentials("ann")));
    let relay = |_: &Server| {
        let mut stream = face.accept_raw();
        let (flight, shaking) = face.flight(&mut stream);
        stream.write_all(&flight).unwrap();
        let mut end = shaking.finish(stream);
        assert_eq!(end.hears(), Some(Incoming::Message(asked.clone())));
        for answer in asks(&mut link, &asked) {
            let Incoming::Message(answer) = answer else {
                panic!("{answer:?}");
            };
            end.says_plain(&answer.encode().unwrap());
        }
        end.hears_goodbye();
    };
    let outcome = scene
        .with(&["--accept-new", &face.address()], &login("ann"), relay)
        .exits(0);
    assert!(outcome.out.contains("LOGIN_BUNDLE"), "{}", outcome.out);
}

/// The server's public key, shown by an attacker that does not have the private one.
#[test]
fn a_signed_hello_of_another_exponent_or_session_is_not_trusted() {
    let (scene, server) = scene(["ann", "bob"]);
    let middle = Middle::before(server.address());
    knows(&scene, &middle.address(), server.fingerprint());
    let replaced = |bytes: Vec<u8>| Tampering {
        way: Direction::ToClient,
        part: 0,
        how: How::Replace(bytes),
    };
    let leave = Tampering {
        way: Direction::ToClient,
        part: 0,
        how: How::Leave,
    };
    let (outcome, seen) = through(&scene, &middle, &login("ann"), &leave);
    outcome.exits(0);
    let old = seen.to_client[0].clone();
    let mut other_exponent = old.clone();
    other_exponent[40..424].copy_from_slice(Ephemeral::from_exponent(&[3; EXPONENT]).public());
    for hello in [old, other_exponent] {
        let (outcome, seen) = through(&scene, &middle, &login("ann"), &replaced(hello));
        assert_eq!(outcome.exits(4).out, "");
        assert_eq!(seen.to_server.len(), 1, "nothing after the hello");
    }
}
