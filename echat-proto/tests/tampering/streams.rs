//! Whole streams, changed on their way.

use super::recording::{Listener, Recording, Session};
use super::some_of;
use echat_proto::handshake::HandshakeError;

const SESSION: Session = Session(1);
const BOTH: [Listener; 2] = [Listener::Server, Listener::Client];

/// What a listener must make of a stream: everything said in the parts that are whole and untouched,
/// then an error, unless the stream only ends early.
#[track_caller]
fn holds(listener: Listener, honest: &Recording, tampered: &[u8], what: &str) {
    let heard = SESSION.hears(listener, &[tampered]);
    let stream = honest.parts.concat();
    let same = stream
        .iter()
        .zip(tampered)
        .take_while(|(a, b)| a == b)
        .count();
    let ends = (1..=honest.parts.len()).map(|n| honest.parts[..n].concat().len());
    let whole = ends.filter(|end| *end <= same).count();
    assert_eq!(
        heard.messages,
        honest.said[..whole].concat(),
        "{listener:?}: {what}"
    );
    if same < tampered.len() {
        assert!(heard.end.is_err(), "{listener:?}: {what}: {:?}", heard.end);
    } else {
        assert!(heard.end.is_ok(), "{listener:?}: {what}: {:?}", heard.end);
    }
}

#[test]
fn flipped_bits_are_refused() {
    for listener in BOTH {
        let honest = SESSION.record(listener);
        let stream = honest.parts.concat();
        // Behind a longer L comes as much as it may declare, or its end would only be waited for.
        let rest = vec![0; 1 << 18];
        for bit in some_of(stream.len() * 8) {
            let mut tampered = [&stream[..], &rest].concat();
            tampered[bit / 8] ^= 1 << (bit % 8);
            holds(listener, &honest, &tampered, &format!("bit {bit}"));
        }
    }
}

#[test]
fn every_split_of_a_stream_gives_the_same_messages() {
    for listener in BOTH {
        let honest = SESSION.record(listener);
        let stream = honest.parts.concat();
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        let whole = SESSION.hears(listener, &[&stream]);
        assert_eq!(whole.messages, honest.said.concat());
        assert_eq!(whole.end, Ok(0));
        assert_eq!(SESSION.hears(listener, &single), whole);
        for at in some_of(stream.len() + 1) {
            let (one, two) = stream.split_at(at);
            assert_eq!(SESSION.hears(listener, &[one, two]), whole, "at {at}");
            holds(listener, &honest, one, &format!("cut at {at}"));
        }
    }
}

#[test]
fn parts_that_are_dropped_repeated_swapped_reflected_or_foreign_are_refused() {
    let recordings = BOTH.map(|listener| SESSION.record(listener));
    for (index, listener) in BOTH.into_iter().enumerate() {
        let honest = &recordings[index];
        let reflected = &recordings[1 - index].parts;
        let foreign = Session(2).record(listener).parts;
        let last = honest.parts.len() - 1;
        let tampered = |what: &str, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut parts = honest.parts.clone();
            change(&mut parts);
            holds(listener, honest, &parts.concat(), what);
        };
        for at in 0..=last {
            tampered(&format!("{at} dropped"), &|all| drop(all.remove(at)));
            tampered(&format!("{at} repeated"), &|all| {
                all.insert(at, all[at].clone());
            });
            tampered(&format!("{at} again at the end"), &|all| {
                all.push(all[at].clone());
            });
            for to in at + 1..=last {
                tampered(&format!("{at} and {to} swapped"), &|all| all.swap(at, to));
            }
            for (what, others) in [("reflected", reflected), ("foreign", &foreign)] {
                tampered(&format!("{at} {what}"), &|all| {
                    all[at].clone_from(&others[at]);
                });
                tampered(&format!("{what} before {at}"), &|all| {
                    all.insert(at, others[at].clone());
                });
            }
        }
    }
}

#[test]
fn a_recorded_session_cannot_be_replayed() {
    let other = Session(2);
    for listener in BOTH {
        let stream = SESSION.record(listener).parts.concat();
        let heard = other.hears(listener, &[&stream]);
        assert_eq!(heard.messages, []);
        let end = heard.end.expect_err("other keys");
        assert_eq!(
            matches!(end, HandshakeError::BadSignature),
            listener == Listener::Client,
            "{end}"
        );
    }
}
