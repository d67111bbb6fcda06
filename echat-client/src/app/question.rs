//! Questions that wait for a Y or an N without blocking anything.

use crate::target::Target;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Shall somebody be a friend?
    Befriend(String),
    /// Is a line that looks like a command meant as text?
    SendAsText(Target, String),
    /// Shall a room be left?
    Leave(String),
    /// Shall pasted lines be sent?
    Paste(Pasted),
}

/// Several lines that were pasted, and the line into which they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pasted {
    /// To whom they go; without one they are commands.
    pub(super) target: Option<Target>,
    /// What was typed around them belongs to the first and the last.
    pub(super) lines: Vec<String>,
    /// The line as it was, and its cursor: it comes back if they are not sent.
    pub(super) typed: (String, usize),
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Yes,
    No,
    /// Pasted lines as one message.
    One,
}

impl Question {
    /// What a line says to it; `None` if it is no answer.
    pub(super) fn reply(&self, line: &str) -> Option<Reply> {
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" | "是" => Some(Reply::Yes),
            "n" | "no" | "否" => Some(Reply::No),
            "o" if matches!(self, Self::Paste(_)) => Some(Reply::One),
            _ => None,
        }
    }

    /// Whether it goes away when something else is typed. A friend request stays.
    pub(super) fn is_dropped_unanswered(&self) -> bool {
        !matches!(self, Self::Befriend(_))
    }
}
