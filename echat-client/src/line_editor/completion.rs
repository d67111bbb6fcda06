//! Cycling through what a word could become.

use std::collections::BTreeSet;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// The completions of one word. The first Tab inserts what all have in common, or else the first
/// one; further Tabs go through all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completer {
    candidates: Vec<String>,
    /// What stands in the line now, and from where.
    inserted: String,
    start: usize,
    /// The candidate that is shown; `None` while it is only the common part.
    shown: Option<usize>,
}

impl Completer {
    /// For the word at `range` of `line`, with what may stand there, the best first; `None` if that is
    /// nothing. Which candidates fit the word is the caller's to judge: a name may be typed in another
    /// case or form than it is stored in.
    pub fn start(line: &str, range: Range<usize>, mut candidates: Vec<String>) -> Option<Self> {
        let word = line.get(range.clone())?.to_owned();
        let mut seen = BTreeSet::new();
        candidates.retain(|candidate| seen.insert(candidate.clone()));
        (!candidates.is_empty()).then_some(Self {
            candidates,
            inserted: word,
            start: range.start,
            shown: None,
        })
    }

    /// Whether the line is as this completer left it: only then may it go on.
    pub fn continues(&self, line: &str, cursor: usize) -> bool {
        cursor == self.start + self.inserted.len()
            && line.get(self.start..cursor) == Some(&self.inserted)
    }

    /// Tab: the part of the line to replace, and with what.
    pub fn forward(&mut self) -> (Range<usize>, String) {
        let next = match self.shown {
            Some(at) => (at + 1) % self.candidates.len(),
            None => 0,
        };
        if self.shown.is_none() && self.candidates.len() > 1 {
            let common = self.common();
            let length = |text: &str| text.graphemes(true).count();
            if length(&common) > length(&self.inserted) {
                return self.insert(common);
            }
        }
        self.choose(next)
    }

    /// What there is to choose from, if the next Tab begins to go through several that have nothing more in common.
    pub fn choices(&self) -> Option<&[String]> {
        let is_chosen = self.shown.is_some() || self.candidates.len() < 2;
        let is_common =
            self.common().graphemes(true).count() <= self.inserted.graphemes(true).count();
        (!is_chosen && is_common).then_some(&self.candidates[..])
    }

    /// Shift-Tab: one back, from the first to the last.
    pub fn backward(&mut self) -> (Range<usize>, String) {
        let last = self.candidates.len() - 1;
        self.choose(
            self.shown
                .map_or(last, |at| at.checked_sub(1).unwrap_or(last)),
        )
    }

    fn choose(&mut self, index: usize) -> (Range<usize>, String) {
        self.shown = Some(index);
        self.insert(self.candidates[index].clone())
    }

    fn insert(&mut self, text: String) -> (Range<usize>, String) {
        let range = self.start..self.start + self.inserted.len();
        self.inserted.clone_from(&text);
        (range, text)
    }

    /// What all candidates begin with, in whole graphemes.
    fn common(&self) -> String {
        let (first, others) = self
            .candidates
            .split_first()
            .expect("a completer has candidates");
        first
            .grapheme_indices(true)
            .map(|(at, grapheme)| &first[..at + grapheme.len()])
            .take_while(|prefix| others.iter().all(|other| other.starts_with(prefix)))
            .last()
            .unwrap_or_default()
            .to_owned()
    }
}
