//! The lines before the last changes.

use std::collections::VecDeque;

/// How many changes are kept.
const STEPS: usize = 64;

#[derive(Default)]
pub(super) struct Undo {
    steps: VecDeque<(String, usize)>,
    /// Whether the last change was a letter typed, which the next one joins.
    typing: bool,
}

impl Undo {
    /// Before a change.
    pub(super) fn change(&mut self, before: (String, usize)) {
        self.typing = false;
        if self.steps.back() == Some(&before) {
            return;
        }
        if self.steps.len() == STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back(before);
    }

    /// Before `text` is inserted: a word typed is one change, not one a letter.
    pub(super) fn insert(&mut self, before: (String, usize), text: &str) {
        let letter = text.chars().count() == 1 && !text.starts_with(char::is_whitespace);
        if !(letter && self.typing) {
            self.change(before);
        }
        self.typing = letter;
    }

    /// The cursor moved: what is typed next is a change of its own.
    pub(super) fn pause(&mut self) {
        self.typing = false;
    }

    pub(super) fn back(&mut self) -> Option<(String, usize)> {
        self.typing = false;
        self.steps.pop_back()
    }

    /// Forgets the lines that contain a text.
    pub(super) fn forget_text(&mut self, text: &str) {
        self.steps.retain(|(line, _)| !line.contains(text));
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
