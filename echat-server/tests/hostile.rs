//! Whatever one connection does wrong, the others are served.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use echat_proto::channel::Incoming;
use echat_proto::crypto::{BLOCK, TAG};
use echat_proto::frame::HEADER;
use echat_proto::group::{EXPONENT, Ephemeral, KeyShare, PUBLIC, Public};
use echat_proto::handshake::{ClientStart, SERVER_HELLO};
use echat_testkit::schedule::{Schedule, wrong_values};
use echat_testkit::server_process::{ServerFolder, ServerProcess};
use echat_testkit::wire::{Client, credentials, line, message, raw_connection, some_bytes};
use rustix::net::sockopt::set_socket_linger;

/// Closes with a reset instead of an end.
fn reset(stream: &TcpStream) {
    set_socket_linger(stream, Some(Duration::ZERO)).unwrap();
}

/// A server with a user that must not notice anything.
fn scene(dir: &ServerFolder) -> (ServerProcess, Client) {
    let server = dir.start(&["--log", "off"]);
    let ann = Client::register(&server, "ann");
    (server, ann)
}

fn hello() -> Vec<u8> {
    ClientStart::new(&mut rand::rng()).send().0
}

#[test]
fn a_stream_of_another_protocol_is_closed_without_a_message() {
    let dir = ServerFolder::new();
    let (server, mut ann) = scene(&dir);
    let mut wrong_public = hello();
    wrong_public[40..].fill(0);
    let twice = [hello(), hello()].concat();
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x13",
        &[0xff; 4096],
        &wrong_public,
        &twice,
    ] {
        let mut stranger = raw_connection(server.address());
        stranger.write_all(bytes).unwrap();
        assert_eq!(some_bytes(&mut stranger), b"");
        ann.is_served();
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn half_a_hello_with_an_end_or_a_reset_affects_no_other_user() {
    let dir = ServerFolder::new();
    let (server, mut ann) = scene(&dir);
    let hello = hello();
    for length in [0, 1, 4, 8, 40, 423, 424] {
        for at_reset in [false, true] {
            let mut stranger = raw_connection(server.address());
            stranger.write_all(&hello[..length]).unwrap();
            if at_reset {
                reset(&stranger);
                drop(stranger);
            } else {
                stranger.shutdown(Shutdown::Write).unwrap();
                // A whole hello may be answered before its end is seen.
                while !some_bytes(&mut stranger).is_empty() {}
            }
            ann.is_served();
        }
    }
    // The flight came, and nothing follows it.
    for at_reset in [false, true] {
        let mut stranger = raw_connection(server.address());
        stranger.write_all(&hello).unwrap();
        assert!(!some_bytes(&mut stranger).is_empty());
        if at_reset {
            reset(&stranger);
        }
        drop(stranger);
        ann.is_served();
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn a_reset_at_any_stage_ends_only_its_session() {
    let dir = ServerFolder::new();
    let (server, mut ann) = scene(&dir);
    let mut bob = Client::register(&server, "bob");
    ann.befriends("ann", &mut bob, "bob");
    drop(bob);
    let login = format!("LOGIN {}", credentials("bob"));
    for requests in [
        &[][..],
        &["QUERY_SERVER_TIME"],
        // The worker's answer finds no connection.
        &[&login],
        &[
            &login,
            "SEND_MESSAGE {\"target_type\":0,\"target\":\"ann\",\"content\":\"x\"}",
        ],
    ] {
        let mut bob = Client::connect(&server);
        assert!(bob.says(requests));
        reset(bob.stream());
        drop(bob);
        ann.is_served();
    }
    let mut bob = Client::login(&server, "bob");
    reset(bob.stream());
    assert!(bob.says(&["QUERY_HISTORY {}"; 20]));
    drop(bob);
    ann.events.clear();
    ann.is_served();
    let members = ann.asks(r#"FIND {"keyword":"bo"}"#);
    assert!(line(&members).contains("bob"));
    Client::login(&server, "bob").is_served();
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn garbage_inside_a_channel_ends_only_that_channel() {
    let dir = ServerFolder::new();
    let (server, mut ann) = scene(&dir);
    // No frame at all, a length of 4 GiB, a tag that does not hold: silence.
    for bytes in [
        &[0x41; 64][..],
        &[0xff; 64],
        &[&[0, 0, 0, 16][..], &[0; 65]].concat(),
    ] {
        let mut guest = Client::connect(&server);
        guest.says_bytes(bytes);
        assert_eq!(guest.hears(), None);
        ann.is_served();
    }
    // A frame that holds, with contents that do not: CLOSE_NOTIFY(2).
    for plain in [
        &b""[..],
        b"abc",
        &[0, 0, 0, 1, 9],
        &[0xff, 0xff, 0xff, 0x77, 0],
    ] {
        let mut guest = Client::connect(&server);
        guest.says_plain(&[plain.to_vec()]);
        assert_eq!(guest.hears(), Some(Incoming::Close(2)));
        assert_eq!(guest.hears(), None);
        ann.is_served();
    }
    // Half a frame and an end.
    let mut guest = Client::connect(&server);
    guest.says_bytes(&[0, 0, 0]);
    guest.stream().shutdown(Shutdown::Write).unwrap();
    assert_eq!(guest.hears(), None);
    ann.is_served();
    assert_eq!(server.stop().status.code(), Some(0));
}

/// Bytes of the server's flight: its hello, and FINISHED in a frame of three blocks.
const FLIGHT: usize = SERVER_HELLO + HEADER + 3 * BLOCK + TAG;

/// A connection after the server's flight, and what the server waits for.
fn before_finished(server: &ServerProcess) -> (TcpStream, Schedule) {
    let share = || Ephemeral::from_exponent(&[5; EXPONENT]);
    let (hello, _) = ClientStart::with(share(), &[6; 32]).send();
    let mut stream = raw_connection(server.address());
    stream.write_all(&hello).unwrap();
    let mut flight = vec![0; FLIGHT];
    stream.read_exact(&mut flight).unwrap();
    let server_hello = &flight[..SERVER_HELLO];
    let public: [u8; PUBLIC] = server_hello[40..40 + PUBLIC].try_into().unwrap();
    let z = share().agree(&Public::new(&public).unwrap());
    let schedule = Schedule::new(&hello, server_hello, &*z);
    (stream, schedule)
}

#[test]
fn a_wrong_finished_under_the_right_keys_is_closed_without_a_message() {
    let dir = ServerFolder::new();
    let (server, mut ann) = scene(&dir);
    let request = message("QUERY_SERVER_TIME");
    let (mut stream, schedule) = before_finished(&server);
    let foreign = schedule.client_finished();
    stream.write_all(&schedule.client_says(&foreign)).unwrap();
    stream.write_all(&schedule.client_asks(&request)).unwrap();
    assert!(
        !some_bytes(&mut stream).is_empty(),
        "the right one is taken"
    );

    let wrong = |schedule: &Schedule| {
        let due = schedule.client_finished();
        wrong_values(due, schedule.server_finished(), foreign)
    };
    for which in 0..wrong(&schedule).len() {
        let (mut stream, schedule) = before_finished(&server);
        let (what, value) = wrong(&schedule).swap_remove(which);
        let said = [schedule.client_says(&value), schedule.client_asks(&request)].concat();
        stream.write_all(&said).unwrap();
        assert_eq!(some_bytes(&mut stream), b"", "{what}");
        ann.is_served();
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

/// The end of a stream may arrive with the last bytes, right after them, or later: the server reads all bytes, answers
/// them and closes.
#[test]
fn the_end_of_a_stream_is_read_whenever_it_arrives() {
    let dir = ServerFolder::new();
    let (server, mut ann) = scene(&dir);
    for round in 0..30 {
        let mut guest = Client::connect(&server);
        if round % 3 == 0 {
            guest.is_served();
        }
        let requests = vec!["QUERY_SERVER_TIME"; round * 7 % 32];
        assert!(guest.says(&requests));
        if round % 3 == 1 {
            ann.is_served();
        }
        guest.stream().shutdown(Shutdown::Write).unwrap();
        for _ in &requests {
            guest.hears_message();
        }
        assert_eq!(guest.hears(), None, "round {round}");
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

/// More bytes than one read takes are all read, wherever a read ends.
#[test]
fn a_long_stream_is_read_to_its_last_byte() {
    let dir = ServerFolder::new();
    let (server, _ann) = scene(&dir);
    let mut guest = Client::connect(&server);
    let frame = guest.sealed("PING").len();
    let mut guest = Client::connect(&server);
    for bytes in [16 * 1024, 64 * 1024, 200 * 1024] {
        let pings = bytes / frame + 1;
        assert!(guest.says(&vec!["PING"; pings]));
        for _ in 0..pings {
            assert_eq!(guest.hears(), Some(Incoming::Pong));
        }
    }
    assert_eq!(server.stop().status.code(), Some(0));
}
