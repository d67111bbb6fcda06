//! A line of a script or of standard input.

use echat_client::nc::message::{resolve, to_line};
use echat_client::nc::script::{ScriptLine, parse, parse_line};
use echat_testkit::decoders::memory::bounded;

/// A line that says a message says the same as the line by which that message is shown, and that one
/// controls no terminal.
pub fn check(bytes: &[u8]) {
    let Ok(Some(ScriptLine::Send(line))) = bounded(bytes.len(), || parse(bytes)) else {
        return;
    };
    let Ok(message) = bounded(bytes.len(), || resolve(&line)) else {
        return;
    };
    let shown = to_line(&message);
    assert!(!shown.contains(char::is_control), "{shown:?}");
    let again = parse_line(&shown).expect("it is a line");
    assert_eq!(resolve(&again).expect("it says a message"), message);
}
