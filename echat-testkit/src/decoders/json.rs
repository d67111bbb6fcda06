//! JSON from people and scripts.

use super::memory::bounded;
use echat_proto::codec::{EncodeError, decode, encode};
use echat_proto::json::{from_json, to_json};

/// A text that can be read says a value that comes back from JSON in one form, and from the wire if it
/// has a form there; what is printed of it cannot control a terminal.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok(value) = bounded(bytes.len(), || from_json(text)) else {
        return;
    };
    let line = to_json(&value);
    assert!(!line.contains(char::is_control), "{line:?}");
    let again = from_json(&line).expect("what is written can be read");
    assert_eq!(again, value);
    assert_eq!(to_json(&again), line);
    let mut wire = Vec::new();
    match encode(&value, &mut wire) {
        Ok(()) => assert_eq!(decode(&wire), Ok(value)),
        // The wire alone bounds keys and the number of values.
        Err(EncodeError::BadKey | EncodeError::TooMany) => {}
        Err(error) => panic!("{error}: the reader's to refuse"),
    }
}
