//! A text and a cursor in it that always stands between graphemes.

use std::ops::Range;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};
use zeroize::{Zeroize, Zeroizing};

/// Where to, from the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Motion {
    Left,
    Right,
    Start,
    End,
    /// To the start of a word, as Unicode divides words: each Chinese character is one.
    WordLeft,
    WordRight,
    /// To the start of what stands between spaces.
    SpacedWordLeft,
}

#[derive(Default)]
pub(super) struct Buffer {
    text: String,
    cursor: usize,
}

impl Buffer {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(super) fn snapshot(&self) -> (String, usize) {
        (self.text.clone(), self.cursor)
    }

    /// Takes the line away, without leaving a copy of it.
    pub(super) fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Empties the line and overwrites its memory.
    pub(super) fn wipe(&mut self) {
        self.text.zeroize();
        self.cursor = 0;
    }

    pub(super) fn reserve(&mut self, bytes: usize) {
        self.text.reserve_exact(bytes);
    }

    /// Replaces everything; at most `limit` bytes are taken.
    pub(super) fn set(&mut self, text: &str, cursor: usize, limit: usize) {
        self.text.clear();
        self.text.push_str(&text[..floor(text, limit)]);
        self.cursor = floor(&self.text, cursor);
    }

    pub(super) fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        // What was typed may have joined what follows: a joiner, half a flag.
        self.cursor = ceil(&self.text, self.cursor + text.len());
    }

    /// Whether `range` was one of this text, and the result within `limit` bytes.
    pub(super) fn replace(&mut self, range: Range<usize>, text: &str, limit: usize) -> bool {
        let Some(old) = self.text.get(range.clone()) else {
            return false;
        };
        if self.text.len() - old.len() + text.len() > limit {
            return false;
        }
        self.text.replace_range(range.clone(), text);
        self.cursor = ceil(&self.text, range.start + text.len());
        true
    }

    /// Whether the cursor moved.
    pub(super) fn go(&mut self, motion: Motion) -> bool {
        let target = self.target(motion);
        std::mem::replace(&mut self.cursor, target) != target
    }

    /// Cuts from the cursor to where `motion` leads; says whether that was backwards.
    pub(super) fn cut(&mut self, motion: Motion) -> (bool, Zeroizing<String>) {
        let target = self.target(motion);
        let range = target.min(self.cursor)..target.max(self.cursor);
        let cut = Zeroizing::new(self.text[range.clone()].to_owned());
        self.text.replace_range(range.clone(), "");
        self.cursor = ceil(&self.text, range.start);
        (target <= range.start, cut)
    }

    /// Swaps the graphemes on both sides of the cursor; at the end, the last two.
    pub(super) fn transpose(&mut self) -> bool {
        let middle = if self.cursor == self.text.len() {
            self.previous(self.cursor)
        } else {
            self.cursor
        };
        let (start, end) = (self.previous(middle), self.next(middle));
        if start == middle || end == middle {
            return false;
        }
        let swapped = [&self.text[middle..end], &self.text[start..middle]].concat();
        self.text.replace_range(start..end, &swapped);
        self.cursor = ceil(&self.text, end);
        true
    }

    fn target(&self, motion: Motion) -> usize {
        let before = &self.text[..self.cursor];
        match motion {
            Motion::Left => self.previous(self.cursor),
            Motion::Right => self.next(self.cursor),
            Motion::Start => 0,
            Motion::End => self.text.len(),
            Motion::WordLeft => before
                .split_word_bound_indices()
                .rfind(|(_, part)| is_word(part))
                .map_or(0, |(at, _)| floor(&self.text, at)),
            Motion::WordRight => self.text[self.cursor..]
                .split_word_bound_indices()
                .find(|(_, part)| is_word(part))
                .map_or(self.text.len(), |(at, part)| {
                    ceil(&self.text, self.cursor + at + part.len())
                }),
            Motion::SpacedWordLeft => {
                let end = before.trim_end().len();
                let start = before[..end]
                    .char_indices()
                    .rfind(|(_, c)| c.is_whitespace())
                    .map_or(0, |(at, c)| at + c.len_utf8());
                floor(&self.text, start)
            }
        }
    }

    fn previous(&self, from: usize) -> usize {
        GraphemeCursor::new(from, self.text.len(), true)
            .prev_boundary(&self.text, 0)
            .expect("the whole text is there")
            .unwrap_or(0)
    }

    fn next(&self, from: usize) -> usize {
        GraphemeCursor::new(from, self.text.len(), true)
            .next_boundary(&self.text, 0)
            .expect("the whole text is there")
            .unwrap_or(self.text.len())
    }
}

fn is_word(part: &str) -> bool {
    part.chars().any(char::is_alphanumeric)
}

fn is_boundary(text: &str, at: usize) -> bool {
    text.is_char_boundary(at)
        && GraphemeCursor::new(at, text.len(), true)
            .is_boundary(text, 0)
            .expect("the whole text is there")
}

/// The last boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&at| is_boundary(text, at))
        .unwrap_or(0)
}

/// The first boundary at or behind `at`.
fn ceil(text: &str, at: usize) -> usize {
    (at..=text.len())
        .find(|&at| is_boundary(text, at))
        .unwrap_or(text.len())
}
