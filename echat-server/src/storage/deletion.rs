//! Deleted accounts. The row of the user stays under a name that no user can have, since messages refer to it, and its
//! skeletons stay, so that its name is never given out again.
//!
//! What the quotas of the user bound ends with the account. The rest may be as many rows as there are other users:
//! blocks by them, invitations to them, their requests and bans. Queries leave a deleted account out, so these rows are
//! hidden, and a portion of them is removed at a time, the first one at once.
//!
//! Tests take all columns that refer to users and rooms from the schema. They fail for one that is neither removed nor
//! listed with the reason why it stays.

use echat_proto::names::name_of_deleted_account;
use rusqlite::params;

use super::dependents::{OF_ACCOUNT, OF_ACCOUNT_AT_ONCE};
use super::page::sql_limit;
use super::{Batch, ConversationId, Kind, MessageId, Removal, StoreError, UserId};

/// Index entries of messages that one portion of an erasure looks at: half a millisecond.
const LOOKED_AT: i64 = 2_000;
/// Messages that one portion makes tombstones of: each writes a page of the table.
const ERASED: usize = 64;
/// Rows of a deleted account that one portion removes at most.
const ROWS: usize = 100;
/// Of these, rows whose removal changes a list of another user: that user is told the whole list.
const TOLD_ROWS: usize = 8;
/// Friend requests of all users that one portion looks through for those that the account sent, which no index has.
const REQUESTS: i64 = 1_000;
/// Accounts that one portion looks at for rows that an earlier process left.
const ACCOUNTS: i64 = 500;
/// Deleted ones among them. One of which nothing is left takes ten statements.
const DELETED_ACCOUNTS: usize = 16;

/// Invitations from a deleted account: the invited user, the room, and whether the user sees the invitation, and the
/// room is not closed.
pub(super) const INVITATIONS_FROM: &str = "SELECT i.user, i.room,
         NOT EXISTS (SELECT 1 FROM blocks AS b WHERE b.user = i.user AND b.blocked = i.inviter),
         EXISTS (SELECT 1 FROM rooms AS r WHERE r.id = i.room)
     FROM room_invitations AS i WHERE i.inviter = ?1 ORDER BY i.user, i.room LIMIT ?2";

/// The users that block a deleted account.
pub(super) const BLOCKERS: &str =
    "SELECT user FROM blocks WHERE blocked = ?1 ORDER BY user LIMIT ?2";
/// Deletes the requests of a sender in a range of ids.
pub(super) const REQUESTS_FROM: &str = "DELETE FROM friend_requests WHERE id IN
         (SELECT id FROM friend_requests WHERE id > ?1 AND id <= ?2 AND sender = ?4 LIMIT ?3)";
/// Deletes the requests of all deleted accounts in a range of ids.
pub(super) const REQUESTS_FROM_DELETED: &str = "DELETE FROM friend_requests WHERE id IN
         (SELECT r.id FROM friend_requests AS r CROSS JOIN users AS u ON u.id = r.sender
          WHERE r.id > ?1 AND r.id <= ?2 AND u.deleted_at IS NOT NULL LIMIT ?3)";

/// Users whose lists a removal has changed. Those who are online are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedLists {
    /// The users that they block.
    pub blocks: Vec<UserId>,
    /// Their invitations.
    pub invitations: Vec<UserId>,
}

impl ChangedLists {
    /// Whether no list has changed.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.invitations.is_empty()
    }
}

/// The rows of a deleted account that are left, and the users whose lists the removed portion has changed.
#[derive(Debug)]
pub(crate) struct DeletedAccount {
    /// The rows that are left.
    pub(crate) left: Option<Removal>,
    /// The lists that have changed.
    pub(crate) lists: ChangedLists,
}

/// How far the removal of an account's rows is: the friend requests up to this id are looked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountCursor {
    requests: i64,
}

/// How far the search for rows of deleted accounts is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeletedAccountsCursor {
    /// The accounts up to this one are looked at.
    accounts: i64,
    /// Then the friend requests up to this one.
    requests: i64,
}

/// How far an erasure is in the order of conversations and messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasureCursor {
    conversation: i64,
    message: i64,
}

impl Batch<'_> {
    /// Ends the friendships of a user. Their conversations stay.
    fn end_friendships(&mut self, user: UserId, now: i64) -> Result<(), StoreError> {
        for sql in [
            "UPDATE friendships SET ended_at = ?2 WHERE low_user = ?1 AND ended_at IS NULL",
            "UPDATE friendships SET ended_at = ?2 WHERE high_user = ?1 AND ended_at IS NULL",
        ] {
            self.write(sql, params![user, now])?;
        }
        Ok(())
    }

    /// Deletes the account of a user that is in no room and owns no bot, with a portion of the rows that refer to it.
    /// With `erase`, the messages of the user are hidden from now on, and [`remove`](Self::remove) makes tombstones of
    /// them.
    pub(crate) fn delete_account(
        &mut self,
        user: UserId,
        erase: bool,
        now: i64,
    ) -> Result<DeletedAccount, StoreError> {
        self.end_friendships(user, now)?;
        for sql in OF_ACCOUNT_AT_ONCE {
            self.write(sql, [user])?;
        }
        if let Some(name) = self.user_name(user)? {
            self.unindex_name(Kind::Private, user.0, &name)?;
        }
        self.write(
            "UPDATE users SET name = ?2, password = '', administrator = 0, must_change_password = 0,
                 away = NULL, last_seen = NULL, hides_last_seen = 0, suspended_at = NULL,
                 suspended_until = NULL, suspended_reason = NULL, deleted_at = ?3, erased = ?4
             WHERE id = ?1",
            params![user, name_of_deleted_account(user.0), now, erase],
        )?;
        let (cursor, lists) = self.remove_rows_of(user, AccountCursor::default())?;
        let left = cursor.map(|cursor| Removal::AccountRows(user, cursor));
        Ok(DeletedAccount { left, lists })
    }

    /// Removes a portion of what other tables have of a deleted account. Returns where the next portion begins; `None`
    /// after the last. Does nothing to an account that is not deleted.
    pub(super) fn remove_rows_of(
        &mut self,
        user: UserId,
        cursor: AccountCursor,
    ) -> Result<(Option<AccountCursor>, ChangedLists), StoreError> {
        let mut lists = ChangedLists::default();
        if !self.is_deleted(user)? {
            return Ok((None, lists));
        }
        if !self.remove_indexed_rows_of(user, &mut lists)? {
            return Ok((Some(cursor), lists));
        }
        let requests = self.remove_requests_behind(cursor.requests, REQUESTS_FROM, Some(user))?;
        let cursor = requests.map(|requests| AccountCursor { requests });
        Ok((cursor, lists))
    }

    fn is_deleted(&self, user: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users WHERE id = ?1 AND deleted_at IS NOT NULL";
        self.exists(sql, [user])
    }

    /// Removes a portion of the rows of a deleted account that are found by an index. False if some may be left.
    fn remove_indexed_rows_of(
        &mut self,
        user: UserId,
        lists: &mut ChangedLists,
    ) -> Result<bool, StoreError> {
        let mut left = ROWS;
        for sql in OF_ACCOUNT {
            let removed = self.write(sql, params![user, sql_limit(left)])?;
            left = left.saturating_sub(removed);
            if left == 0 {
                return Ok(false);
            }
        }
        let invited = self.remove_inviter(user, &mut lists.invitations)?;
        if invited == TOLD_ROWS {
            return Ok(false);
        }
        let most = TOLD_ROWS - invited;
        let blockers: Vec<UserId> =
            self.all(BLOCKERS, params![user, sql_limit(most)], |row| row.get(0))?;
        for blocker in &blockers {
            self.unblock(*blocker, user)?;
        }
        let is_done = blockers.len() < most;
        lists.blocks = blockers;
        Ok(is_done)
    }

    /// Takes a deleted account off a portion of the invitations that came from it, and deletes those that its blocks
    /// hide. Returns how many.
    fn remove_inviter(
        &mut self,
        inviter: UserId,
        told: &mut Vec<UserId>,
    ) -> Result<usize, StoreError> {
        let found: Vec<(UserId, ConversationId, bool, bool)> = self.all(
            INVITATIONS_FROM,
            params![inviter, sql_limit(TOLD_ROWS)],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        for (user, room, is_shown, is_open) in &found {
            if *is_shown {
                self.write(
                    "UPDATE room_invitations SET inviter = NULL WHERE user = ?1 AND room = ?2",
                    params![user, room],
                )?;
            } else {
                self.delete_invitation(*room, *user)?;
            }
            if *is_shown && *is_open && told.last() != Some(user) {
                told.push(*user);
            }
        }
        Ok(found.len())
    }

    /// Deletes friend requests from a range of ids behind `after` with a statement that takes the range, a limit, and
    /// the sender. Returns behind which id the next range begins; `None` if there is no request behind this one.
    fn remove_requests_behind(
        &mut self,
        after: i64,
        sql: &str,
        sender: Option<UserId>,
    ) -> Result<Option<i64>, StoreError> {
        let range = "SELECT id FROM friend_requests WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2";
        let end = self.first(range, [after, REQUESTS - 1], |row| row.get::<_, i64>(0))?;
        let (until, most) = (end.unwrap_or(i64::MAX), sql_limit(ROWS));
        let removed = match sender {
            Some(sender) => self.write(sql, params![after, until, most, sender])?,
            None => self.write(sql, params![after, until, most])?,
        };
        Ok(if removed == ROWS { Some(after) } else { end })
    }

    /// Removes a portion of what an earlier process left of deleted accounts.
    pub(super) fn remove_rows_of_deleted(
        &mut self,
        cursor: DeletedAccountsCursor,
    ) -> Result<(Option<DeletedAccountsCursor>, ChangedLists), StoreError> {
        let mut lists = ChangedLists::default();
        let end = "SELECT id FROM users WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2";
        let end = self.first(end, [cursor.accounts, ACCOUNTS - 1], |row| {
            row.get::<_, i64>(0)
        })?;
        let deleted: Vec<UserId> = self.all(
            "SELECT id FROM users WHERE id > ?1 AND id <= ?2 AND deleted_at IS NOT NULL
             ORDER BY id LIMIT ?3",
            params![
                cursor.accounts,
                end.unwrap_or(i64::MAX),
                sql_limit(DELETED_ACCOUNTS)
            ],
            |row| row.get(0),
        )?;
        let mut reached = cursor.accounts;
        for user in &deleted {
            let writes = self.total_changes();
            if !self.remove_indexed_rows_of(*user, &mut lists)? {
                let accounts = reached;
                return Ok((Some(DeletedAccountsCursor { accounts, ..cursor }), lists));
            }
            reached = user.0;
            if self.total_changes() > writes {
                let accounts = reached;
                return Ok((Some(DeletedAccountsCursor { accounts, ..cursor }), lists));
            }
        }
        if deleted.len() == DELETED_ACCOUNTS {
            let accounts = reached;
            return Ok((Some(DeletedAccountsCursor { accounts, ..cursor }), lists));
        }
        if let Some(accounts) = end {
            return Ok((Some(DeletedAccountsCursor { accounts, ..cursor }), lists));
        }
        let requests = self.remove_requests_behind(cursor.requests, REQUESTS_FROM_DELETED, None)?;
        let accounts = reached;
        let cursor = requests.map(|requests| DeletedAccountsCursor { accounts, requests });
        Ok((cursor, lists))
    }

    /// The deleted accounts whose messages are hidden and not all tombstones yet.
    pub fn erasures(&self) -> Result<Vec<UserId>, StoreError> {
        let sql = "SELECT id FROM users WHERE erased = 1 ORDER BY id";
        self.all(sql, [], |row| row.get(0))
    }

    /// Makes tombstones of a portion of a user's messages, from a cursor on. It looks at 2,000 messages at most, and
    /// writes 64 at most: fewer, or none, while words of others wait to leave the search index. Returns where the next
    /// portion begins. After the last one the user counts as erased no more: nothing is left to hide. Does nothing to a
    /// user whose messages are not hidden.
    pub(super) fn erase(
        &mut self,
        user: UserId,
        from: ErasureCursor,
        now: i64,
    ) -> Result<Option<ErasureCursor>, StoreError> {
        if !self.exists("SELECT 1 FROM users WHERE id = ?1 AND erased = 1", [user])? {
            return Ok(None);
        }
        let most = ERASED.min(self.removable()?);
        if most == 0 {
            return Ok(Some(from));
        }
        let mut seen = 0;
        let mut found = Vec::new();
        let mut last = from;
        self.walk(
            "SELECT conversation, id, sender FROM messages INDEXED BY messages_by_conversation
             WHERE (conversation, id) > (?1, ?2) ORDER BY conversation, id LIMIT ?3",
            params![from.conversation, from.message, LOOKED_AT],
            |row| {
                let conversation: ConversationId = row.get(0)?;
                let sender: UserId = row.get(2)?;
                last = ErasureCursor {
                    conversation: conversation.0,
                    message: row.get(1)?,
                };
                seen += 1;
                if sender == user {
                    found.push(last.message);
                }
                Ok(found.len() < most)
            },
        )?;
        for id in &found {
            self.remove_content(MessageId::of_row(*id), now)?;
        }
        if seen == LOOKED_AT || found.len() == most {
            return Ok(Some(last));
        }
        self.write("UPDATE users SET erased = 0 WHERE id = ?1", [user])?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::tests::remove_all;
    use super::*;
    use echat_proto::names::Username;

    /// An account that so many others blocked, invited, banned, asked and were asked by.
    fn popular(others: i64) -> (Store, UserId) {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let ann = batch.create_user(&Username::new("ann").unwrap(), "phc", 1);
        let ann = ann.unwrap().unwrap();
        drop(batch.commit().unwrap());
        let numbers = format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {others})"
        );
        let ann_id = ann.0;
        for insert in [
            "INSERT INTO users (id, name, password, created_at) SELECT 1000 + n, 'u' || n, 'phc', 1 FROM n",
            "INSERT INTO name_endings SELECT 0, 'u' || n, 1000 + n FROM n",
            "INSERT INTO conversations (id, kind) SELECT 2000000 + n, 1 FROM n",
            "INSERT INTO rooms (id, name, owner, members, created_at) SELECT 2000000 + n, 'r' || n, 1000 + n, 1, 1 FROM n",
            "INSERT INTO blocks (user, blocked, created_at) SELECT 1000 + n, ANN, 1 FROM n WHERE n % 2 = 0",
            "INSERT INTO room_invitations (user, room, inviter, created_at) SELECT 1000 + n, 2000000 + n, ANN, 1 FROM n",
            "INSERT INTO bans (room, user, operator, created_at) SELECT 2000000 + n, ANN, 1000 + n, 1 FROM n",
            "INSERT INTO friend_requests (sender, receiver, created_at) SELECT ANN, 1000 + n, 1 FROM n",
            "INSERT INTO friend_requests (sender, receiver, created_at) SELECT 1000 + n, ANN, 1 FROM n",
            "INSERT INTO logins (user, address, at) SELECT ANN, 'a' || n, 1 FROM n",
        ] {
            let sql = match insert.split_once(" SELECT ") {
                Some((into, select)) => format!(
                    "{into} {numbers} SELECT {}",
                    select.replace("ANN", &ann_id.to_string())
                ),
                None => unreachable!("each has a SELECT"),
            };
            store.connection().execute(&sql, []).unwrap();
        }
        (store, ann)
    }

    const LEFT: &str = "SELECT (SELECT count(*) FROM blocks) + (SELECT count(*) FROM bans)
         + (SELECT count(*) FROM friend_requests) + (SELECT count(*) FROM logins)
         + (SELECT count(*) FROM room_invitations WHERE inviter IS NOT NULL)";

    /// What a user sees of a deleted account: nothing, from the first step on.
    fn is_hidden(store: &mut Store, other: i64) {
        let batch = store.batch();
        let user = UserId(1000 + other);
        assert_eq!(batch.blocked_by(user).unwrap(), []);
        assert_eq!(batch.pending_requests(user).unwrap(), Vec::<String>::new());
        let by: Vec<_> = batch
            .invitations_of(user)
            .unwrap()
            .into_iter()
            .map(|one| one.by)
            .collect();
        assert_eq!(by, if other % 2 == 0 { vec![] } else { vec![None] });
        let room = ConversationId(2_000_000 + other);
        assert_eq!(batch.bans(room, 2).unwrap(), []);
        assert_eq!(
            batch.find(user, "ann", 9).unwrap().users,
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_account_is_deleted_in_bounded_steps_however_many_others_refer_to_it() {
        let costs = |others: i64| {
            let (mut store, ann) = popular(others);
            let mut batch = store.batch();
            let deleted = batch.delete_account(ann, false, 2).unwrap();
            let first = batch.usage();
            drop(batch.commit().unwrap());
            for other in [1, 2, 3, others - 1, others] {
                is_hidden(&mut store, other);
            }
            let portions = remove_all(&mut store, deleted.left.unwrap());
            let left: i64 = store
                .connection()
                .query_row(LEFT, [], |row| row.get(0))
                .unwrap();
            assert_eq!(left, 0);
            let most = portions.iter().map(|usage| usage.steps).max();
            (first, most.unwrap(), portions.len())
        };
        let (few, most_of_few, _) = costs(200);
        let (many, most_of_many, portions) = costs(5_000);
        // A tick has 100,000 steps.
        for steps in [few.steps, most_of_few, many.steps, most_of_many] {
            assert!(
                steps < 20_000,
                "{few:?} {many:?} {most_of_few} {most_of_many}"
            );
        }
        assert!(many.steps < few.steps + few.steps / 4, "{few:?} {many:?}");
        assert!(portions > 600, "{portions}");
    }

    /// What decisions about requests rest on, for some users and their rooms.
    fn decided_by(
        store: &mut Store,
        others: &[i64],
    ) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
        let batch = store.batch();
        let of = |other: &i64| {
            let (user, room) = (UserId(1000 + other), ConversationId(2_000_000 + other));
            (
                batch.blocks_as_many(user, 1).unwrap(),
                batch.has_as_many_pending(user, 1).unwrap(),
                batch.oldest_pending(user).unwrap(),
                batch.invitation_counts(user).unwrap(),
                batch.inviter(room, user).unwrap(),
                batch.has_as_many_bans(room, 1, 2).unwrap(),
            )
        };
        others.iter().map(of).collect()
    }

    #[test]
    fn rows_of_deleted_accounts_and_closed_rooms_count_nowhere_before_they_are_removed() {
        let (mut store, ann) = popular(400);
        let others = [1, 2, 199, 200, 399, 400];
        let mut batch = store.batch();
        let room = ConversationId(2_000_150);
        batch.invite(room, UserId(1200), UserId(1001), 1).unwrap();
        let deleted = batch.delete_account(ann, false, 2).unwrap();
        batch
            .write("DELETE FROM rooms WHERE id = ?1", [room])
            .unwrap();
        batch
            .write("INSERT INTO closed_rooms (id) VALUES (?1)", [room])
            .unwrap();
        drop(batch.commit().unwrap());
        let before = decided_by(&mut store, &others);
        remove_all(&mut store, deleted.left.unwrap());
        assert_eq!(decided_by(&mut store, &others), before);
        remove_all(&mut store, Removal::ClosedRooms);
        assert_eq!(decided_by(&mut store, &others), before);
    }

    #[test]
    fn what_an_earlier_process_left_of_deleted_accounts_is_found_at_the_next_start() {
        let (mut store, ann) = popular(50);
        let mut batch = store.batch();
        assert!(batch.delete_account(ann, false, 2).unwrap().left.is_some());
        drop(batch.commit().unwrap());
        let removals = store.batch().removals().unwrap();
        let found = removals
            .into_iter()
            .find(|removal| matches!(removal, Removal::RowsOfDeleted(_)));
        let usages = remove_all(&mut store, found.unwrap());
        let left: i64 = store
            .connection()
            .query_row(LEFT, [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 0);
        assert!(
            usages.iter().all(|usage| usage.steps < 20_000),
            "{usages:?}"
        );
        let again = remove_all(
            &mut store,
            Removal::RowsOfDeleted(DeletedAccountsCursor::default()),
        );
        assert_eq!(again.len(), 1);
    }
}
