//! SEARCH: what a query means by PROTOCOL.md, section 5.5, and which messages its pages may and must have. There is no
//! index here: a message has a word if its text has it.

use crate::committed::{CommittedState, StoredMessage};
use crate::plan::{SearchRequest, Term, USERS};
use crate::request::{name_in, target, word};
use crate::value::{dict, text};
use echat_proto::Value;
use echat_proto::channel::Message;
use std::collections::BTreeSet;

/// The number of SEARCH.
const SEARCH: u32 = 43;

/// A search, sent and not answered yet.
#[derive(Clone, Debug)]
pub(crate) struct PendingSearch {
    pub(crate) planned: SearchRequest,
    /// The time filters, in unix seconds.
    since: Option<i64>,
    until: Option<i64>,
    /// The page has messages with lower ids.
    before: Option<u64>,
    /// What its user could find since the search was sent. `None` if the user is not known.
    found: Option<MatchWindow>,
}

/// The messages that matched at some moment, and at every moment.
#[derive(Clone, Debug)]
struct MatchWindow {
    user: usize,
    ever: BTreeSet<u64>,
    always: BTreeSet<u64>,
}

impl PendingSearch {
    /// A search of a client that knows messages up to `known`.
    pub(crate) fn new(planned: &SearchRequest, known: u64, unix: i64) -> Self {
        // The wire cannot express times before 1970.
        let ago = |seconds: Option<u32>| seconds.map(|ago| (unix - i64::from(ago)).max(0));
        Self {
            since: ago(planned.since),
            until: ago(planned.until),
            before: planned.before.map(|nth| known.saturating_sub(nth)),
            planned: planned.clone(),
            found: None,
        }
    }

    /// The next page.
    pub(crate) fn next(&self, next: u64) -> Self {
        Self {
            before: Some(next),
            found: None,
            ..self.clone()
        }
    }

    /// Sets the user of the search.
    pub(crate) fn set_user(&mut self, user: usize, committed: &CommittedState, now: i64) {
        let found = self.matching(user, committed, now);
        self.found = Some(MatchWindow {
            user,
            ever: found.clone(),
            always: found,
        });
    }

    /// Updates an unanswered search after a commit, or after time has passed.
    pub(crate) fn observe(&mut self, committed: &CommittedState, now: i64) {
        let Some(user) = self.found.as_ref().map(|found| found.user) else {
            return;
        };
        let matching = self.matching(user, committed, now);
        if let Some(found) = &mut self.found {
            found.always.retain(|id| matching.contains(id));
            found.ever.extend(matching);
        }
    }

    /// The messages that a user can find now, on this page and all next ones.
    fn matching(&self, user: usize, committed: &CommittedState, now: i64) -> BTreeSet<u64> {
        if !self.has_criteria() {
            return BTreeSet::new();
        }
        let conversation = self.planned.of.map(|of| committed.conversation(user, of));
        let sender = self.planned.sender;
        // The name of a deleted account is no user's name.
        if sender.is_some_and(|sender| !committed.is_active(sender)) {
            return BTreeSet::new();
        }
        let fits = |id: u64, message: &StoredMessage| {
            self.before.is_none_or(|before| id < before)
                && conversation.is_none_or(|of| of == Some(message.conversation))
                && sender.is_none_or(|sender| sender == message.sender)
                && self.since.is_none_or(|since| since <= message.time)
                && self.until.is_none_or(|until| message.time <= until)
                && !committed.is_hidden(message)
                && self.matches_text(&message.content)
        };
        let visible = committed.visible(user, now);
        let fitting = visible.filter(|(id, message)| fits(*id, message));
        fitting.map(|(id, _)| id).collect()
    }

    /// Whether there are terms or filters.
    fn has_criteria(&self) -> bool {
        let planned = &self.planned;
        !planned.terms.is_empty()
            || planned.of.is_some()
            || planned.sender.is_some()
            || self.since.is_some()
            || self.until.is_some()
    }

    /// Whether a text has all terms.
    pub(crate) fn matches_text(&self, content: &str) -> bool {
        // The words precede the asterisks.
        let text = content.split('*').next().unwrap_or_default();
        let words: Vec<&str> = text.split(' ').collect();
        let mut terms = self.planned.terms.iter();
        terms.all(|term| term.is_in(&words))
    }

    /// Checks a page: its ids from the newest on, and the `before` of the next page.
    pub(crate) fn check_page(&self, ids: &[u64], next: Option<u64>) -> Result<(), String> {
        let limit = usize::try_from(self.planned.limit).expect("small");
        let from = next.unwrap_or(0);
        let below = self.before.unwrap_or(u64::MAX);
        if ids.len() > limit || next.is_some_and(|next| next >= below) {
            return Err("a page that is too long, or that comes again".to_owned());
        }
        if let Some(id) = ids.iter().find(|id| !(from..below).contains(*id)) {
            return Err(format!("message {id} is not one of this page"));
        }
        let Some(found) = &self.found else {
            return Ok(());
        };
        if let Some(id) = ids.iter().find(|id| !found.ever.contains(*id)) {
            return Err(format!("message {id} is found, and must not be"));
        }
        let mut must = found.always.range(from..below.max(from));
        match must.find(|id| !ids.contains(id)) {
            None => Ok(()),
            Some(id) => Err(format!("message {id} is not found, and must be")),
        }
    }

    /// The message of the request.
    pub(crate) fn message(&self) -> Message {
        let terms = self.planned.terms.iter().map(|term| term.query());
        let query: Vec<String> = terms.collect();
        let number = |number: i64| Value::Int(number.unsigned_abs());
        let mut entries = vec![("query", Value::Str(query.join(" ")))];
        entries.extend(self.planned.of.map(target).into_iter().flatten());
        let sender = self.planned.sender.map(|sender| text(USERS[sender]));
        entries.extend(sender.map(|sender| ("sender", sender)));
        entries.extend(self.since.map(|since| ("since", number(since))));
        entries.extend(self.until.map(|until| ("until", number(until))));
        entries.extend(self.before.map(|before| ("before", Value::Int(before))));
        entries.push(("limit", Value::Int(self.planned.limit)));
        Message {
            command: SEARCH,
            params: dict(entries),
        }
    }
}

impl Term {
    /// The term as it is typed.
    fn query(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Word(number) => word(number).1.to_owned(),
            Self::Character(number) => first(word(number).1),
            Self::Phrase(number) => format!("\"{number} {}\"", word(number).1),
            Self::Prefix(number) => format!("{}*", first(&number.to_string())),
            Self::Name(number) => name_in(number).unwrap_or(USERS[0]).to_owned(),
            Self::Absent => "nowhere".to_owned(),
        }
    }

    /// Whether it is one of the words of a text.
    fn is_in(self, words: &[&str]) -> bool {
        let has = |wanted: &str| words.contains(&wanted);
        match self {
            Self::Number(number) => has(&number.to_string()),
            Self::Word(number) => has(word(number).0),
            // In a script without spaces each part of a word is found, in others only whole words. The letter of `c++`
            // is a whole word.
            Self::Character(number) => {
                let character = first(word(number).1);
                let is_dense = !character.is_ascii();
                words.iter().any(|word| {
                    is_dense && word.contains(&character)
                        || word.to_lowercase().trim_end_matches('+') == character.to_lowercase()
                })
            }
            Self::Phrase(number) => {
                let phrase = [&*number.to_string(), word(number).0];
                words.windows(2).any(|words| *words == phrase)
            }
            Self::Prefix(number) => {
                let digit = first(&number.to_string());
                words.iter().any(|word| word.starts_with(&digit))
            }
            Self::Name(number) => has(&format!("@{}", name_in(number).unwrap_or(USERS[0]))),
            Self::Absent => false,
        }
    }
}

/// The first character of a text.
fn first(text: &str) -> String {
    text.chars().take(1).collect()
}

#[test]
fn terms_match_the_words_of_a_text() {
    use crate::request::content;
    let matches_text = |terms: &[Term], text: &str| {
        let planned = SearchRequest {
            terms: terms.to_vec(),
            ..SearchRequest::default()
        };
        PendingSearch::new(&planned, 0, 0).matches_text(text)
    };
    let text = content(11, 30);
    assert_eq!(text, format!("@cat 11 茶馆{}", "*".repeat(25)));
    for term in [
        Term::Number(11),
        Term::Word(11),
        Term::Character(14),
        Term::Phrase(11),
        Term::Prefix(100),
        Term::Name(11),
    ] {
        assert!(matches_text(&[term], &text), "{term:?}");
        assert!(!matches_text(&[term, Term::Absent], &text), "{term:?}");
    }
    for term in [
        Term::Number(1),
        Term::Word(14),
        Term::Phrase(16),
        Term::Prefix(2),
        Term::Name(15),
    ] {
        assert!(!matches_text(&[term], &text), "{term:?}");
    }
    assert!(matches_text(&[Term::Character(3)], &content(8, 3)));
    assert!(!matches_text(&[Term::Character(0)], &content(0, 3)));
}
