//! A value of the wire.

use super::memory::bounded;
use echat_proto::codec::{self, decode, encode};
use echat_proto::json::{from_json, to_json};

/// Bytes that decode are the one form of their value, no part of them decodes, and the value comes
/// back from JSON too. Checking them says what decoding says.
pub fn check(bytes: &[u8]) {
    let decoded = bounded(bytes.len(), || decode(bytes));
    let checked = bounded(bytes.len(), || codec::check(bytes));
    assert_eq!(checked, decoded.as_ref().map(drop).map_err(|error| *error));
    let Ok(value) = decoded else {
        return;
    };
    let mut again = Vec::with_capacity(bytes.len());
    encode(&value, &mut again).expect("what decodes has a wire form");
    assert_eq!(again, bytes);
    for cut in [0, bytes.len() / 2, bytes.len() - 1] {
        assert!(decode(&bytes[..cut]).is_err(), "{cut} bytes of it");
    }
    assert_eq!(from_json(&to_json(&value)).as_ref(), Ok(&value));
}
