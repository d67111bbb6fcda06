//! The two hellos: every bit, every field, and every older or other version of them.

use echat_proto::group::{BadPublic, PUBLIC};
use echat_proto::handshake::{
    AwaitClientHello, CLIENT_HELLO, HandshakeError, SERVER_HELLO, ServerHello, Step,
};
use echat_testkit::decoders::signed::server_hello;
use ed25519_dalek::SigningKey;

use super::recording::{Listener, Session};
use super::some_of;

const SESSION: Session = Session(1);
/// Where the host key begins in a ServerHello, and where its signature does.
const KEY: usize = 8 + 32 + PUBLIC;
const SIGNATURE: usize = KEY + 32;

fn client_hello() -> [u8; CLIENT_HELLO] {
    SESSION.client().0.try_into().expect("a ClientHello")
}

fn answer() -> Vec<u8> {
    SESSION.record(Listener::Client).parts.remove(0)
}

/// Why a client refuses an answer.
#[track_caller]
fn refused(asked: &[u8; CLIENT_HELLO], answer: &[u8]) -> HandshakeError {
    let read = ServerHello::read(asked, answer);
    read.map(drop).expect_err("it was changed")
}

/// Why a server refuses a hello.
#[track_caller]
fn refused_by_server(hello: &[u8]) -> HandshakeError {
    let read = AwaitClientHello::default().next(hello);
    read.map(drop).expect_err("it was changed")
}

#[test]
fn every_bit_of_a_server_hello_counts() {
    let (asked, answer) = (client_hello(), answer());
    assert!(ServerHello::read(&asked, &answer).is_ok());
    for bit in 0..SERVER_HELLO * 8 {
        let mut tampered = answer.clone();
        tampered[bit / 8] ^= 1 << (bit % 8);
        let error = refused(&asked, &tampered);
        let named = match bit / 8 {
            0..8 => error == HandshakeError::NotAHello,
            40..KEY => matches!(
                error,
                HandshakeError::BadSignature | HandshakeError::BadPublic(_)
            ),
            _ => error == HandshakeError::BadSignature,
        };
        assert!(named, "bit {bit}: {error}");
    }
}

/// The server may answer a hello that was changed; the client then knows that it said another.
#[test]
fn bits_of_a_client_hello_count() {
    let asked = client_hello();
    for bit in some_of(CLIENT_HELLO * 8) {
        let mut tampered = asked;
        tampered[bit / 8] ^= 1 << (bit % 8);
        match SESSION.answer(&tampered) {
            Err(error) => assert!(bit < 64, "bit {bit}: {error}"),
            Ok((flight, _)) => {
                let error = refused(&asked, &flight);
                assert_eq!(error, HandshakeError::BadSignature, "bit {bit}");
            }
        }
    }
}

#[test]
fn other_versions_suites_and_kinds_of_hello_are_refused() {
    let (asked, answer) = (client_hello(), answer());
    for at in 0..8 {
        for change in 1..=u8::MAX {
            let (mut hello, mut answer) = (asked, answer.clone());
            hello[at] ^= change;
            answer[at] ^= change;
            assert_eq!(refused_by_server(&hello), HandshakeError::NotAHello);
            assert_eq!(refused(&asked, &answer), HandshakeError::NotAHello);
        }
    }
    // Each end's own hello, sent back to it.
    assert_eq!(refused(&asked, &asked), HandshakeError::NotAHello);
    assert_eq!(refused_by_server(&answer), HandshakeError::NotAHello);
}

/// 0, 1, p - 1, p and beyond, whose powers are known to everyone: refused even where the signature holds.
#[test]
fn degenerate_public_values_are_refused() {
    let p = p();
    let one_less = p.iter().rposition(|byte| *byte > 0).expect("it is not 0");
    let small = |n: u8| [&[0; PUBLIC - 1][..], &[n]].concat();
    let below = |by: u8| [&p[..one_less], &[p[one_less] - by]].concat();
    let asked = client_hello();
    let (key, random) = (Session::host_key(), [0; 32]);
    let hello = |public: &[u8]| [&asked[..40], public].concat();
    for public in [small(0), small(1), below(1), below(0), vec![0xff; PUBLIC]] {
        let bad = HandshakeError::BadPublic(BadPublic);
        assert_eq!(refused_by_server(&hello(&public)), bad);
        let answer = server_hello(&asked, &random, &public, &key);
        assert_eq!(refused(&asked, &answer), bad);
    }
    for public in [small(2), below(2)] {
        let read = AwaitClientHello::default().next(&hello(&public));
        assert!(matches!(read, Ok(Step::Next(_))));
        let answer = server_hello(&asked, &random, &public, &key);
        assert!(matches!(ServerHello::read(&asked, &answer), Ok(Some(_))));
    }
}

/// The prime of RFC 7919, appendix A.2. Its last 64 bits are ones.
fn p() -> Vec<u8> {
    let text = include_str!("../../src/group.rs");
    let (_, rest) = text
        .split_once("const P_HEX: &str = \"")
        .expect("it is there");
    let (digits, _) = rest.split_once('"').expect("it ends");
    let digits: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
    hex::decode(digits).expect("hexadecimal")
}

#[test]
fn a_signature_holds_for_one_key_and_one_session() {
    let (asked, answer) = (client_hello(), answer());
    let other_key = SigningKey::from_bytes(&[8; 32]);
    let public = &answer[40..KEY];
    let by_other = server_hello(&asked, &answer[8..40], public, &other_key);
    let with = |key: &[u8], signature: &[u8]| [&answer[..KEY], key, signature].concat();
    let other_session = Session(2).record(Listener::Client).parts.remove(0);
    // y = 1: a point of small order, under which one signature holds for every text.
    let weak: [u8; 32] = std::array::from_fn(|at| u8::from(at == 0));
    for (what, tampered) in [
        (
            "a swapped key",
            with(&by_other[KEY..SIGNATURE], &answer[SIGNATURE..]),
        ),
        (
            "a swapped signature",
            with(&answer[KEY..SIGNATURE], &by_other[SIGNATURE..]),
        ),
        (
            "another session's signature",
            with(&answer[KEY..SIGNATURE], &other_session[SIGNATURE..]),
        ),
        ("another session's answer", other_session),
        (
            "a key of small order",
            with(&weak, &[&weak[..], &[0; 32]].concat()),
        ),
    ] {
        assert_eq!(
            refused(&asked, &tampered),
            HandshakeError::BadSignature,
            "{what}"
        );
    }
    // An answer under another key is valid: whether that key is trusted is not decided by the handshake.
    let Ok(Step::Next(shown)) = SESSION.client().1.next(&by_other) else {
        panic!("it is signed by the key it shows");
    };
    assert_eq!(shown.host_key(), &other_key.verifying_key());
    assert_ne!(shown.host_key(), &Session::host_key().verifying_key());
}
