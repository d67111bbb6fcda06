//! What a person pressed.

use crate::secret::Secret;

/// A key, whatever bytes a terminal sends for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character. One that a person sees may come as several of these.
    Char(char),
    /// A letter or sign with Control, in lower case.
    Ctrl(char),
    /// A character with Alt or after Escape; Backspace is U+007F.
    Alt(char),
    /// Return.
    Enter,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Deletes to the left.
    Backspace,
    /// Deletes to the right.
    Delete,
    /// An arrow.
    Left,
    /// An arrow.
    Right,
    /// An arrow.
    Up,
    /// An arrow.
    Down,
    /// To the start of the line.
    Home,
    /// To the end of the line.
    End,
    /// A page back.
    PageUp,
    /// A page forward.
    PageDown,
    /// Escape, alone.
    Esc,
    /// A text that was pasted and not typed.
    Paste(Secret),
    /// A key that means nothing here.
    Unknown,
}
