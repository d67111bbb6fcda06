//! The index of the words of messages: how it is kept up to date.
//!
//! A word in the index stands behind the number of a *block*, so a query of a block reads nothing of others. A block is
//! a part of one conversation. The row of a message in the index has the id of the message.
//!
//! An FTS5 table without contents keeps the words; it has no texts.
//!
//! Messages are indexed in portions, after they were stored: each costs 640 µs of processor time by itself, and 26 to
//! 31 µs in a portion of many. The transaction that stores many messages takes 5 µs for each. Nothing is written for it
//! when a message is stored, since ids increase: what is indexed is a range of ids ([`Covered`]). A search reads the
//! texts of newer messages ([`search_messages`](super::search_messages)).
//!
//! A function that changes or removes a text calls [`Batch::text_goes`] before, or [`Batch::text_goes_at_cost`] for a
//! request that does it.
//!
//! The function notes the text in `search_stale`, in the transaction of the change. From then on a search reads the
//! present text, and the next portions remove the old words, which FTS5's secure-delete and `secure_delete` overwrite.
//!
//! The segments of the index are merged here, 24 pages at a time: FTS5's own merges took up to 41 ms.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::page::sql_limit;
use super::schema::ROW_BYTES;
use super::search_words::words;
use super::{Batch, StoreError};

/// Messages of a block. What a search asks the index about one is answered at once
/// ([`search_plan`](super::search_plan)).
pub(super) const BLOCK: i64 = 8_192;

/// Messages that a portion indexes at most, and bytes of their texts after which it ends: 4 ms.
const MESSAGES: usize = 256;
const BYTES: usize = 16 * 1024;

/// Pages that a portion merges, about: 2 ms. Each word ends up in about six merges, so the pages of a portion are
/// merged in one or two more. A query looks for its words in each segment.
const MERGED: i64 = 24;

/// Words that a portion removes at most: 4 ms. Each has to be found in every part of the index.
const REMOVED: usize = 100;

/// Removing one word, in microseconds.
const REMOVAL: u64 = 40;

/// Stale texts among which a portion looks for those of a kind.
const LOOKED_THROUGH: i64 = 1_000;

/// The first stale text after an id whose message has no text any more.
const GONE: &str = "SELECT o.id, o.block, o.content, o.removed
     FROM (SELECT s.id FROM (SELECT id FROM search_stale WHERE id > ?1 ORDER BY id LIMIT ?2) AS s WHERE NOT EXISTS
         (SELECT 1 FROM messages AS m WHERE m.id = s.id AND octet_length(m.content) > 0) LIMIT 1) AS first
     CROSS JOIN search_stale AS o ON o.id = first.id";
/// The first stale text after an id whose message has another text.
const EDITED: &str = "SELECT o.id, o.block, o.content, o.removed
     FROM (SELECT s.id FROM (SELECT id FROM search_stale WHERE id > ?1 ORDER BY id LIMIT ?2) AS s WHERE EXISTS
         (SELECT 1 FROM messages AS m WHERE m.id = s.id AND octet_length(m.content) > 0) LIMIT 1) AS first
     CROSS JOIN search_stale AS o ON o.id = first.id";

/// Messages whose words wait to be removed, from which on portions of removals wait for them.
const STALE: i64 = 256;

/// Messages of each kind that [`Batch::search_lag`] counts at most: 1 ms.
pub(super) const LAG_COUNTED: i64 = 10_000;

/// Bytes of the words of the longest text.
const WORD_BYTES: i32 = 8 * 1024 * 1024;

/// Digits of the number of a block, which are in the order of their codes.
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The beginning of each word of a block in the index.
pub(super) fn prefix(block: i64) -> String {
    (0..6)
        .rev()
        .map(|place| {
            let digit = (block >> (5 * place)) & 31;
            char::from(DIGITS[usize::try_from(digit).unwrap_or(0)])
        })
        .collect()
}

/// What is left to index after a portion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unindexed {
    /// As much as a portion, or removals or merges that have begun.
    Portion,
    /// At most the messages that were stored during the last merges.
    Few,
}

/// What a database and a batch can do, so that both index alike.
pub(super) trait Sql {
    type Error;

    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Self::Error>;

    fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Self::Error>;

    fn change(&mut self, sql: &str, params: impl Params) -> Result<usize, Self::Error>;

    /// Rows that were changed since the connection was opened.
    fn total_changes(&self) -> u64;

    /// Limits the length of texts; that of a row of the database is too low for the words of a long text.
    fn limit_texts(&self, bytes: i32);
}

impl Sql for Batch<'_> {
    type Error = StoreError;

    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.all(sql, params, from_row)
    }

    fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.first(sql, params, from_row)
    }

    fn change(&mut self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.write(sql, params)
    }

    fn total_changes(&self) -> u64 {
        Batch::total_changes(self)
    }

    fn limit_texts(&self, bytes: i32) {
        Batch::limit_texts(self, bytes);
    }
}

impl Sql for &Connection {
    type Error = rusqlite::Error;

    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.prepare_cached(sql)?
            .query_map(params, from_row)?
            .collect()
    }

    fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.prepare_cached(sql)?
            .query_row(params, from_row)
            .optional()
    }

    fn change(&mut self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        self.prepare_cached(sql)?.execute(params)
    }

    fn total_changes(&self) -> u64 {
        Connection::total_changes(self)
    }

    fn limit_texts(&self, bytes: i32) {
        let _ = self.set_limit(Limit::SQLITE_LIMIT_LENGTH, bytes);
    }
}

/// The range of ids that are indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Covered {
    /// Those above this one,
    pub(super) above: i64,
    /// up to this one.
    pub(super) upto: i64,
}

pub(super) fn covered<D: Sql>(db: &D) -> Result<Covered, D::Error> {
    let sql = "SELECT above, upto FROM search_progress";
    let found = db.row(sql, [], |row| {
        Ok(Covered {
            above: row.get(0)?,
            upto: row.get(1)?,
        })
    })?;
    Ok(found.unwrap_or(Covered { above: 0, upto: 0 }))
}

impl Batch<'_> {
    /// Notes that the text of a message is about to be changed or removed. Its words leave the index in a later
    /// portion, and those of its new text follow, if it has one. Returns whether there are words to remove besides
    /// those of which this is known already.
    pub(super) fn text_goes(&mut self, id: i64) -> Result<bool, StoreError> {
        let covered = covered(self)?;
        if id <= covered.above || id > covered.upto {
            return Ok(false);
        }
        self.set_unindexed(true);
        // A text that is stale already stays: the index has its words.
        let noted = self.write(
            "INSERT OR IGNORE INTO search_stale (id, block, content)
             SELECT m.id, (SELECT b.number FROM search_blocks AS b
                     WHERE b.conversation = m.conversation AND b.first_id <= m.id
                     ORDER BY b.first_id DESC LIMIT 1) AS block, m.content
             FROM messages AS m WHERE m.id = ?1 AND m.content <> '' AND block IS NOT NULL",
            [id],
        )?;
        Ok(noted > 0)
    }

    /// Notes the same for a request that changes or removes a text, which pays for the later portions.
    pub(super) fn text_goes_at_cost(&mut self, id: i64, text: &str) -> Result<(), StoreError> {
        if self.text_goes(id)? {
            let all = words(text);
            let distinct: BTreeSet<&String> = all.iter().collect();
            let distinct = u64::try_from(distinct.len()).unwrap_or(u64::MAX);
            self.count_index_work(distinct.saturating_mul(REMOVAL));
        }
        Ok(())
    }

    /// Messages whose text may be removed until a portion of the index has to be made first.
    pub(super) fn removable(&self) -> Result<usize, StoreError> {
        let stale = self.count(
            "SELECT count(*) FROM (SELECT 1 FROM search_stale LIMIT ?1)",
            [STALE],
        )?;
        Ok(usize::try_from(STALE)
            .unwrap_or(0)
            .saturating_sub(usize::try_from(stale).unwrap_or(usize::MAX)))
    }

    /// Messages that the index does not have yet, edited and deleted ones too: at most `LAG_COUNTED` of each kind are
    /// counted, so that a count reads a bounded number of rows.
    pub fn search_lag(&self) -> Result<u64, StoreError> {
        let covered = covered(self)?;
        let newer = self.count(
            "SELECT count(*) FROM (SELECT 1 FROM messages WHERE id > ?1 LIMIT ?2)",
            [covered.upto, LAG_COUNTED],
        )?;
        let older = self.count(
            "SELECT count(*) FROM (SELECT 1 FROM messages WHERE id <= ?1 LIMIT ?2)",
            [covered.above, LAG_COUNTED],
        )?;
        let stale = self.count(
            "SELECT count(*) FROM (SELECT 1 FROM search_stale LIMIT ?1)",
            [LAG_COUNTED],
        )?;
        Ok(newer + older + stale)
    }

    /// Brings a portion of the index up to date. `None` if nothing is left to do. The same database gives the same
    /// portions.
    pub fn index_messages(&mut self) -> Result<Option<Unindexed>, StoreError> {
        // Until then the index has words of texts that were removed.
        if self.exists("SELECT 1 FROM search_stale", [])? {
            self.note_removed_text();
        }
        let left = portion(self)?;
        self.set_unindexed(left.is_some());
        Ok(left)
    }
}

/// Makes the index anew from the messages.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(
        "DELETE FROM search_stale;
         DELETE FROM search_blocks;
         INSERT INTO search (search) VALUES ('delete-all');
         INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
         INSERT INTO search (search, rank) VALUES ('automerge', 0);
         DELETE FROM search_progress;",
    )?;
    let mut db = db;
    while portion(&mut db)?.is_some() {}
    Ok(())
}

/// Says how the index differs from the messages that it covers.
pub(super) fn faults(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut faults = Vec::new();
    let expected = expected_entries(db)?;
    let stored = stored_entries(db)?;
    if expected != stored {
        faults.push(format!(
            "the index of words has {} entries, and the messages have {}",
            stored.0, expected.0
        ));
    }
    let wrong = "SELECT count(*) FROM search_blocks AS b WHERE b.messages <>
             (SELECT count(*) FROM messages AS m, search_progress AS p
              WHERE m.conversation = b.conversation AND m.id BETWEEN b.first_id AND b.last_id
                  AND m.id > p.above AND m.id <= p.upto AND m.content <> '')
           + (SELECT count(*) FROM search_stale AS s WHERE s.block = b.number
              AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = s.id AND m.content <> ''))";
    let wrong: i64 = db.query_row(wrong, [], |row| row.get(0))?;
    if wrong > 0 {
        faults.push(format!(
            "{wrong} blocks of the index of words count other messages"
        ));
    }
    Ok(faults)
}

/// The entries of the index: their number, and a sum of what each is, which does not depend on their order.
type EntrySum = (u64, u64);

fn add_entry(entries: &mut EntrySum, word: &str, id: i64, place: i64) {
    let mut hasher = DefaultHasher::new();
    (word, id, place).hash(&mut hasher);
    *entries = (entries.0 + 1, entries.1.wrapping_add(hasher.finish()));
}

/// The entries that the texts of messages call for.
fn expected_entries(db: &Connection) -> rusqlite::Result<EntrySum> {
    let mut entries = (0, 0);
    let covered = covered(&db)?;
    let sql = "SELECT m.id, m.content, coalesce(s.block, (SELECT b.number FROM search_blocks AS b
                   WHERE b.conversation = m.conversation AND b.first_id <= m.id ORDER BY b.first_id DESC LIMIT 1))
               FROM messages AS m LEFT JOIN search_stale AS s ON s.id = m.id
               WHERE m.id > ?1 AND m.id <= ?2 AND m.content <> '' AND s.id IS NULL";
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([covered.above, covered.upto])?;
    while let Some(row) = rows.next()? {
        let (id, content): (i64, String) = (row.get(0)?, text(row.get_ref(1)?));
        let prefix = prefix(row.get::<_, Option<i64>>(2)?.unwrap_or(0));
        for (word, place) in words(&content).iter().zip(0..) {
            add_entry(&mut entries, &format!("{prefix}{word}"), id, place);
        }
    }
    let mut statement = db.prepare("SELECT id, content, block, removed FROM search_stale")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, content): (i64, String) = (row.get(0)?, text(row.get_ref(1)?));
        let prefix = prefix(row.get(2)?);
        let all = words(&content);
        let distinct: BTreeSet<&String> = all.iter().collect();
        let removed = usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
        let removed: BTreeSet<&String> = distinct.into_iter().take(removed).collect();
        for (word, place) in all.iter().zip(0..) {
            if !removed.contains(word) {
                add_entry(&mut entries, &format!("{prefix}{word}"), id, place);
            }
        }
    }
    Ok(entries)
}

/// The entries that are there.
fn stored_entries(db: &Connection) -> rusqlite::Result<EntrySum> {
    db.execute_batch(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_entries USING fts5vocab(main, search, instance)",
    )?;
    let mut entries = (0, 0);
    let mut statement = db.prepare("SELECT term, doc, offset FROM temp.search_entries")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let word = text(row.get_ref(0)?);
        add_entry(&mut entries, &word, row.get(1)?, row.get(2)?);
    }
    Ok(entries)
}

/// Makes a portion, and says what is left.
fn portion<D: Sql>(db: &mut D) -> Result<Option<Unindexed>, D::Error> {
    db.limit_texts(WORD_BYTES);
    let made = make_portion(db);
    db.limit_texts(ROW_BYTES);
    made
}

fn make_portion<D: Sql>(db: &mut D) -> Result<Option<Unindexed>, D::Error> {
    let covered = covered(db)?;
    let newer = "SELECT 1 FROM messages WHERE id > ?1 LIMIT 1";
    // New messages do not wait for all removals: each has half of a portion.
    let has_newer = db.row(newer, [covered.upto], |_| Ok(()))?.is_some();
    let share = if has_newer { 2 } else { 1 };
    let removes = remove_words(db, REMOVED / share)?;
    if removes && !has_newer {
        flush(db)?;
        return Ok(Some(Unindexed::Portion));
    }
    if let Some(left) = merge_on(db)? {
        return Ok(Some(if removes { Unindexed::Portion } else { left }));
    }
    let more = |is_left: bool| (removes || is_left).then_some(Unindexed::Portion);
    let share = if removes { 2 } else { 1 };
    let (newer, is_all) = next_messages(db, "m.id > ?1 ORDER BY m.id", covered.upto, share)?;
    if let Some(last) = newer.last() {
        let upto = last.id;
        add_messages(db, newer, BlockEnd::Newest)?;
        let unmerged = merge(db)?;
        let sql = "INSERT INTO search_progress (id, above, upto, unmerged) VALUES (1, 0, ?1, ?2)
                   ON CONFLICT (id) DO UPDATE SET upto = excluded.upto, unmerged = excluded.unmerged";
        db.change(sql, params![upto, unmerged])?;
        return Ok(more(unmerged || !is_all || covered.above > 0));
    }
    if covered.above == 0 {
        return Ok(None);
    }
    let (older, _) = next_messages(db, "m.id <= ?1 ORDER BY m.id DESC", covered.above, 1)?;
    let above = older.last().map_or(0, |oldest| oldest.id - 1);
    add_messages(db, older, BlockEnd::Oldest)?;
    let unmerged = merge(db)?;
    let sql = "UPDATE search_progress SET above = ?1, unmerged = ?2";
    db.change(sql, params![above, unmerged])?;
    Ok(more(unmerged || above > 0))
}

/// Goes on to merge segments of the index, if some may be left to merge. If this was the work of a portion, returns
/// what is left.
fn merge_on<D: Sql>(db: &mut D) -> Result<Option<Unindexed>, D::Error> {
    let sql = "SELECT unmerged FROM search_progress";
    let unmerged = db.row(sql, [], |row| row.get(0))?;
    if unmerged != Some(true) {
        return Ok(None);
    }
    if merge(db)? {
        return Ok(Some(Unindexed::Portion));
    }
    db.change("UPDATE search_progress SET unmerged = 0", [])?;
    Ok(Some(Unindexed::Few))
}

/// Writes the words of a portion to the index. Else the commit does it, and damage that it meets ends the server.
fn flush<D: Sql>(db: &mut D) -> Result<(), D::Error> {
    db.change("INSERT INTO search (search) VALUES ('flush')", [])
        .map(drop)
}

/// Merges segments of the index. Returns whether it wrote any page, so that more may be left.
fn merge<D: Sql>(db: &mut D) -> Result<bool, D::Error> {
    // The pages of this portion's words are no work of the merge.
    flush(db)?;
    let before = db.total_changes();
    let sql = "INSERT INTO search (search, rank) VALUES ('merge', ?1)";
    db.change(sql, [MERGED])?;
    // The statement counts as one change itself.
    Ok(db.total_changes() - before > 1)
}

struct IndexedMessage {
    id: i64,
    conversation: i64,
    send_time: i64,
    content: String,
}

/// The messages of the next portion, or of its `share`, at least one if there is any, and whether they are all.
fn next_messages<D: Sql>(
    db: &D,
    which: &str,
    id: i64,
    share: usize,
) -> Result<(Vec<IndexedMessage>, bool), D::Error> {
    let sql = format!(
        "SELECT m.id, m.conversation, m.send_time, m.content FROM messages AS m WHERE {which} LIMIT ?2"
    );
    let mut found = db.rows(&sql, [id, sql_limit(MESSAGES / share)], |row| {
        Ok(IndexedMessage {
            id: row.get(0)?,
            conversation: row.get(1)?,
            send_time: row.get(2)?,
            content: text(row.get_ref(3)?),
        })
    })?;
    let mut bytes = 0;
    let fitting = found.iter().take_while(|message| {
        let fits = bytes < BYTES / share;
        bytes += message.content.len();
        fits
    });
    let fitting = fitting.count();
    let is_all = fitting == found.len() && found.len() < MESSAGES / share;
    found.truncate(fitting);
    Ok((found, is_all))
}

/// A text of a row. Damage may have left bytes that are none: a portion does not end there.
pub(super) fn text(value: ValueRef<'_>) -> String {
    String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned()
}

/// The end of the blocks of a conversation at which messages are added.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BlockEnd {
    Newest,
    Oldest,
}

/// A block that messages are added to.
struct Block {
    number: i64,
    first_id: i64,
    last_id: i64,
    messages: i64,
    oldest_at: i64,
    newest_at: i64,
    /// Whether the times never fall from one id to the next.
    in_order: bool,
}

/// The columns of a block.
const BLOCK_COLUMNS: &str = "number, first_id, last_id, messages, oldest_at, newest_at, in_order";

impl Block {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            first_id: row.get(1)?,
            last_id: row.get(2)?,
            messages: row.get(3)?,
            oldest_at: row.get(4)?,
            newest_at: row.get(5)?,
            in_order: row.get(6)?,
        })
    }

    fn add(&mut self, message: &IndexedMessage, end: BlockEnd) {
        self.pass(message, end);
        self.first_id = self.first_id.min(message.id);
        self.last_id = self.last_id.max(message.id);
        self.messages += 1;
    }

    /// Notes the time of a message beyond an end of the block. It may lie between two messages of the block later.
    fn pass(&mut self, message: &IndexedMessage, end: BlockEnd) {
        self.in_order &= match end {
            BlockEnd::Newest => message.send_time >= self.newest_at,
            BlockEnd::Oldest => message.send_time <= self.oldest_at,
        };
        self.oldest_at = self.oldest_at.min(message.send_time);
        self.newest_at = self.newest_at.max(message.send_time);
    }

    fn save<D: Sql>(&self, db: &mut D) -> Result<(), D::Error> {
        db.change(
            "UPDATE search_blocks SET first_id = ?2, last_id = ?3, messages = ?4, oldest_at = ?5, newest_at = ?6,
                 in_order = ?7 WHERE number = ?1",
            params![
                self.number,
                self.first_id,
                self.last_id,
                self.messages,
                self.oldest_at,
                self.newest_at,
                self.in_order
            ],
        )
        .map(drop)
    }
}

/// Adds messages to the index, in the order of their distance from what is indexed.
fn add_messages<D: Sql>(
    db: &mut D,
    messages: Vec<IndexedMessage>,
    end: BlockEnd,
) -> Result<(), D::Error> {
    let mut open: HashMap<i64, Block> = HashMap::new();
    let mut rows: Vec<(i64, String)> = Vec::new();
    for message in messages {
        let block = match open.remove(&message.conversation) {
            Some(block) => Some(block),
            None => open_block(db, message.conversation, end)?,
        };
        // A tombstone.
        if message.content.is_empty() {
            if let Some(mut block) = block {
                block.pass(&message, end);
                open.insert(message.conversation, block);
            }
            continue;
        }
        let block = match block {
            Some(mut block) if block.messages < BLOCK => {
                block.add(&message, end);
                block
            }
            full => {
                if let Some(full) = full {
                    full.save(db)?;
                }
                new_block(db, &message)?
            }
        };
        rows.push((message.id, row_of(&words(&message.content), block.number)));
        open.insert(message.conversation, block);
    }
    let mut blocks: Vec<Block> = open.into_values().collect();
    blocks.sort_unstable_by_key(|block| block.number);
    for block in blocks {
        block.save(db)?;
    }
    // In ascending order they become one segment of the index.
    rows.sort_unstable();
    for (id, words) in rows {
        let sql = "INSERT INTO search (rowid, words) VALUES (?1, ?2)";
        db.change(sql, params![id, words])?;
    }
    Ok(())
}

fn open_block<D: Sql>(db: &D, conversation: i64, end: BlockEnd) -> Result<Option<Block>, D::Error> {
    let order = if end == BlockEnd::Newest {
        "DESC"
    } else {
        "ASC"
    };
    let sql = format!(
        "SELECT {BLOCK_COLUMNS} FROM search_blocks
         WHERE conversation = ?1 ORDER BY first_id {order} LIMIT 1"
    );
    db.row(&sql, [conversation], Block::of)
}

fn new_block<D: Sql>(db: &mut D, message: &IndexedMessage) -> Result<Block, D::Error> {
    db.change(
        "INSERT INTO search_blocks (conversation, first_id, last_id, messages, oldest_at, newest_at, in_order)
         VALUES (?1, ?2, ?2, 1, ?3, ?3, 1)",
        [message.conversation, message.id, message.send_time],
    )?;
    let sql = format!(
        "SELECT {BLOCK_COLUMNS} FROM search_blocks WHERE conversation = ?1 AND first_id = ?2"
    );
    let made = db.row(&sql, [message.conversation, message.id], Block::of)?;
    Ok(made.expect("it was just written"))
}

/// Words as a row of the index has them.
fn row_of<W: AsRef<str>>(words: &[W], block: i64) -> String {
    let prefix = prefix(block);
    let mut row = String::new();
    for word in words {
        row.push_str(&prefix);
        row.push_str(word.as_ref());
        row.push(' ');
    }
    row
}

/// Removes up to so many words that the index should not have any more; false if there are none. Texts that are gone
/// and former texts of messages that were edited have half each, or what the others leave: neither kind waits for all
/// of the other, of which there may be any number.
fn remove_words<D: Sql>(db: &mut D, most: usize) -> Result<bool, D::Error> {
    let mut left = most;
    for (which, share) in [(GONE, most / 2), (EDITED, most), (GONE, most)] {
        left -= remove_words_of(db, which, share.min(left))?;
    }
    Ok(left < most)
}

/// Removes up to so many words of texts of one kind. Returns how many; a text without words counts as one.
fn remove_words_of<D: Sql>(db: &mut D, which: &str, most: usize) -> Result<usize, D::Error> {
    let (mut left, mut done) = (most, 0);
    while left > 0 {
        let stale = db.row(which, [done, LOOKED_THROUGH], |row| {
            Ok((row.get(0)?, row.get(1)?, text(row.get_ref(2)?), row.get(3)?))
        })?;
        let Some((id, block, content, removed)): Option<(i64, i64, String, i64)> = stale else {
            break;
        };
        let all = words(&content);
        let distinct: BTreeSet<&str> = all.iter().map(String::as_str).collect();
        let skipped = usize::try_from(removed).unwrap_or(0);
        let next: Vec<&str> = distinct.iter().skip(skipped).take(left).copied().collect();
        left = left.saturating_sub(next.len().max(1));
        let sql = "INSERT INTO search (search, rowid, words) VALUES ('delete', ?1, ?2)";
        db.change(sql, params![id, row_of(&next, block)])?;
        if skipped + next.len() < distinct.len() {
            // The index counts rows, and this one is not gone yet.
            db.change("INSERT INTO search (rowid, words) VALUES (?1, '')", [id])?;
            let sql = "UPDATE search_stale SET removed = removed + ?2 WHERE id = ?1";
            db.change(sql, params![id, i64::try_from(next.len()).unwrap_or(0)])?;
            break;
        }
        finish_stale(db, id, block)?;
        done = id;
    }
    Ok(most - left)
}

/// The words of a former text are gone: those of the present one follow.
fn finish_stale<D: Sql>(db: &mut D, id: i64, block: i64) -> Result<(), D::Error> {
    db.change("DELETE FROM search_stale WHERE id = ?1", [id])?;
    let sql = "SELECT content FROM messages WHERE id = ?1 AND content <> ''";
    let content = db.row(sql, [id], |row| Ok(text(row.get_ref(0)?)))?;
    if let Some(content) = content {
        let sql = "INSERT INTO search (rowid, words) VALUES (?1, ?2)";
        return db
            .change(sql, params![id, row_of(&words(&content), block)])
            .map(drop);
    }
    let sql = "DELETE FROM search_blocks WHERE number = ?1 AND messages = 1";
    if db.change(sql, [block])? == 0 {
        let sql = "UPDATE search_blocks SET messages = messages - 1 WHERE number = ?1";
        db.change(sql, [block])?;
    }
    Ok(())
}
