//! Finds the messages that mention a user, newest first, in portions.
//!
//! Mentions in a room by users whom the user blocks do not count. There may be many of them before one that counts, in
//! each of many rooms, so a list of mentions may take several turns, as a search does
//! ([`search_messages`](super::search_messages)). Conversations are visited in the order of what may be found there.
//! The first visit of each examines one mention, since most are not on the page. A page reads nothing of a
//! conversation beyond the messages that it has.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use rusqlite::params;

use super::annotations::MENTIONING;
use super::gather::Filling;
use super::history::{MISSING, ONE, PARTICIPATIONS, Participation, message};
use super::{Batch, MessageId, Page, StoreError, UserId};

/// Mentions that one page examines in one conversation.
const EXAMINED: i64 = 10_000;

/// Mentions that a portion examines, about: a millisecond. A visit counts as `VISIT` of them.
const PORTION: i64 = 250;
const VISIT: i64 = 8;

/// Each visit of a conversation examines so many times the mentions of the one before, up to [`PORTION`].
const GROWTH: i64 = 8;

/// What a portion of a list of mentions came to.
#[derive(Debug)]
pub enum MentionsProgress {
    /// All of it.
    Page(Page),
    /// More portions follow.
    Part(Mentions),
}

/// A list of mentions that goes on.
#[derive(Debug)]
pub struct Mentions {
    user: UserId,
    limit: usize,
    budget: usize,
    conversations: Vec<Participation>,
    sources: BinaryHeap<Source>,
    /// The newest ids found so far, and the conversation of each: one more than a page has.
    found: BTreeMap<i64, usize>,
    /// Whether what was found in earlier portions may have changed.
    is_resumed: bool,
}

/// A conversation in which mentions may be found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    /// Mentions below this id are left; the source with the highest comes first.
    below: i64,
    at: usize,
    /// Mentions that the next visit examines.
    next: i64,
    /// Mentions that this page may still examine.
    left: i64,
}

impl Batch<'_> {
    /// Begins a list of the messages that name a user and that the user sees, from the newest before `before` back, and
    /// makes its first portion. A page has its messages oldest first. `limit` and `budget` as in
    /// [`history`](Batch::history).
    pub fn mentions(
        &self,
        user: UserId,
        before: Option<MessageId>,
        limit: usize,
        budget: usize,
    ) -> Result<MentionsProgress, StoreError> {
        let mentions = Mentions::begin(self, user, before, (limit, budget))?;
        self.mentions_on(mentions)
    }

    /// Makes the next portion of a list of mentions.
    pub fn mentions_on(&self, mut mentions: Mentions) -> Result<MentionsProgress, StoreError> {
        let mut work = 0;
        while work < PORTION
            && let Some(source) = mentions.sources.pop()
        {
            work += mentions.visit(self, source)?;
        }
        if mentions.sources.is_empty() {
            return mentions.page(self);
        }
        mentions.is_resumed = true;
        Ok(MentionsProgress::Part(mentions))
    }

    /// Whether a message mentions a user as it did.
    fn is_mentioned(
        &self,
        user: UserId,
        rights: &Participation,
        id: i64,
    ) -> Result<bool, StoreError> {
        let (above, below) = (id - 1, id + 1);
        let one = params![user, rights.conversation, above, below, 1];
        let counts = self.first(MENTIONING, one, |row| row.get::<_, bool>(1))?;
        Ok(counts == Some(true))
    }
}

impl Mentions {
    fn begin(
        batch: &Batch<'_>,
        user: UserId,
        before: Option<MessageId>,
        (limit, budget): (usize, usize),
    ) -> Result<Self, StoreError> {
        let conversations = batch.participations(PARTICIPATIONS, [user])?;
        let below = before.map_or(i64::MAX, MessageId::row);
        let sources = (0..conversations.len()).map(|at| Source {
            below,
            at,
            next: 1,
            left: EXAMINED,
        });
        Ok(Self {
            user,
            limit,
            budget,
            sources: sources.collect(),
            conversations,
            found: BTreeMap::new(),
            is_resumed: false,
        })
    }

    /// Examines some mentions of a conversation, and puts it back if more are left. Returns the work.
    fn visit(&mut self, batch: &Batch<'_>, mut source: Source) -> Result<i64, StoreError> {
        let most = self.limit + 1;
        let oldest = self.found.keys().next().copied();
        let bound = oldest.filter(|_| self.found.len() >= most).unwrap_or(0);
        if source.below <= bound.saturating_add(1) {
            // Neither have those that come after it any that are newer.
            self.sources.clear();
            return Ok(1);
        }
        let conversation = &self.conversations[source.at];
        let above = conversation.after_id.max(bound);
        let asked = source.next.min(source.left);
        let (mut examined, below) = (0, source.below);
        let range = params![self.user, conversation.conversation, above, below, asked];
        let (found, at) = (&mut self.found, source.at);
        batch.walk(MENTIONING, range, |row| {
            examined += 1;
            source.below = row.get(0)?;
            if row.get(1)? {
                found.insert(source.below, at);
            }
            Ok(true)
        })?;
        while self.found.len() > most {
            self.found.pop_first();
        }
        source.left -= examined;
        source.next = PORTION.min(source.next * GROWTH);
        if examined == asked && source.left > 0 {
            self.sources.push(source);
        }
        Ok(VISIT + examined)
    }

    /// Reads the messages of the page. Of a list that took several portions, what the user may not see any more, or
    /// what mentions the user no longer, is left out.
    fn page(self, batch: &Batch<'_>) -> Result<MentionsProgress, StoreError> {
        let mut filled = Filling::page(self.budget);
        let mut rights: HashMap<usize, Option<Participation>> = HashMap::new();
        let (mut taken, mut last) = (0, None);
        for (&id, &at) in self.found.iter().rev().take(self.limit) {
            if let Entry::Vacant(place) = rights.entry(at) {
                place.insert(self.rights(batch, at)?);
            }
            let seen = rights[&at].as_ref().filter(|rights| rights.after_id < id);
            let mentioned = match seen {
                Some(rights) if self.is_resumed => batch.is_mentioned(self.user, rights, id)?,
                seen => seen.is_some(),
            };
            if let Some(rights) = seen.filter(|_| mentioned) {
                let one = params![id, rights.conversation];
                let next = batch.first(ONE, one, |row| message(row, self.user, rights))?;
                let mut next = next.ok_or_else(|| batch.missing(MISSING))?;
                batch.annotate(self.user, &mut next)?;
                // After a clock that was put back, one that is too old may follow one that is not.
                if next.send_time >= rights.kept_since && !filled.push(next) {
                    break;
                }
            }
            (taken, last) = (taken + 1, Some(id));
        }
        let more = taken < self.found.len();
        if more && filled.messages.is_empty() {
            // A client goes on from the oldest message of a page, so a page has one if there is any.
            let before = last.map(MessageId::of_row);
            let limits = (self.limit, self.budget);
            return Self::begin(batch, self.user, before, limits).map(MentionsProgress::Part);
        }
        Ok(MentionsProgress::Page(Page {
            messages: filled.oldest_first(),
            more,
        }))
    }

    /// What the user may see of a conversation now.
    fn rights(&self, batch: &Batch<'_>, at: usize) -> Result<Option<Participation>, StoreError> {
        let known = &self.conversations[at];
        if self.is_resumed {
            batch.rights(self.user, known.conversation)
        } else {
            Ok(Some(known.clone()))
        }
    }
}

#[cfg(test)]
mod tests;
