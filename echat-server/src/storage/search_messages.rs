//! Finds messages by their words, newest first, in portions.
//!
//! A search visits *sources*: the blocks of the index that belong to conversations of the user, with the texts of those
//! messages that the index has by a former text, and the messages of these conversations that are not indexed. A
//! search for a time leaves out the blocks of other times, and looks up the ids of the time in a block that is only
//! partly of it. The source with the newest messages is visited first, and a source is left out when a page of newer
//! messages was found. So the cost depends on the conversations of the user, and not on those of others.
//!
//! The rights of a user are those of [`history`](super::history): the same rows of `participants` are the beginning of
//! every source, and each message of the reply is read anew by them.
//!
//! A tick handles one portion, of an estimated millisecond. The request stays at the head of its inbox
//! (`Answer::Unfinished`), and its user pays for all portions.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use rusqlite::types::ValueRef;
use rusqlite::{Params, Row, params};

use super::gather::Filling;
use super::history::{ONE, PARTICIPATION, PARTICIPATIONS, Participation, message};
use super::search_index::{covered, text};
use super::search_plan::BlockQuery;
use super::search_words::SearchQuery;
use super::{Batch, ConversationId, MessageId, StoreError, StoredMessage, UserId};

/// Work after which a portion ends, in microseconds of the estimates below: a turn's.
const PORTION: u64 = 1_000;

/// Looking at one message that the index found, and at the text of one that is not indexed.
const MESSAGE: u64 = 2;
/// Bytes of a text that are read in a microsecond.
const TEXT: usize = 64;
/// Phrases of a query that are looked for in a text in as much time as reading it takes.
const PHRASES: usize = 8;

/// Looking up the ids of a time in a block, whose times are in order.
const TIME: u64 = 60;

/// Messages of a source that are looked at, at most, before others have their turn.
const ROWS: i64 = 500;

/// What is searched for, and how far.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// The words.
    pub query: SearchQuery,
    /// In this conversation of the user, or in all of them.
    pub conversation: Option<ConversationId>,
    /// Sent by this user.
    pub sender: Option<UserId>,
    /// Sent at this time or later, in unix seconds.
    pub since: Option<i64>,
    /// Sent at this time or earlier.
    pub until: Option<i64>,
    /// With a lower id.
    pub before: Option<MessageId>,
    /// Messages of a page.
    pub limit: usize,
    /// Bytes of a page, about.
    pub budget: usize,
}

/// A page of what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMessages {
    /// Newest first.
    pub messages: Vec<StoredMessage>,
    /// Where the next page begins, if there may be one.
    pub next: Option<MessageId>,
    /// Messages with lower ids are not indexed yet.
    pub indexed: Option<MessageId>,
}

/// What a portion of a search came to.
#[derive(Debug)]
pub enum SearchProgress {
    /// All of it.
    Page(FoundMessages),
    /// More portions follow.
    Part(Search),
}

/// A search that goes on.
#[derive(Debug)]
pub struct Search {
    user: UserId,
    wanted: SearchRequest,
    conversations: Vec<Participation>,
    sources: BinaryHeap<Source>,
    /// The newest ids found so far, and the conversation of each: one more than a page has.
    found: BTreeMap<i64, usize>,
    indexed: Option<MessageId>,
}

/// Where messages may be found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    /// Messages below this id are left; the source with the highest comes first.
    below: i64,
    /// None has this id or a lower one.
    above: i64,
    kind: SourceKind,
    /// Its conversation.
    at: usize,
    /// The earliest and the latest wanted time, if the source also has messages of other times and all are in order.
    times: Option<(i64, i64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SourceKind {
    /// A block of the index.
    Block { number: i64 },
    /// Messages of a conversation, whose texts are read.
    Texts,
}

const BLOCKS: &str =
    "SELECT b.number, b.conversation, b.first_id, b.last_id, b.oldest_at, b.newest_at, b.in_order
     FROM participants AS p CROSS JOIN search_blocks AS b ON b.conversation = p.conversation
     WHERE p.user = ?1 AND b.last_id > p.after_id";

/// What a message needs to be found, besides its words. Those of erased accounts are hidden like tombstones.
const CANDIDATE: &str = "m.id, m.sender, m.send_time, m.deleted_at IS NOT NULL OR u.erased";

/// A candidate of a source.
struct Candidate {
    id: i64,
    sender: UserId,
    send_time: i64,
    hidden: bool,
}

impl Candidate {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            sender: row.get(1)?,
            send_time: row.get(2)?,
            hidden: row.get(3)?,
        })
    }
}

impl SearchRequest {
    fn takes(&self, candidate: &Candidate) -> bool {
        let time = candidate.send_time;
        !candidate.hidden
            && self.sender.is_none_or(|sender| sender == candidate.sender)
            && self.since.is_none_or(|since| since <= time)
            && self.until.is_none_or(|until| time <= until)
    }

    /// The earliest and the latest wanted time in a conversation.
    fn times(&self, conversation: &Participation) -> (i64, i64) {
        let since = self.since.unwrap_or(i64::MIN);
        (
            since.max(conversation.kept_since),
            self.until.unwrap_or(i64::MAX),
        )
    }
}

impl Batch<'_> {
    /// Begins a search, and makes its first portion.
    pub fn search(
        &self,
        user: UserId,
        wanted: SearchRequest,
    ) -> Result<SearchProgress, StoreError> {
        let conversations = match wanted.conversation {
            Some(conversation) => {
                let found = self.rights(user, conversation)?;
                found.into_iter().collect()
            }
            None => self.participations(PARTICIPATIONS, [user])?,
        };
        let mut search = Search {
            user,
            wanted,
            conversations,
            sources: BinaryHeap::new(),
            found: BTreeMap::new(),
            indexed: None,
        };
        search.open(self)?;
        self.search_on(search)
    }

    /// What a user may see of a conversation; nothing of a room that was closed.
    pub(super) fn rights(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Participation>, StoreError> {
        let sql = format!("{PARTICIPATION} AND coalesce(r.name, u.name) IS NOT NULL");
        let found = self.participations(&sql, params![user, conversation])?;
        Ok(found.into_iter().next())
    }

    /// Makes the next portion of a search.
    pub fn search_on(&self, mut search: Search) -> Result<SearchProgress, StoreError> {
        let mut work = 0;
        while work < PORTION
            && let Some(source) = search.sources.pop()
        {
            work += search.visit(self, source)?;
        }
        self.count_index_work(work);
        if search.sources.is_empty() {
            search.page(self).map(SearchProgress::Page)
        } else {
            Ok(SearchProgress::Part(search))
        }
    }
}

impl Search {
    /// Finds the sources.
    fn open(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let below = self.wanted.before.map_or(i64::MAX, MessageId::row);
        let has_words = self.wanted.query.has_words();
        let covered = covered(batch)?;
        if covered.above > 0 {
            if has_words {
                self.indexed = Some(MessageId::of_row(covered.above + 1));
            } else {
                self.add_texts(below.min(covered.above + 1), 0);
            }
        }
        if batch.newest_id()?.row() > covered.upto {
            self.add_texts(below, covered.upto);
        }
        self.add_blocks(batch, below, has_words)
    }

    /// Adds the blocks of the index with messages below an id. Without a word the texts do not matter, and neither do
    /// the words of the block.
    fn add_blocks(
        &mut self,
        batch: &Batch<'_>,
        below: i64,
        has_words: bool,
    ) -> Result<(), StoreError> {
        let places = self.conversations.iter().enumerate();
        let places: HashMap<ConversationId, usize> = places
            .map(|(at, participation)| (participation.conversation, at))
            .collect();
        let (wanted, sources) = (&self.wanted, &mut self.sources);
        batch.walk(BLOCKS, [self.user], |row| {
            let Some(&at) = places.get(&row.get(1)?) else {
                return Ok(true);
            };
            let (first, last): (i64, i64) = (row.get(2)?, row.get(3)?);
            let (oldest_at, newest_at): (i64, i64) = (row.get(4)?, row.get(5)?);
            let (since, until) = wanted.times(&self.conversations[at]);
            let is_whole = since <= oldest_at && newest_at <= until;
            let kind = if has_words {
                SourceKind::Block {
                    number: row.get(0)?,
                }
            } else {
                SourceKind::Texts
            };
            let source = Source {
                below: below.min(last.saturating_add(1)),
                above: (first - 1).max(self.conversations[at].after_id),
                kind,
                at,
                times: (!is_whole && row.get(6)?).then_some((since, until)),
            };
            let overlaps = since <= newest_at && oldest_at <= until;
            if overlaps && source.below > source.above + 1 {
                sources.push(source);
            }
            Ok(true)
        })
    }

    /// Adds the messages of all conversations above an id, whose texts are read.
    fn add_texts(&mut self, below: i64, above: i64) {
        for (at, participation) in self.conversations.iter().enumerate() {
            self.sources.push(Source {
                below,
                above: above.max(participation.after_id),
                kind: SourceKind::Texts,
                at,
                times: None,
            });
        }
    }

    /// Leaves out the messages of a source that are of other times than the wanted ones.
    fn bound(
        &self,
        batch: &Batch<'_>,
        source: &mut Source,
        (since, until): (i64, i64),
    ) -> Result<(), StoreError> {
        let conversation = self.conversations[source.at].conversation;
        let range = (source.above, source.below - 1);
        source.above = batch.last_before(conversation, range, since)?;
        if until < i64::MAX {
            let range = (source.above, source.below - 1);
            source.below = batch.last_before(conversation, range, until + 1)? + 1;
        }
        Ok(())
    }

    /// Looks at some messages of a source, and puts it back if more are left. Returns the work.
    fn visit(&mut self, batch: &Batch<'_>, mut source: Source) -> Result<u64, StoreError> {
        let most = self.wanted.limit + 1;
        let oldest = self.found.keys().next().copied();
        let full = oldest.filter(|_| self.found.len() >= most);
        source.above = source.above.max(full.unwrap_or(0));
        if let Some(times) = source.times.take() {
            self.bound(batch, &mut source, times)?;
            if source.below > source.above.saturating_add(1) {
                // It may not be the source with the newest messages any more.
                self.sources.push(source);
            }
            return Ok(TIME);
        }
        if source.below <= source.above.saturating_add(1) {
            return Ok(MESSAGE);
        }
        let query = match source.kind {
            SourceKind::Block { number } => batch
                .block_query(&self.wanted.query, number)?
                .map(|query| (number, query)),
            SourceKind::Texts => None,
        };
        let seen = if let Some((number, query)) = query {
            self.visit_block(batch, &source, number, &query)?
        } else {
            // A block whose texts are read once stays so: both find the same.
            source.kind = SourceKind::Texts;
            self.visit_texts(batch, &source)?
        };
        for (id, at) in seen.found {
            self.found.insert(id, at);
        }
        while self.found.len() > most {
            self.found.pop_first();
        }
        if let Some(next) = seen.next {
            source.below = next;
            self.sources.push(source);
        }
        Ok(seen.work)
    }

    /// Looks at messages of a block. The index has some by a former text: of these, the texts are read in the same
    /// visit, since before the next one they may be edited, or indexed anew.
    fn visit_block(
        &self,
        batch: &Batch<'_>,
        source: &Source,
        number: i64,
        query: &BlockQuery,
    ) -> Result<Visit, StoreError> {
        let stale = self.visit_stale(batch, source, number)?;
        let content = if query.is_all { "NULL" } else { "m.content" };
        let sql = format!(
            "SELECT {CANDIDATE} OR EXISTS (SELECT 1 FROM search_stale AS o WHERE o.id = m.id), {content}
             FROM search AS s CROSS JOIN messages AS m ON m.id = s.rowid CROSS JOIN users AS u ON u.id = m.sender
             WHERE s.search MATCH ?1 AND s.rowid > ?2 AND s.rowid < ?3 ORDER BY s.rowid DESC LIMIT ?4"
        );
        let above = stale.next.map_or(source.above, |next| next - 1);
        let range = params![query.expression, above, source.below, ROWS];
        let mut seen = self.look_at(batch, &sql, range, source.at, |row| {
            if query.is_all {
                Ok((true, MESSAGE))
            } else {
                self.reads(row)
            }
        })?;
        seen.work += query.work;
        seen.join(stale);
        Ok(seen)
    }

    /// Looks at messages of a block that the index has by a former text.
    fn visit_stale(
        &self,
        batch: &Batch<'_>,
        source: &Source,
        number: i64,
    ) -> Result<Visit, StoreError> {
        let sql = format!(
            "SELECT {CANDIDATE}, iif(o.block = ?4, m.content, NULL)
             FROM search_stale AS o CROSS JOIN messages AS m ON m.id = o.id CROSS JOIN users AS u ON u.id = m.sender
             WHERE o.id > ?1 AND o.id < ?2 ORDER BY o.id DESC LIMIT ?3"
        );
        let range = params![source.above, source.below, ROWS, number];
        self.look_at(batch, &sql, range, source.at, |row| {
            let is_of_block = row.get_ref(4)? != ValueRef::Null;
            if is_of_block {
                self.reads(row)
            } else {
                Ok((false, MESSAGE))
            }
        })
    }

    fn visit_texts(&self, batch: &Batch<'_>, source: &Source) -> Result<Visit, StoreError> {
        let sql = format!(
            "SELECT {CANDIDATE}, m.content FROM messages AS m CROSS JOIN users AS u ON u.id = m.sender
             WHERE m.conversation = ?1 AND m.id > ?2 AND m.id < ?3 ORDER BY m.id DESC LIMIT ?4"
        );
        let conversation = self.conversations[source.at].conversation;
        let range = params![conversation, source.above, source.below, ROWS];
        self.look_at(batch, &sql, range, source.at, |row| self.reads(row))
    }

    /// Looks at the messages of a query, newest first, until the visit is over. `reads` says whether the text of a row
    /// has the words, and the work. It is asked about messages that are wanted otherwise.
    fn look_at(
        &self,
        batch: &Batch<'_>,
        sql: &str,
        range: impl Params,
        at: usize,
        reads: impl Fn(&Row<'_>) -> rusqlite::Result<(bool, u64)>,
    ) -> Result<Visit, StoreError> {
        let mut seen = Visit::default();
        batch.walk(sql, range, |row| {
            let candidate = Candidate::of(row)?;
            let (taken, work) = if self.takes(&candidate, at) {
                reads(row)?
            } else {
                (false, MESSAGE)
            };
            Ok(seen.add(&candidate, taken.then_some(at), work, self.wanted.limit))
        })?;
        Ok(seen)
    }

    /// Whether a candidate of a conversation is wanted, and not too old.
    fn takes(&self, candidate: &Candidate, at: usize) -> bool {
        candidate.send_time >= self.conversations[at].kept_since && self.wanted.takes(candidate)
    }

    /// Whether the text of a row, its fifth column, has the words; and the work.
    fn reads(&self, row: &Row<'_>) -> rusqlite::Result<(bool, u64)> {
        if !self.wanted.query.has_words() {
            return Ok((true, MESSAGE));
        }
        let text = text(row.get_ref(4)?);
        let query = &self.wanted.query;
        let compared = text.len() * (PHRASES + query.phrases.len()) / PHRASES;
        let work = MESSAGE + u64::try_from(compared / TEXT).unwrap_or(u64::MAX);
        Ok((query.matches(&text), work))
    }

    /// Reads the messages of the page. What was removed since, or is not the user's to see any more, is left out.
    fn page(self, batch: &Batch<'_>) -> Result<FoundMessages, StoreError> {
        let more = self.found.len() > self.wanted.limit;
        let mut filled = Filling::page(self.wanted.budget);
        let mut seen: HashMap<usize, Option<Participation>> = HashMap::new();
        let mut last = None;
        let mut is_cut = false;
        for (&id, &at) in self.found.iter().rev().take(self.wanted.limit) {
            if let Entry::Vacant(place) = seen.entry(at) {
                let conversation = self.conversations[at].conversation;
                place.insert(batch.rights(self.user, conversation)?);
            }
            let Some(rights) = seen[&at].as_ref().filter(|rights| rights.after_id < id) else {
                continue;
            };
            let one = params![id, rights.conversation];
            let found = batch.first(ONE, one, |row| message(row, self.user, rights))?;
            let Some(mut found) =
                found.filter(|found| !found.deleted && found.send_time >= rights.kept_since)
            else {
                continue;
            };
            batch.annotate(self.user, &mut found)?;
            if !filled.push(found) {
                is_cut = true;
                break;
            }
            last = Some(id);
        }
        let end = if is_cut {
            last
        } else {
            let last_of_page = self
                .found
                .keys()
                .rev()
                .nth(self.wanted.limit.saturating_sub(1));
            last_of_page.copied().filter(|_| more)
        };
        Ok(FoundMessages {
            messages: filled.messages,
            next: end.map(MessageId::of_row),
            indexed: self.indexed,
        })
    }
}

/// What a visit of a source came to.
#[derive(Default)]
struct Visit {
    found: Vec<(i64, usize)>,
    /// Messages below this id are left; `None` if the source is read to its end.
    next: Option<i64>,
    work: u64,
    rows: i64,
}

impl Visit {
    /// Adds a message that was looked at; false if the visit ends with it.
    fn add(
        &mut self,
        candidate: &Candidate,
        taken: Option<usize>,
        work: u64,
        limit: usize,
    ) -> bool {
        self.rows += 1;
        self.work += work;
        self.found.extend(taken.map(|at| (candidate.id, at)));
        let is_over = self.rows == ROWS || self.found.len() > limit || self.work >= PORTION;
        self.next = is_over.then_some(candidate.id);
        !is_over
    }

    /// Adds another visit of the same messages: what both have looked at is looked at.
    fn join(&mut self, other: Self) {
        self.next = self.next.max(other.next);
        self.work += other.work;
        self.found.extend(other.found);
        let next = self.next.unwrap_or(0);
        self.found.retain(|(id, _)| *id >= next);
    }
}

#[cfg(test)]
mod tests;
