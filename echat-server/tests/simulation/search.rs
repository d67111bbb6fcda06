//! SEARCH: what a query means by PROTOCOL.md, section 5.5, and what its pages may and must have. It knows no index: a
//! message has a word if its text says it.

use crate::plan::{OfSearch, Term, USERS};
use crate::request::{named_in, target, word};
use crate::truth::{Stored, Truth};
use crate::value::{dict, text};
use echat_proto::Value;
use echat_proto::channel::Message;
use std::collections::BTreeSet;

/// The number of SEARCH.
const SEARCH: u32 = 43;

/// A search that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Searching {
    pub(crate) planned: OfSearch,
    /// The filters by time, in unix seconds.
    since: Option<i64>,
    until: Option<i64>,
    /// The messages of the page have lower ids.
    before: Option<u64>,
    /// What its user could find at some moment since it was asked, and at every moment; `None` if it is not known yet
    /// which user asks.
    found: Option<Found>,
}

/// Messages, by the moments at which a search finds them.
#[derive(Clone, Debug)]
struct Found {
    user: usize,
    ever: BTreeSet<u64>,
    always: BTreeSet<u64>,
}

impl Searching {
    /// A search for the newest messages, or those before another one, asked by a client that knows messages up to an id.
    pub(crate) fn new(planned: &OfSearch, known: u64, unix: i64) -> Self {
        // The wire names no time before 1970.
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

    /// The user who asks is known.
    pub(crate) fn asked_by(&mut self, user: usize, truth: &Truth, now: i64) {
        let found = self.matching(user, truth, now);
        self.found = Some(Found {
            user,
            ever: found.clone(),
            always: found,
        });
    }

    /// The search is not answered yet, and something else is committed, or some time went by.
    pub(crate) fn goes_on(&mut self, truth: &Truth, now: i64) {
        let Some(user) = self.found.as_ref().map(|found| found.user) else {
            return;
        };
        let matching = self.matching(user, truth, now);
        if let Some(found) = &mut self.found {
            found.always.retain(|id| matching.contains(id));
            found.ever.extend(matching);
        }
    }

    /// The messages that a user may find now, on this page and the next ones.
    fn matching(&self, user: usize, truth: &Truth, now: i64) -> BTreeSet<u64> {
        if !self.asks_for_anything() {
            return BTreeSet::new();
        }
        let conversation = self.planned.of.map(|of| truth.conversation(user, of));
        let sender = self.planned.sender;
        // The name of a deleted account is not that of a user.
        if sender.is_some_and(|sender| !truth.is_there(sender)) {
            return BTreeSet::new();
        }
        let fits = |id: u64, message: &Stored| {
            self.before.is_none_or(|before| id < before)
                && conversation.is_none_or(|of| of == Some(message.conversation))
                && sender.is_none_or(|sender| sender == message.sender)
                && self.since.is_none_or(|since| since <= message.time)
                && self.until.is_none_or(|until| message.time <= until)
                && !truth.is_hidden(message)
                && self.says(&message.content)
        };
        let visible = truth.visible(user, now);
        let fitting = visible.filter(|(id, message)| fits(*id, message));
        fitting.map(|(id, _)| id).collect()
    }

    /// Whether there are words or filters.
    fn asks_for_anything(&self) -> bool {
        let planned = &self.planned;
        !planned.terms.is_empty()
            || planned.of.is_some()
            || planned.sender.is_some()
            || self.since.is_some()
            || self.until.is_some()
    }

    /// Whether a text has all that the query asks for.
    pub(crate) fn says(&self, content: &str) -> bool {
        // The words stand before the stars.
        let said = content.split('*').next().unwrap_or_default();
        let words: Vec<&str> = said.split(' ').collect();
        let mut terms = self.planned.terms.iter();
        terms.all(|term| term.is_in(&words))
    }

    /// Judges a page: its ids from the newest on, and the `before` of the next one.
    pub(crate) fn judge(&self, ids: &[u64], next: Option<u64>) -> Result<(), String> {
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
    /// What is typed for it.
    fn query(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Word(number) => word(number).1.to_owned(),
            Self::Character(number) => first(word(number).1),
            Self::Phrase(number) => format!("\"{number} {}\"", word(number).1),
            Self::Prefix(number) => format!("{}*", first(&number.to_string())),
            Self::Name(number) => named_in(number).unwrap_or(USERS[0]).to_owned(),
            Self::Absent => "nowhere".to_owned(),
        }
    }

    /// Whether it is one of the words of a text.
    fn is_in(self, words: &[&str]) -> bool {
        let has = |wanted: &str| words.contains(&wanted);
        match self {
            Self::Number(number) => has(&number.to_string()),
            Self::Word(number) => has(word(number).0),
            // Words of a script without spaces are found by each part of them, others as wholes: the letter of c++ is one.
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
            Self::Name(number) => has(&format!("@{}", named_in(number).unwrap_or(USERS[0]))),
            Self::Absent => false,
        }
    }
}

/// The first character of a text.
fn first(text: &str) -> String {
    text.chars().take(1).collect()
}

#[test]
fn a_text_has_the_words_that_it_says() {
    use crate::request::content;
    let says = |terms: &[Term], text: &str| {
        let planned = OfSearch {
            terms: terms.to_vec(),
            ..OfSearch::default()
        };
        Searching::new(&planned, 0, 0).says(text)
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
        assert!(says(&[term], &text), "{term:?}");
        assert!(!says(&[term, Term::Absent], &text), "{term:?}");
    }
    for term in [
        Term::Number(1),
        Term::Word(14),
        Term::Phrase(16),
        Term::Prefix(2),
        Term::Name(15),
    ] {
        assert!(!says(&[term], &text), "{term:?}");
    }
    assert!(says(&[Term::Character(3)], &content(8, 3)));
    assert!(!says(&[Term::Character(0)], &content(0, 3)));
}
