//! Which keys move and which cut, as emacs and shells have them.

use super::Key;
use super::buffer::Motion;

/// The keys that only move the cursor.
pub(super) fn motion(key: &Key) -> Option<Motion> {
    Some(match key {
        Key::Left | Key::Ctrl('b') => Motion::Left,
        Key::Right | Key::Ctrl('f') => Motion::Right,
        Key::Home | Key::Ctrl('a') => Motion::Start,
        Key::End | Key::Ctrl('e') => Motion::End,
        Key::Alt('b') => Motion::WordLeft,
        Key::Alt('f') => Motion::WordRight,
        _ => return None,
    })
}

/// The keys that cut for C-y, and how far.
pub(super) fn kill(key: &Key) -> Option<Motion> {
    Some(match key {
        Key::Ctrl('u') => Motion::Start,
        Key::Ctrl('k') => Motion::End,
        Key::Ctrl('w') => Motion::SpacedWordLeft,
        Key::Alt('d') => Motion::WordRight,
        Key::Alt('\u{7f}' | '\u{8}') => Motion::WordLeft,
        _ => return None,
    })
}
