//! Reads messages: pages of one conversation, and the newest or oldest of all of a user's conversations.
//!
//! Every query is a seek in the index (conversation, id) that stops at a limit, so its cost does not depend on the
//! number of stored messages. Seeks over many conversations share a bound that tightens with each result: rows beyond
//! the results found so far are not read.

use rusqlite::{Params, Row, params};

use super::annotations::UNREAD_MENTIONS;
use super::gather::{Filling, merge};
use super::page::{sql_limit, sql_limit_of_page};
use super::{Batch, ConversationId, Kind, MessageId, Retention, StoreError, StoredMessage, UserId};

/// The largest unread count, which bounds the cost of counting.
pub const UNREAD_MAX: u64 = 1_000;

/// See [`UnreadBounds::examined`].
const UNREAD_EXAMINED: u64 = 10_000;

/// See [`UnreadBounds::least`].
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

/// Messages around a place in a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Oldest first.
    pub messages: Vec<StoredMessage>,
    /// Whether there are older ones.
    pub older: bool,
    /// Whether there are newer ones.
    pub newer: bool,
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
    /// Messages of other users after the read marker that were not deleted, 1..=[`UNREAD_MAX`].
    pub count: u64,
    /// The read marker.
    pub read_id: MessageId,
    /// How many of them name the user, as far as they are counted.
    pub mentions: u64,
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
pub(super) struct Participation {
    pub(super) conversation: ConversationId,
    kind: Kind,
    target: String,
    pub(super) after_id: i64,
    read_id: MessageId,
    /// Earlier messages are too old to be shown.
    pub(super) kept_since: i64,
}

pub(super) const PARTICIPATIONS: &str =
    "SELECT p.conversation, 0, u.name, p.after_id, p.read_id, NULL FROM participants AS p
     CROSS JOIN friendships AS f ON f.conversation = p.conversation
     CROSS JOIN users AS u ON u.id = f.low_user + f.high_user - p.user WHERE p.user = ?1
     UNION ALL
     SELECT p.conversation, 1, r.name, p.after_id, p.read_id, r.keep_days FROM participants AS p
     CROSS JOIN rooms AS r ON r.id = p.conversation WHERE p.user = ?1";

pub(super) const PARTICIPATION: &str =
    "SELECT p.conversation, c.kind, coalesce(r.name, u.name), p.after_id, p.read_id, r.keep_days
     FROM participants AS p CROSS JOIN conversations AS c ON c.id = p.conversation
     LEFT JOIN rooms AS r ON r.id = p.conversation
     LEFT JOIN friendships AS f ON f.conversation = p.conversation
     LEFT JOIN users AS u ON u.id = f.low_user + f.high_user - p.user
     WHERE p.user = ?1 AND p.conversation = ?2";

/// Queries messages. Those of an account that is being erased are shown as deleted.
macro_rules! messages {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.sender, u.name, m.send_time,
                CASE WHEN u.erased THEN '' ELSE m.content END, m.deleted_at IS NOT NULL OR u.erased,
                EXISTS (SELECT 1 FROM bots AS b WHERE b.user = m.sender),
                CASE WHEN u.erased THEN NULL ELSE m.reply_to END,
                CASE WHEN u.erased THEN NULL ELSE m.edited_at END, m.annotated AND NOT u.erased
             FROM messages AS m
             CROSS JOIN users AS u ON u.id = m.sender ",
            $rest
        )
    };
}

pub(super) const NEWEST: &str = messages!(
    "WHERE m.conversation = ?1 AND m.id > ?2 AND m.id < ?3 AND m.send_time >= ?5 ORDER BY m.id DESC LIMIT ?4"
);

pub(super) const OLDEST: &str = messages!(
    "WHERE m.conversation = ?1 AND m.id > ?2 AND m.id < ?3 AND m.send_time >= ?5 ORDER BY m.id LIMIT ?4"
);

/// One message of a conversation. An id alone may be of another one by now, if it was read in a batch that was not
/// kept.
pub(super) const ONE: &str = messages!("WHERE m.id = ?1 AND m.conversation = ?2");

pub(super) const MISSING: &str = "a message that an index has is not there";

pub(super) const NEWEST_IDS: &str = "SELECT id FROM messages
     WHERE conversation = ?1 AND id > ?2 AND id < ?3 AND send_time >= ?5
     ORDER BY id DESC LIMIT ?4";

/// The first message above an id, up to another, with the time of sending.
pub(super) const NEXT_TIME: &str = "SELECT id, send_time FROM messages
     WHERE conversation = ?1 AND id > ?2 AND id <= ?3 ORDER BY id LIMIT 1";

/// A user's participation in the conversation of a message that the user sees.
pub(super) const SEEN: &str =
    "SELECT p.conversation, c.kind, coalesce(r.name, u.name), p.after_id, p.read_id, r.keep_days
     FROM messages AS m CROSS JOIN participants AS p ON p.user = ?1 AND p.conversation = m.conversation
     CROSS JOIN conversations AS c ON c.id = p.conversation
     LEFT JOIN rooms AS r ON r.id = p.conversation
     LEFT JOIN friendships AS f ON f.conversation = p.conversation
     LEFT JOIN users AS u ON u.id = f.low_user + f.high_user - p.user
     WHERE m.id = ?2 AND m.id > p.after_id AND coalesce(r.name, u.name) IS NOT NULL";

pub(super) const OLDEST_IDS: &str = "SELECT id FROM messages
     WHERE conversation = ?1 AND id > ?2 AND id < ?3 AND send_time >= ?5
     ORDER BY id LIMIT ?4";

/// Messages after a read marker, from the newest back: whether one is of the user or of an account that is being
/// erased, and so does not count; whether it is not deleted; and where the run of its sender ends.
pub(super) const UNREAD: &str =
    "SELECT sender = ?3 OR sender IN (SELECT id FROM users WHERE erased = 1), deleted_at IS NULL, run_above
     FROM messages INDEXED BY messages_by_conversation
     WHERE conversation = ?1 AND id > ?2 AND id <= ?4 AND send_time >= ?5
     ORDER BY id DESC";

impl Batch<'_> {
    /// A page of one conversation as `user` sees it. With `after`: the oldest messages after it (and before `before`,
    /// if given); otherwise the newest ones (before `before`). At most `limit` messages and about `budget` bytes, but
    /// at least one message if there is any. Empty if `user` does not take part in the conversation.
    pub fn history(
        &self,
        user: UserId,
        conversation: ConversationId,
        before: Option<MessageId>,
        after: Option<MessageId>,
        limit: usize,
        budget: usize,
    ) -> Result<Page, StoreError> {
        let participation = self.participations(PARTICIPATION, params![user, conversation])?;
        let Some(participation) = participation.into_iter().next() else {
            return Ok(Page {
                messages: Vec::new(),
                more: false,
            });
        };
        let above = after.map_or(0, MessageId::row).max(participation.after_id);
        let below = before.map_or(i64::MAX, MessageId::row);
        let sql = if after.is_some() { OLDEST } else { NEWEST };
        // One message beyond the limit shows whether there are more.
        let rows = self.rows(sql, user, &participation, (above, below), limit)?;
        let found = rows.len();
        let mut filled = Filling::page(budget);
        for row in rows.into_iter().take(limit) {
            if !filled.push(self.annotated(user, row)?) {
                break;
            }
        }
        let more = filled.messages.len() < found;
        Ok(Page {
            messages: filled.oldest_first(),
            more,
        })
    }

    /// Up to one message more than `limit` of a conversation between two ids, in the order of the query.
    fn rows(
        &self,
        sql: &str,
        user: UserId,
        participation: &Participation,
        (above, below): (i64, i64),
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.all(
            sql,
            params![
                participation.conversation,
                above,
                below,
                sql_limit_of_page(limit),
                participation.kept_since
            ],
            |row| message(row, user, participation),
        )
    }

    /// A message with what is attached to it, as a reader sees it.
    fn annotated(
        &self,
        reader: UserId,
        mut message: StoredMessage,
    ) -> Result<StoredMessage, StoreError> {
        self.annotate(reader, &mut message)?;
        Ok(message)
    }

    /// Messages of a conversation around a place as `user` sees it: those from `from` on, and before it `before` of the
    /// `limit`. The message at `from` is among them whatever its size. `limit` and `budget` as in
    /// [`history`](Batch::history).
    pub fn history_around(
        &self,
        user: UserId,
        conversation: ConversationId,
        from: MessageId,
        (before, limit): (usize, usize),
        budget: usize,
    ) -> Result<Around, StoreError> {
        let participation = self.participations(PARTICIPATION, params![user, conversation])?;
        let Some(participation) = participation.into_iter().next() else {
            return Ok(Around::default());
        };
        let above = participation.after_id;
        let (middle, after) = (from.row(), limit - before);
        let newer = (middle.saturating_sub(1).max(above), i64::MAX);
        let newer = self.rows(OLDEST, user, &participation, newer, after)?;
        let older = self.rows(NEWEST, user, &participation, (above, middle), before)?;
        let found = (older.len(), newer.len());
        let mut newer = newer.into_iter().take(after);
        let mut older = older.into_iter().take(before);
        let mut filled = Filling::page(budget);
        let mut taken = (0, 0);
        // From the middle to both sides, so that what does not fit is what is farthest from it.
        loop {
            let next = (newer.next(), older.next());
            if next == (None, None) {
                break;
            }
            for (message, count) in [(next.0, &mut taken.1), (next.1, &mut taken.0)] {
                let Some(message) = message else { continue };
                if !filled.push(self.annotated(user, message)?) {
                    (newer, older) = (
                        Vec::new().into_iter().take(0),
                        Vec::new().into_iter().take(0),
                    );
                    break;
                }
                *count += 1;
            }
        }
        Ok(Around {
            messages: filled.oldest_first(),
            older: taken.0 < found.0,
            newer: taken.1 < found.1,
        })
    }

    /// The first message of a conversation that `user` sees and that was sent at a time, in unix seconds, or later.
    /// Times are taken to grow with the ids, so this is a search by halves; after a clock that was put back, any
    /// message where they pass the time may be found.
    pub fn first_at(
        &self,
        user: UserId,
        conversation: ConversationId,
        time: i64,
    ) -> Result<Option<MessageId>, StoreError> {
        let participation = self.participations(PARTICIPATION, params![user, conversation])?;
        let Some(participation) = participation.into_iter().next() else {
            return Ok(None);
        };
        let newest = self.ids(
            NEWEST_IDS,
            &participation,
            participation.after_id,
            i64::MAX,
            1,
        )?;
        let time = time.max(participation.kept_since);
        let above = participation.after_id;
        let newest = newest.first().map_or(above, |id| *id);
        let before = self.last_before(conversation, (above, newest), time)?;
        let first = self.next_time(conversation, (before, newest))?;
        Ok(first.map(|(id, _)| MessageId::of_row(id)))
    }

    /// The last message of a range of a conversation, above an id and up to another, that was sent before a time; the
    /// beginning of the range if there is none. Times are taken to grow with the ids, so this is a search by halves.
    pub(super) fn last_before(
        &self,
        conversation: ConversationId,
        (above, upto): (i64, i64),
        time: i64,
    ) -> Result<i64, StoreError> {
        // All messages up to `low` are from before, and none above `high`.
        let (mut low, mut high) = (above, upto);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.next_time(conversation, (middle, high))? {
                Some((id, sent)) if sent < time => low = id,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The first message of a range of a conversation, and when it was sent.
    fn next_time(
        &self,
        conversation: ConversationId,
        (above, upto): (i64, i64),
    ) -> Result<Option<(i64, i64)>, StoreError> {
        self.first(NEXT_TIME, params![conversation, above, upto], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// A message as `user` sees it; `None` if the user does not see it, now.
    pub fn seen_message(
        &self,
        user: UserId,
        id: MessageId,
    ) -> Result<Option<StoredMessage>, StoreError> {
        let participation = self.participations(SEEN, params![user, id])?;
        let Some(participation) = participation.into_iter().next() else {
            return Ok(None);
        };
        let one = params![id, participation.conversation];
        let found = self.first(ONE, one, |row| message(row, user, &participation))?;
        let found = found.filter(|found| {
            id.row() > participation.after_id && found.send_time >= participation.kept_since
        });
        found.map(|found| self.annotated(user, found)).transpose()
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
        let participations = self.participations(PARTICIPATIONS, [user])?;
        let ids = |at: usize, below: i64, limit: usize| {
            let above = participations[at].after_id.max(after.row());
            self.ids(OLDEST_IDS, &participations[at], above, below, limit)
        };
        let found = merge(participations.len(), limit + 1, limit + 1, ids)?;
        let mut filled = Filling::page(budget);
        for &(id, at) in found.iter().take(limit) {
            let participation = &participations[at];
            let one = params![id, participation.conversation];
            let next = self.first(ONE, one, |row| message(row, user, participation))?;
            let next = next.ok_or_else(|| self.missing(MISSING))?;
            if !filled.push(self.annotated(user, next)?) {
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
        let participations = self.participations(PARTICIPATIONS, [user])?;
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
        let mut filled = Filling::beside(budget.saturating_sub(lines), total);
        let mut oldest = vec![i64::MAX; participations.len()];
        for (rank, at) in found {
            let id = rank.saturating_neg();
            let participation = &participations[at];
            let one = params![id, participation.conversation];
            let next = self.first(ONE, one, |row| message(row, user, participation))?;
            let next = next.ok_or_else(|| self.missing(MISSING))?;
            if !filled.push(self.annotated(user, next)?) {
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
            let (conversation, kept_since) = (participation.conversation, participation.kept_since);
            let above = participation.after_id.max(participation.read_id.row());
            let (count, mentions) = counting.unread(conversation, above, kept_since)?;
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
                    mentions,
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

    /// The participations of a query. Messages at the beginning of a conversation that are too old count as those that
    /// the user may not see.
    pub(super) fn participations(
        &self,
        sql: &str,
        params: impl Params,
    ) -> Result<Vec<Participation>, StoreError> {
        let retention = self.retention();
        let found = self.all(sql, params, |row| participation(row, retention))?;
        let passed_over = |participation: Participation| {
            let (conversation, after_id) = (participation.conversation, participation.after_id);
            let after_id = self.passed_over(conversation, after_id, participation.kept_since)?;
            Ok(Participation {
                after_id,
                ..participation
            })
        };
        found.into_iter().map(passed_over).collect()
    }

    fn ids(
        &self,
        sql: &str,
        participation: &Participation,
        above: i64,
        below: i64,
        limit: usize,
    ) -> Result<Vec<i64>, StoreError> {
        let limit = sql_limit(limit);
        self.all(
            sql,
            params![
                participation.conversation,
                above,
                below,
                limit,
                participation.kept_since
            ],
            |row| row.get(0),
        )
    }
}

/// Counts the unread messages of one user, for one reply.
///
/// Messages that do not count cannot push out others. A run of messages of one sender that does not count is left by
/// its newest one, which knows where it ends. At least one message of another sender stands between two such runs. So a
/// count examines about twice as many messages as it finds, and besides the deleted ones of other senders, of which the
/// bound of a reply leaves room for thousands.
pub(super) struct Counting<'b, 's> {
    batch: &'b Batch<'s>,
    user: UserId,
    bounds: UnreadBounds,
    unread: Examined,
    mentions: Examined,
}

/// The bounds of the unread counts of one reply.
#[derive(Clone, Copy, Debug)]
pub struct UnreadBounds {
    /// The largest count.
    pub most: u64,
    /// Messages that all counts of one reply examine together, and as many mentions. Only a user that means to load the
    /// server has more.
    pub examined: u64,
    /// The largest count once the counts before it have used that up. Twice as many and one more are examined.
    pub least: u64,
}

impl Default for UnreadBounds {
    fn default() -> Self {
        Self {
            most: UNREAD_MAX,
            examined: UNREAD_EXAMINED,
            least: UNREAD_LEAST,
        }
    }
}

/// What is left of a bound on examined rows.
struct Examined {
    left: u64,
}

impl Examined {
    /// How much a count may find and examine.
    fn allowed(&self, bounds: UnreadBounds) -> (u64, u64) {
        let most = bounds.most.min(self.left.max(bounds.least));
        (most, self.left.max(2 * bounds.least + 1))
    }

    fn use_up(&mut self, examined: u64) {
        self.left = self.left.saturating_sub(examined);
    }
}

impl<'s> Batch<'s> {
    /// A counter with its full budget.
    pub(super) fn counting(&self, user: UserId) -> Counting<'_, 's> {
        let bounds = self.unread_bounds;
        let left = bounds.examined;
        Counting {
            batch: self,
            user,
            bounds,
            unread: Examined { left },
            mentions: Examined { left },
        }
    }
}

impl Counting<'_, '_> {
    /// Messages of other users after an id that are not deleted nor from before `kept_since`, and how many of them
    /// mention the user. Both stop at [`UnreadBounds::most`], or at [`UnreadBounds::least`]. A count that ends at the
    /// bound of examined messages is what was found, and at least 1.
    pub(super) fn unread(
        &mut self,
        conversation: ConversationId,
        above: i64,
        kept_since: i64,
    ) -> Result<(u64, u64), StoreError> {
        let above = self.batch.passed_over(conversation, above, kept_since)?;
        let (most, examinable) = self.unread.allowed(self.bounds);
        let (mut found, mut examined, mut is_cut) = (0, 0, false);
        let mut next = Some(i64::MAX);
        while let Some(upto) = next.take() {
            let params = params![conversation, above, self.user, upto, kept_since];
            self.batch.walk(UNREAD, params, |row| {
                is_cut = examined == examinable;
                if is_cut {
                    return Ok(false);
                }
                examined += 1;
                if row.get(0)? {
                    next = row.get(2)?;
                } else {
                    found += u64::from(row.get::<_, bool>(1)?);
                }
                Ok(next.is_none() && found < most)
            })?;
        }
        self.unread.use_up(examined);
        if found == 0 && !is_cut {
            return Ok((0, 0));
        }
        let mentions = self.mentions(conversation, above, kept_since)?.min(most);
        // A mention is an unread message, also where the count did not come to it.
        let found = if is_cut {
            found.max(mentions).max(1)
        } else {
            found
        };
        Ok((found, mentions.min(found)))
    }

    /// Mentions after an id in messages that are not from before `kept_since`. The caller passes over old ones at the
    /// beginning; behind a clock that was set back there are others.
    fn mentions(
        &mut self,
        conversation: ConversationId,
        above: i64,
        kept_since: i64,
    ) -> Result<u64, StoreError> {
        let (most, examinable) = self.mentions.allowed(self.bounds);
        let (mut found, mut examined) = (0, 0);
        let params = params![self.user, conversation, above, kept_since];
        self.batch.walk(UNREAD_MENTIONS, params, |row| {
            examined += 1;
            found += u64::from(row.get::<_, bool>(0)?);
            Ok(found < most && examined < examinable)
        })?;
        self.mentions.use_up(examined);
        Ok(found)
    }
}

fn participation(row: &Row<'_>, retention: Retention) -> rusqlite::Result<Participation> {
    Ok(Participation {
        kept_since: retention.kept_since(row.get(5)?),
        conversation: row.get(0)?,
        kind: row.get(1)?,
        target: row.get(2)?,
        after_id: row.get(3)?,
        read_id: row.get(4)?,
    })
}

pub(super) fn message(
    row: &Row<'_>,
    reader: UserId,
    participation: &Participation,
) -> rusqlite::Result<StoredMessage> {
    let (id, sender): (MessageId, UserId) = (row.get(0)?, row.get(1)?);
    Ok(StoredMessage {
        id,
        conversation: participation.conversation,
        kind: participation.kind,
        sender_id: sender,
        sender: row.get(2)?,
        send_time: row.get(3)?,
        content: row.get(4)?,
        deleted: row.get(5)?,
        target: participation.target.clone(),
        sent: sender == reader || id <= participation.read_id,
        bot: row.get(6)?,
        reply_to: row.get(7)?,
        edited_at: row.get(8)?,
        mentions: Vec::new(),
        reactions: Vec::new(),
        annotated: row.get(9)?,
    })
}

#[cfg(test)]
mod tests;
