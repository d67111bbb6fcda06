//! The two hellos, read from bytes as they come.

use super::cuts;
use super::memory::bounded;
use echat_proto::handshake::{
    AwaitClientHello, CLIENT_HELLO, ClientHello, HandshakeError, SERVER_HELLO, ServerHello, Step,
};

/// What the server makes of a stream: the hello and what follows it, or that it waits for more.
type Read = Result<Option<(ClientHello, Vec<u8>)>, HandshakeError>;

/// Both ends read the bytes as the other's hello, with one result however they are cut.
pub fn check(bytes: &[u8]) {
    let [whole, single, pieces] =
        cuts(bytes).map(|pieces| bounded(bytes.len(), || by_server(&pieces)));
    if let Ok(Some((_, rest))) = &whole {
        assert_eq!(rest, &bytes[CLIENT_HELLO..]);
    }
    assert_eq!(whole, single);
    assert_eq!(whole, pieces);
    by_client(bytes);
}

fn by_server(pieces: &[&[u8]]) -> Read {
    let mut state = AwaitClientHello::default();
    for (index, piece) in pieces.iter().enumerate() {
        match state.next(piece)? {
            Step::More(same) => state = same,
            Step::Next((hello, mut rest)) => {
                rest.extend(pieces[index + 1..].concat());
                return Ok(Some((hello, rest)));
            }
        }
    }
    Ok(None)
}

/// A stranger is told apart at the first wrong byte, and nothing is believed before all is there.
fn by_client(bytes: &[u8]) {
    let asked = &[0; CLIENT_HELLO];
    let read = |part| {
        bounded(bytes.len(), || {
            ServerHello::read(asked, part).map(drop_some)
        })
    };
    let whole = read(bytes);
    assert_eq!(
        whole == Ok(None),
        whole.is_ok() && bytes.len() < SERVER_HELLO
    );
    for cut in [bytes.len() / 2, bytes.len().saturating_sub(1)] {
        match read(&bytes[..cut]) {
            Ok(None) => assert!(cut < SERVER_HELLO),
            early => assert_eq!(early, whole),
        }
    }
}

fn drop_some<T>(some: Option<T>) -> Option<()> {
    some.map(drop)
}
