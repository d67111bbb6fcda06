//! Questions that wait for a Y or an N without blocking anything.

use crate::line_editor::LINE_MAX;
use crate::session::{Excess, Limits};
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
    /// What the server takes.
    pub(super) limits: Limits,
}

impl Pasted {
    /// Why a line cannot be sent, if one cannot; blank ones are left out.
    pub(super) fn excess(&self) -> Option<Excess> {
        let said = self.lines.iter().filter(|line| !line.trim().is_empty());
        said.map(|line| self.check(line)).find_map(Result::err)
    }

    /// Whether they can be one message. Commands are one line each.
    pub(super) fn may_be_one(&self) -> bool {
        self.target.is_some() && self.excess().is_none() && self.check(&self.as_one()).is_ok()
    }

    fn check(&self, text: &str) -> Result<(), Excess> {
        match &self.target {
            Some(target) => self.limits.text(target, text).map(|_| ()),
            None if text.len() > LINE_MAX => Err(Excess::Text {
                bytes: text.len(),
                characters: text.chars().count(),
                limit: LINE_MAX,
            }),
            None => Ok(()),
        }
    }

    /// The lines as one text.
    pub(super) fn as_one(&self) -> String {
        self.lines.join("\n")
    }
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
            "o" if matches!(self, Self::Paste(pasted) if pasted.may_be_one()) => Some(Reply::One),
            _ => None,
        }
    }

    /// Whether it goes away when something else is typed. A friend request stays.
    pub(super) fn is_dropped_unanswered(&self) -> bool {
        !matches!(self, Self::Befriend(_))
    }
}
