//! The lines sent before, to walk through and to search.

use std::collections::VecDeque;

/// How many lines are kept.
const LINES: usize = 1000;
/// Bytes of them; the newest line may exceed it. A line has 64 KiB at most.
const BYTES: usize = 1 << 20;

/// A line and a cursor in it.
type HistoryMatch = Option<(String, usize)>;

/// Lines of one purpose, oldest first.
#[derive(Default)]
pub(super) struct History {
    lines: VecDeque<String>,
    /// The line shown while walking, and what was being typed before.
    walk: Option<(usize, String)>,
    search: Option<HistorySearch>,
    /// What was being typed before a line that was recalled or found, and then edited or sent. Down shows it.
    draft: Option<String>,
}

struct HistorySearch {
    query: String,
    /// The line found last.
    at: Option<usize>,
    /// Whether no line holds the query.
    failed: bool,
    /// The line and cursor before the search.
    before: (String, usize),
    /// Whether that line was typed, not recalled.
    was_typed: bool,
}

impl History {
    /// Adds a line that was sent, unless it says nothing or the same as the last one.
    pub(super) fn add(&mut self, line: &str) {
        self.draft.take_if(|draft| draft == line);
        if line.trim().is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push_back(line.to_owned());
        let mut bytes: usize = self.lines.iter().map(String::len).sum();
        while self.lines.len() > LINES || (bytes > BYTES && self.lines.len() > 1) {
            let oldest = self.lines.pop_front();
            bytes -= oldest.map_or(0, |line| line.len());
        }
    }

    /// Forgets lines and drafts. The line and the cursor before the walk or the search that showed one of them, if one
    /// did; a walk or a search that shows another line goes on.
    pub(super) fn forget(&mut self, is_gone: impl Fn(&str) -> bool) -> HistoryMatch {
        self.draft.take_if(|draft| is_gone(draft));
        if let Some((_, draft)) = self.walk.as_mut().filter(|(_, draft)| is_gone(draft)) {
            draft.clear();
        }
        let found = self.search.as_mut().filter(|search| search.at.is_some());
        if let Some(search) = found.filter(|search| is_gone(&search.before.0)) {
            search.before = (String::new(), 0);
        }
        let shown = self.walk.as_mut().map(|(at, _)| at);
        let shown = shown.or(self.search.as_mut().and_then(|search| search.at.as_mut()));
        let mut was_shown = false;
        if let Some(at) = shown {
            was_shown = self.lines.get(*at).is_some_and(|line| is_gone(line));
            // The lines before it that stay.
            *at = self
                .lines
                .iter()
                .take(*at)
                .filter(|line| !is_gone(line))
                .count();
        }
        self.lines.retain(|line| !is_gone(line));
        if !was_shown {
            return None;
        }
        match (self.walk.take(), self.search.take()) {
            (Some((_, draft)), _) => {
                let cursor = draft.len();
                Some((draft, cursor))
            }
            (None, search) => search.map(|search| search.before),
        }
    }

    /// Whether a line is shown that was recalled and not edited.
    pub(super) fn is_walking(&self) -> bool {
        self.walk.is_some()
    }

    /// One line back; what is being typed is kept for the way forward.
    pub(super) fn older(&mut self, typed: &str) -> Option<String> {
        let (at, draft) = match self.walk.take() {
            Some((at, draft)) => (at, draft),
            None => (self.lines.len(), typed.to_owned()),
        };
        let older = at.checked_sub(1);
        self.walk = Some((older.unwrap_or(at), draft)).filter(|_| !self.lines.is_empty());
        self.lines.get(older?).cloned()
    }

    /// One line forward, at the end what was being typed. Behind the end the draft and the typed line change places.
    pub(super) fn newer(&mut self, typed: &str) -> Option<String> {
        let Some((at, draft)) = self.walk.take() else {
            let draft = self.draft.take().filter(|draft| draft != typed)?;
            self.exchange(typed.to_owned());
            return Some(draft);
        };
        let Some(line) = self.lines.get(at + 1) else {
            return Some(draft);
        };
        self.walk = Some((at + 1, draft));
        Some(line.clone())
    }

    /// The line shown is now the person's own: walking begins anew, and no search is on.
    pub(super) fn settle(&mut self) {
        if let Some((_, draft)) = self.walk.take() {
            self.keep_draft(draft);
        }
        self.end_search();
    }

    /// Keeps what was typed before another line was shown. A line of the history displaces no other draft; a draft that
    /// another one displaces becomes a line of the history.
    fn keep_draft(&mut self, draft: String) {
        if !draft.is_empty() && (self.draft.is_none() || !self.lines.contains(&draft)) {
            let displaced = self.draft.replace(draft);
            if let Some(displaced) = displaced {
                self.add(&displaced);
            }
        }
    }

    /// Keeps a line that the draft takes the place of, unless Up shows it anyway.
    fn exchange(&mut self, left: String) {
        if !self.lines.contains(&left) {
            self.keep_draft(left);
        }
    }

    /// Undo shows `line` in the place of `left`: if it was the draft, `left` is it now.
    pub(super) fn undone(&mut self, line: &str, left: String) {
        if self.draft.take_if(|draft| draft == line).is_some() {
            self.exchange(left);
        }
    }

    pub(super) fn query(&self) -> Option<&str> {
        self.search.as_ref().map(|search| search.query.as_str())
    }

    pub(super) fn is_search_failed(&self) -> bool {
        self.search.as_ref().is_some_and(|search| search.failed)
    }

    pub(super) fn start_search(&mut self, before: (String, usize)) {
        let was_typed = self.walk.is_none();
        self.settle();
        self.search = Some(HistorySearch {
            query: String::new(),
            at: None,
            failed: false,
            before,
            was_typed,
        });
    }

    /// Ends the search with the line found. The typed line and its cursor that it takes the place of, if it does.
    pub(super) fn end_search(&mut self) -> HistoryMatch {
        let search = self.search.take()?;
        let before = search
            .at
            .filter(|_| search.was_typed)
            .map(|_| search.before)?;
        self.keep_draft(before.0.clone());
        Some(before)
    }

    /// Ends the search with the line there was before.
    pub(super) fn cancel_search(&mut self) -> HistoryMatch {
        self.search.take().map(|search| search.before)
    }

    /// One more character to search for.
    pub(super) fn narrow(&mut self, c: char) -> HistoryMatch {
        let search = self.search.as_mut()?;
        search.query.push(c);
        let from = search.at.unwrap_or(self.lines.len().saturating_sub(1));
        self.find_any((0..=from).rev())
    }

    /// One character less, from the newest line again.
    pub(super) fn widen(&mut self) -> HistoryMatch {
        let search = self.search.as_mut()?;
        search.query.pop();
        search.at = None;
        if search.query.is_empty() {
            search.failed = false;
            return Some(search.before.clone());
        }
        self.find_any((0..self.lines.len()).rev())
    }

    pub(super) fn search_older(&mut self) -> HistoryMatch {
        let end = self.search.as_ref()?.at.unwrap_or(self.lines.len());
        self.find((0..end).rev())
    }

    pub(super) fn search_newer(&mut self) -> HistoryMatch {
        let start = self.search.as_ref()?.at? + 1;
        self.find(start..self.lines.len())
    }

    /// The same for another query; the search has failed if there is none.
    fn find_any(&mut self, order: impl Iterator<Item = usize>) -> HistoryMatch {
        let found = self.find(order);
        if let Some(search) = &mut self.search {
            search.failed = found.is_none();
        }
        found
    }

    /// The first of `order` that holds the query; otherwise everything stays.
    fn find(&mut self, mut order: impl Iterator<Item = usize>) -> HistoryMatch {
        let search = self.search.as_mut().filter(|s| !s.query.is_empty())?;
        let (at, line, cursor) = order.find_map(|at| {
            let line = self.lines.get(at)?;
            Some((at, line, line.rfind(&search.query)?))
        })?;
        search.at = Some(at);
        Some((line.clone(), cursor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_bytes_are_bounded() {
        let mut history = History::default();
        for number in 0..LINES + 10 {
            history.add(&number.to_string());
        }
        assert_eq!(history.lines.len(), LINES);
        assert_eq!(history.lines[0], "10");
        let long = "x".repeat(BYTES / 4);
        for number in 0..LINES {
            history.add(&format!("{number}{long}"));
        }
        assert_eq!(history.lines.len(), 3);
        history.add(&"y".repeat(2 * BYTES));
        assert_eq!(history.lines.len(), 1);
    }
}
