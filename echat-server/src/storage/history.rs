//! Reads messages: pages of one conversation, and the newest or oldest of all of a user's conversations.
//!
//! Every query is a seek in the index (conversation, id) that stops at a limit, so its cost does not depend on the
//! number of stored messages. Seeks over many conversations share a bound that tightens with each result: rows beyond
//! the results found so far are not read.

use rusqlite::{Row, params};

use super::gather::{Filling, merge};
use super::{Batch, ConversationId, Kind, MessageId, StoreError, StoredMessage, UserId};

/// The largest unread count, which bounds the cost of counting.
pub const UNREAD_MAX: u64 = 1_000;

/// Messages that all unread counts of one reply examine together. Only a user who means to load the server has more.
const UNREAD_LOOKED_AT: u64 = 10_000;

/// Messages that a count examines in any case, when the others have used that up.
const UNREAD_LEAST: u64 = 10;

/// Bytes of one entry about a conversation in a reply besides its name, rounded up.
const LINE_BYTES: usize = 96;

/// Messages of one reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Oldest first.
    pub messages: Vec<StoredMessage>,
    /// Whether there are more in the requested direction.
    pub more: bool,
}

/// The messages and counts that a login returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Oldest first.
    pub messages: Vec<StoredMessage>,
    /// Conversations with unread messages.
    pub unread: Vec<Unread>,
    /// Conversations with older messages than those returned.
    pub more: Vec<Older>,
}

/// Unread messages of one conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Friend or room.
    pub kind: Kind,
    /// The friend's or the room's name.
    pub target: String,
    /// Messages of other users after the read marker, 1..=[`UNREAD_MAX`].
    pub count: u64,
    /// The read marker.
    pub read_id: MessageId,
}

/// A conversation with older messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Older {
    /// Friend or room.
    pub kind: Kind,
    /// The friend's or the room's name.
    pub target: String,
    /// The older messages are those before this id.
    pub before: MessageId,
}

/// A user's participation in a conversation.
#[derive(Clone, Debug)]
struct Participation {
    conversation: ConversationId,
    kind: Kind,
    target: String,
    after_id: i64,
    read_id: MessageId,
}

pub(super) const PARTICIPATIONS: &str =
    "SELECT p.conversation, 0, u.name, p.after_id, p.read_id FROM participants AS p
     CROSS JOIN friendships AS f ON f.conversation = p.conversation
     CROSS JOIN users AS u ON u.id = f.low_user + f.high_user - p.user WHERE p.user = ?1
     UNION ALL
     SELECT p.conversation, 1, r.name, p.after_id, p.read_id FROM participants AS p
     CROSS JOIN rooms AS r ON r.id = p.conversation WHERE p.user = ?1";

pub(super) const PARTICIPATION: &str =
    "SELECT p.conversation, c.kind, coalesce(r.name, u.name), p.after_id, p.read_id
     FROM participants AS p CROSS JOIN conversations AS c ON c.id = p.conversation
     LEFT JOIN rooms AS r ON r.id = p.conversation
     LEFT JOIN friendships AS f ON f.conversation = p.conversation
     LEFT JOIN users AS u ON u.id = f.low_user + f.high_user - p.user
     WHERE p.user = ?1 AND p.conversation = ?2";

pub(super) const NEWEST: &str = "SELECT m.id, m.sender, u.name, m.send_time,
            CASE WHEN u.erased THEN '' ELSE m.content END, m.deleted_at IS NOT NULL OR u.erased,
            EXISTS (SELECT 1 FROM bots AS b WHERE b.user = m.sender)
     FROM messages AS m
     CROSS JOIN users AS u ON u.id = m.sender
     WHERE m.conversation = ?1 AND m.id > ?2 AND m.id < ?3 ORDER BY m.id DESC LIMIT ?4";

pub(super) const OLDEST: &str = "SELECT m.id, m.sender, u.name, m.send_time,
            CASE WHEN u.erased THEN '' ELSE m.content END, m.deleted_at IS NOT NULL OR u.erased,
            EXISTS (SELECT 1 FROM bots AS b WHERE b.user = m.sender)
     FROM messages AS m
     CROSS JOIN users AS u ON u.id = m.sender
     WHERE m.conversation = ?1 AND m.id > ?2 AND m.id < ?3 ORDER BY m.id LIMIT ?4";

pub(super) const ONE: &str = "SELECT m.id, m.sender, u.name, m.send_time,
            CASE WHEN u.erased THEN '' ELSE m.content END, m.deleted_at IS NOT NULL OR u.erased,
            EXISTS (SELECT 1 FROM bots AS b WHERE b.user = m.sender)
     FROM messages AS m
     CROSS JOIN users AS u ON u.id = m.sender WHERE m.id = ?1";

/// No message is ever deleted.
const MISSING: &str = "a message that an index has is not there";

pub(super) const NEWEST_IDS: &str = "SELECT id FROM messages
     WHERE conversation = ?1 AND id > ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4";

pub(super) const OLDEST_IDS: &str = "SELECT id FROM messages
     WHERE conversation = ?1 AND id > ?2 AND id < ?3 ORDER BY id LIMIT ?4";

pub(super) const UNREAD: &str = "SELECT count(*), count(CASE WHEN sender <> ?3 THEN 1 END) FROM
     (SELECT sender FROM messages WHERE conversation = ?1 AND id > ?2 ORDER BY id DESC LIMIT ?4)";

impl Batch<'_> {
    /// A page of one conversation as `user` sees it. With `after`: the oldest messages after it (and before `before`, if
    /// given); otherwise the newest ones (before `before`). At most `limit` messages and about `budget` bytes, but at
    /// least one message if there is any. Empty for a user who is not part of the conversation.
    pub fn history(
        &self,
        user: UserId,
        conversation: ConversationId,
        before: Option<MessageId>,
        after: Option<MessageId>,
        limit: usize,
        budget: usize,
    ) -> Result<Page, StoreError> {
        let Some(participation) =
            self.first(PARTICIPATION, params![user, conversation], participation)?
        else {
            return Ok(Page {
                messages: Vec::new(),
                more: false,
            });
        };
        let above = after.map_or(0, MessageId::row).max(participation.after_id);
        let below = before.map_or(i64::MAX, MessageId::row);
        let sql = if after.is_some() { OLDEST } else { NEWEST };
        // One message beyond the limit shows whether there are more.
        let rows = self.all(
            sql,
            params![conversation, above, below, sql_limit(limit, 1)],
            |row| message(row, user, &participation),
        )?;
        let found = rows.len();
        let mut filled = Filling::page(budget);
        for row in rows.into_iter().take(limit) {
            if !filled.push(row) {
                break;
            }
        }
        let more = filled.messages.len() < found;
        Ok(Page {
            messages: filled.oldest_first(),
            more,
        })
    }

    /// The messages of all of a user's conversations after `after`, oldest first.
    /// `limit` and `budget` as in [`history`](Batch::history).
    pub fn catch_up(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
        budget: usize,
    ) -> Result<Page, StoreError> {
        let participations = self.all(PARTICIPATIONS, [user], participation)?;
        let ids = |at: usize, below: i64, limit: usize| {
            let above = participations[at].after_id.max(after.row());
            self.ids(OLDEST_IDS, &participations[at], above, below, limit)
        };
        let found = merge(participations.len(), limit + 1, limit + 1, ids)?;
        let mut filled = Filling::page(budget);
        for &(id, at) in found.iter().take(limit) {
            let next = self.first(ONE, [id], |row| message(row, user, &participations[at]))?;
            let next = next.ok_or_else(|| self.missing(MISSING))?;
            if !filled.push(next) {
                break;
            }
        }
        let more = filled.messages.len() < found.len();
        Ok(Page {
            messages: filled.oldest_first(),
            more,
        })
    }

    /// The newest messages of all of a user's conversations, up to `per_conversation` of one, `total` in all, and about
    /// `budget` bytes. The entries of `unread` and `more` count towards the budget, and may leave no room for messages.
    pub fn bundle(
        &self,
        user: UserId,
        per_conversation: usize,
        total: usize,
        budget: usize,
    ) -> Result<Bundle, StoreError> {
        let participations = self.all(PARTICIPATIONS, [user], participation)?;
        let unread = self.unread_of(user, &participations)?;
        // Ids are ranked in descending order, so that merging takes the newest first.
        let ids = |at: usize, below: i64, limit: usize| {
            let above = below.saturating_neg().max(participations[at].after_id);
            let ids = self.ids(NEWEST_IDS, &participations[at], above, i64::MAX, limit)?;
            Ok(ids.into_iter().map(i64::saturating_neg).collect())
        };
        let found = merge(participations.len(), per_conversation, total, ids)?;
        let lines: usize = unread
            .iter()
            .map(|line| LINE_BYTES + line.target.len())
            .sum();
        // Reserve an entry for every conversation: each may have older messages.
        let lines = lines
            + participations
                .iter()
                .map(|participation| LINE_BYTES + participation.target.len())
                .sum::<usize>();
        let mut filled = Filling::beside(budget.saturating_sub(lines));
        let mut oldest = vec![i64::MAX; participations.len()];
        for (rank, at) in found {
            let id = rank.saturating_neg();
            let next = self.first(ONE, [id], |row| message(row, user, &participations[at]))?;
            let next = next.ok_or_else(|| self.missing(MISSING))?;
            if !filled.push(next) {
                break;
            }
            oldest[at] = id;
        }
        let more = self.older(&participations, &oldest)?;
        Ok(Bundle {
            messages: filled.oldest_first(),
            unread,
            more,
        })
    }

    fn unread_of(
        &self,
        user: UserId,
        participations: &[Participation],
    ) -> Result<Vec<Unread>, StoreError> {
        let mut unread = Vec::new();
        let mut counting = self.counting(user);
        for participation in participations {
            let count = counting.unread(participation.conversation, participation.read_id)?;
            if count > 0 {
                let (kind, target, read_id) = (
                    participation.kind,
                    participation.target.clone(),
                    participation.read_id,
                );
                unread.push(Unread {
                    kind,
                    target,
                    count,
                    read_id,
                });
            }
        }
        Ok(unread)
    }

    /// The conversations with messages before the oldest one returned.
    fn older(
        &self,
        participations: &[Participation],
        oldest: &[i64],
    ) -> Result<Vec<Older>, StoreError> {
        let mut more = Vec::new();
        for (participation, &taken) in participations.iter().zip(oldest) {
            if let Some(&id) = self
                .ids(NEWEST_IDS, participation, participation.after_id, taken, 1)?
                .first()
            {
                // If none was returned, the newest message counts as older.
                let before = if taken == i64::MAX { id + 1 } else { taken };
                let (kind, target) = (participation.kind, participation.target.clone());
                more.push(Older {
                    kind,
                    target,
                    before: MessageId::of_row(before),
                });
            }
        }
        Ok(more)
    }

    fn ids(
        &self,
        sql: &str,
        participation: &Participation,
        above: i64,
        below: i64,
        limit: usize,
    ) -> Result<Vec<i64>, StoreError> {
        let limit = sql_limit(limit, 0);
        self.all(
            sql,
            params![participation.conversation, above, below, limit],
            |row| row.get(0),
        )
    }
}

/// Counts the unread messages of one user, for one reply.
pub(super) struct Counting<'b, 's> {
    batch: &'b Batch<'s>,
    user: UserId,
    left: u64,
}

impl<'s> Batch<'s> {
    /// A counter with its full budget.
    pub(super) fn counting(&self, user: UserId) -> Counting<'_, 's> {
        Counting {
            batch: self,
            user,
            left: UNREAD_LOOKED_AT,
        }
    }
}

impl Counting<'_, '_> {
    /// Messages of other users after a read marker. Examines at most [`UNREAD_MAX`] messages, or what earlier counts
    /// have left of the budget.
    pub(super) fn unread(
        &mut self,
        conversation: ConversationId,
        read_id: MessageId,
    ) -> Result<u64, StoreError> {
        let most = UNREAD_MAX.min(self.left).max(UNREAD_LEAST);
        let (looked_at, unread) = self
            .batch
            .first(
                UNREAD,
                params![conversation, read_id, self.user, sql_count(most)],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )?
            .unwrap_or_default();
        self.left = self
            .left
            .saturating_sub(u64::try_from(looked_at).unwrap_or(0));
        Ok(u64::try_from(unread).unwrap_or(0))
    }
}

fn sql_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn sql_limit(limit: usize, extra: i64) -> i64 {
    i64::try_from(limit)
        .unwrap_or(i64::MAX)
        .saturating_add(extra)
}

fn participation(row: &Row<'_>) -> rusqlite::Result<Participation> {
    Ok(Participation {
        conversation: row.get(0)?,
        kind: row.get(1)?,
        target: row.get(2)?,
        after_id: row.get(3)?,
        read_id: row.get(4)?,
    })
}

fn message(
    row: &Row<'_>,
    reader: UserId,
    participation: &Participation,
) -> rusqlite::Result<StoredMessage> {
    let (id, sender): (MessageId, UserId) = (row.get(0)?, row.get(1)?);
    Ok(StoredMessage {
        id,
        conversation: participation.conversation,
        kind: participation.kind,
        sender: row.get(2)?,
        send_time: row.get(3)?,
        content: row.get(4)?,
        deleted: row.get(5)?,
        target: participation.target.clone(),
        sent: sender == reader || id <= participation.read_id,
        bot: row.get(6)?,
    })
}
