//! A link against the server's end of the protocol, over loopback.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use echat_client::clock::Clock;
use echat_client::net::link::{Direction, Link, OpenError, Tap, Unwatched};
use echat_client::net::socket::{Received, Socket, SocketError};
use echat_client::net::trust::{Trust, Trusted, Untrusted};
use echat_client::net::wait::{Interest, WatchedFd, wait};
use echat_proto::channel::{ChannelError, Incoming};
use echat_proto::group::{EXPONENT, Ephemeral, KeyShare, PUBLIC, Public};
use echat_proto::handshake::{
    AwaitClientHello, CLIENT_HELLO, HandshakeError, SERVER_HELLO, Step, respond,
};
use echat_testkit::schedule::{Schedule, wrong_values};
use echat_testkit::server_end::{End, Server, some_bytes};
use echat_testkit::wire::message;

const LONG: Duration = Duration::from_secs(30);

fn connect(server: &Server, clock: &Clock) -> Socket {
    Socket::connect(&server.address().parse().unwrap(), clock, LONG).unwrap()
}

fn pinned(server: &Server) -> Trust {
    Trust {
        pinned: Some(server.fingerprint().parse().unwrap()),
        ..Trust::default()
    }
}

fn open(server: &Server, trust: &Trust) -> Result<Link, OpenError> {
    let clock = Clock::start();
    Link::open(connect(server, &clock), trust, &clock, LONG, &mut Unwatched)
}

/// Both ends, after the handshake.
fn pair() -> (Link, End) {
    let server = Server::new(1);
    thread::scope(|scope| {
        let end = scope.spawn(|| server.accept());
        (
            open(&server, &pinned(&server)).unwrap(),
            end.join().unwrap(),
        )
    })
}

/// Waits for more bytes, and takes the next frame.
fn next(link: &mut Link, tap: &mut dyn Tap) -> Result<Option<Vec<Incoming>>, ChannelError> {
    loop {
        if let Some(frame) = link.next_frame(tap)? {
            return Ok(Some(frame));
        }
        wait(
            &mut [WatchedFd::new(&*link, Interest::Read)],
            &Clock::start(),
            Some(LONG),
        )
        .unwrap();
        if link.receive(tap) == Received::End {
            return Ok(None);
        }
    }
}

#[derive(Default)]
struct Recorder(Vec<(bool, Direction, usize)>);

impl Tap for Recorder {
    fn wire(&mut self, way: Direction, bytes: &[u8]) {
        self.0.push((false, way, bytes.len()));
    }
    fn plain(&mut self, way: Direction, plain: &[u8]) {
        self.0.push((true, way, plain.len()));
    }
}

#[test]
fn messages_go_both_ways_and_can_be_watched() {
    let (mut link, mut end) = pair();
    assert_eq!(link.trusted(), Trusted::Expected);
    let mut tap = Recorder::default();
    link.send(&message("QUERY_SERVER_TIME").encode().unwrap(), &mut tap);
    link.socket().flush();
    end.hears_line("QUERY_SERVER_TIME");
    end.says(&["SEND_SERVER_TIME 5"]);
    let answer = Incoming::Message(message("SEND_SERVER_TIME 5"));
    assert_eq!(next(&mut link, &mut tap), Ok(Some(vec![answer])));
    let (out, back) = (Direction::Out, Direction::In);
    let frame = 21 + 16 + 32;
    assert_eq!(
        tap.0,
        [
            (true, out, 5),
            (false, out, frame),
            (false, back, frame),
            (true, back, 10)
        ]
    );
    drop(end);
    assert_eq!(next(&mut link, &mut tap), Ok(None));
}

#[test]
fn a_batch_is_several_messages() {
    let (mut link, mut end) = pair();
    let item = message("SEND_SERVER_TIME 5").encode().unwrap();
    let items = [&[0, 0, 0, 10][..], &item, &[0, 0, 0, 10], &item].concat();
    let batch = format!("BATCH {{\"$bytes\":\"{}\"}}", hex::encode(items));
    end.says(&[&batch]);
    let same = Incoming::Message(message("SEND_SERVER_TIME 5"));
    assert_eq!(
        next(&mut link, &mut Unwatched),
        Ok(Some(vec![same.clone(), same]))
    );
}

#[test]
fn a_server_that_sends_byte_by_byte_is_awaited() {
    let server = Server::new(1);
    thread::scope(|scope| {
        let end = scope.spawn(|| {
            let mut stream = server.accept_raw();
            let (flight, shaking) = server.flight(&mut stream);
            // Every piece leaves on its own, and the last ones hold parts of two messages.
            for piece in flight.chunks(7) {
                stream.write_all(piece).unwrap();
                thread::yield_now();
            }
            shaking.finish(stream);
        });
        open(&server, &pinned(&server)).unwrap();
        end.join().unwrap();
    });
}

#[test]
fn nothing_is_sent_to_a_server_that_is_not_trusted() {
    let server = Server::new(1);
    let other = Server::new(2).fingerprint().parse().unwrap();
    let known = Trust {
        known: vec![other],
        accept_new: true,
        ..Trust::default()
    };
    for (trust, changed) in [(Trust::default(), false), (known, true)] {
        thread::scope(|scope| {
            let after = scope.spawn(|| {
                let mut stream = server.accept_raw();
                let (flight, _) = server.flight(&mut stream);
                stream.write_all(&flight).unwrap();
                some_bytes(&mut stream)
            });
            let Err(OpenError::Untrusted(why)) = open(&server, &trust) else {
                panic!("it was trusted")
            };
            assert_eq!(matches!(why, Untrusted::Changed { .. }), changed);
            assert!(why.to_string().contains(&server.fingerprint()));
            assert_eq!(after.join().unwrap(), None);
        });
    }
}

#[test]
fn an_unknown_key_is_accepted_where_new_keys_are() {
    let server = Server::new(1);
    thread::scope(|scope| {
        scope.spawn(|| server.accept());
        let trust = Trust {
            accept_new: true,
            ..Trust::default()
        };
        let link = open(&server, &trust).unwrap();
        assert_eq!(link.trusted(), Trusted::New);
        assert_eq!(link.key().to_string(), server.fingerprint());
    });
}

#[test]
fn each_fault_of_a_server_has_its_own_error() {
    let failure = |act: &(dyn Fn(Vec<u8>) -> Vec<u8> + Sync)| {
        let server = Server::new(1);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut stream = server.accept_raw();
                let (flight, _) = server.flight(&mut stream);
                stream.write_all(&act(flight)).unwrap();
            });
            open(&server, &pinned(&server)).err().expect("it is wrong")
        })
    };
    let flipped = |at: usize| {
        move |mut flight: Vec<u8>| {
            flight[at] ^= 1;
            flight
        }
    };
    // The public value, the host key, the signature; then the tag of FINISHED, and its length.
    for at in [100, 430, 500] {
        let error = failure(&flipped(at));
        assert!(
            matches!(error, OpenError::Handshake(HandshakeError::BadSignature)),
            "{at}: {error}"
        );
    }
    let tag = failure(&|flight| flipped(flight.len() - 1)(flight));
    let bad_tag = HandshakeError::Channel(ChannelError::BadTag);
    assert!(
        matches!(tag, OpenError::Handshake(found) if found == bad_tag),
        "{tag}"
    );
    let hello = failure(&|_| b"SSH-2.0-OpenSSH_9.9\r\n".to_vec());
    assert!(
        matches!(hello, OpenError::Handshake(HandshakeError::NotAHello)),
        "{hello}"
    );
    let closed = failure(&|flight| flight[..519].to_vec());
    assert!(matches!(closed, OpenError::Closed), "{closed}");
    let unfinished = failure(&|flight| flight[..520].to_vec());
    assert!(matches!(unfinished, OpenError::Closed), "{unfinished}");
}

#[test]
fn a_silent_server_is_given_up() {
    let server = Server::new(1);
    let clock = Clock::start();
    let socket = connect(&server, &clock);
    let deadline = clock.now() + Duration::from_millis(50);
    let error = Link::open(socket, &pinned(&server), &clock, deadline, &mut Unwatched).err();
    assert!(matches!(error, Some(OpenError::TimedOut)));
    assert!(clock.now() >= deadline);
}

#[test]
fn a_closed_port_is_an_error_of_the_socket() {
    let server = Server::new(1);
    let address = server.address().parse().unwrap();
    drop(server);
    let clock = Clock::start();
    let error = Socket::connect(&address, &clock, LONG).unwrap_err();
    assert!(matches!(error, SocketError::Connect(..)), "{error}");
    let error = Socket::connect(&address, &clock, Duration::ZERO).unwrap_err();
    assert!(matches!(error, SocketError::TimedOut), "{error}");
    let nowhere = "no-such-host.invalid:1".parse().unwrap();
    let error = Socket::connect(&nowhere, &clock, LONG).unwrap_err();
    assert!(matches!(error, SocketError::Resolve(_)), "{error}");
}

/// Answers the next connection's hello as it should be, and says a FINISHED of this value; what comes then.
fn says_finished(server: &Server, value: &dyn Fn(&Schedule) -> Vec<u8>) -> Option<Vec<u8>> {
    let mut stream = server.accept_raw();
    let mut hello = [0; CLIENT_HELLO];
    stream.read_exact(&mut hello).unwrap();
    let Ok(Step::Next((read, _))) = AwaitClientHello::default().next(&hello) else {
        panic!("an honest hello");
    };
    let share = || Ephemeral::from_exponent(&[5; EXPONENT]);
    let (flight, _) = respond(&read, share(), server.key(), &mut rand::rng());
    let server_hello = &flight[..SERVER_HELLO];
    let public: [u8; PUBLIC] = hello[40..].try_into().unwrap();
    let z = share().agree(&Public::new(&public).unwrap());
    let schedule = Schedule::new(&hello, server_hello, &*z);
    let frame = schedule.server_says(&value(&schedule));
    stream.write_all(&[server_hello, &frame].concat()).unwrap();
    some_bytes(&mut stream)
}

/// The server holds the key that is trusted and every key of the connection.
#[test]
fn a_wrong_finished_under_the_right_keys_gets_no_answer() {
    let server = Server::new(1);
    let ends = |value: &(dyn Fn(&Schedule) -> Vec<u8> + Sync)| {
        thread::scope(|scope| {
            let after = scope.spawn(|| says_finished(&server, value));
            let opened = open(&server, &pinned(&server)).map(drop);
            (opened, after.join().unwrap())
        })
    };
    let (opened, after) = ends(&|schedule| schedule.server_finished().to_vec());
    assert!(opened.is_ok() && after.is_some(), "the right one is taken");
    let wrong = |schedule: &Schedule| {
        let (own, other) = (schedule.server_finished(), schedule.client_finished());
        wrong_values(own, other, [7; 32])
    };
    let count = wrong_values([0; 32], [0; 32], [0; 32]).len();
    for which in 0..count {
        let (opened, after) = ends(&|schedule| wrong(schedule).swap_remove(which).1);
        let refused = matches!(
            opened,
            Err(OpenError::Handshake(HandshakeError::BadFinished))
        );
        assert!(refused && after.is_none(), "value {which}");
    }
}
