//! The committed state, read from the database between ticks. Users and rooms are indexes into the names of
//! [`crate::plan`]. A user keeps the index when the account is deleted. A renamed room has another index and the same
//! conversation.

pub(crate) mod people;
pub(crate) mod rooms;

use crate::plan::{Role, Target, USERS};
pub(crate) use people::InvitationCode;
pub(crate) use people::pair;
use people::{Account, DeclinedRequest};
use rooms::{Ban, Participation, Room};
use rusqlite::{Connection, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The row of a conversation.
pub(crate) type Conversation = i64;

/// Everything that is committed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CommittedState {
    /// Grows with every change.
    pub(crate) version: u64,
    /// All accounts, including deleted ones.
    pub(crate) accounts: BTreeMap<usize, Account>,
    /// Users whose accounts are not deleted.
    pub(crate) users: BTreeSet<usize>,
    /// Pairs of friends, lower index first, with their conversations.
    pub(crate) friends: BTreeMap<(usize, usize), Conversation>,
    /// Friendships that ended.
    pub(crate) former_friends: BTreeMap<(usize, usize), Conversation>,
    /// Invitation codes.
    pub(crate) codes: BTreeMap<String, InvitationCode>,
    /// Open friend requests, oldest first.
    pub(crate) friend_requests: Vec<(usize, usize)>,
    /// When each of them was sent.
    pub(crate) requested_at: BTreeMap<(usize, usize), i64>,
    /// Friend requests that were declined.
    pub(crate) declined: BTreeMap<(usize, usize), DeclinedRequest>,
    /// Pairs of blocker and blocked user.
    pub(crate) blocked: BTreeSet<(usize, usize)>,
    pub(crate) rooms: BTreeMap<usize, Room>,
    /// Rooms with their former names.
    pub(crate) former_names: BTreeSet<(Conversation, usize)>,
    pub(crate) participations: BTreeMap<(usize, Conversation), Participation>,
    /// Invited users and rooms, with the inviters.
    pub(crate) invitations: BTreeMap<(usize, Conversation), Option<usize>>,
    pub(crate) bans: BTreeMap<(usize, Conversation), Ban>,
    /// When members last wrote to rooms in slow mode.
    pub(crate) slow: BTreeMap<(usize, Conversation), i64>,
    /// Users with the rooms that they left.
    pub(crate) left: BTreeSet<(usize, Conversation)>,
    pub(crate) messages: BTreeMap<u64, StoredMessage>,
    /// Former versions of messages that were changed, hidden or removed: their events may still be on the way.
    former: BTreeMap<u64, Vec<StoredMessage>>,
    /// The original texts of messages.
    first: BTreeMap<u64, Rc<str>>,
    /// Texts that messages may have had within a tick only.
    transient_texts: BTreeMap<u64, BTreeSet<String>>,
    user_rows: UserRows,
    /// Rows in the table of messages.
    counted: i64,
    data_version: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredMessage {
    pub(crate) conversation: Conversation,
    pub(crate) sender: usize,
    pub(crate) time: i64,
    pub(crate) content: Rc<str>,
    pub(crate) txn: Option<String>,
    /// Whether it is a tombstone.
    pub(crate) deleted: bool,
    pub(crate) reply: Option<u64>,
    pub(crate) edited: Option<i64>,
    pub(crate) mentions: Vec<Mention>,
    /// Emoji in order of arrival, with the users and the stored count.
    pub(crate) reactions: Vec<(String, BTreeSet<usize>, u64)>,
}

/// A mention in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mention {
    User(usize),
    All,
}

impl StoredMessage {
    /// Whether it is a message between two friends.
    pub(crate) fn is_private(&self, committed: &CommittedState) -> bool {
        let friends = committed.friends.values();
        let mut all = friends.chain(committed.former_friends.values());
        all.any(|conversation| *conversation == self.conversation)
    }
}

/// The user of each row of the table of users, also after the name is gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct UserRows {
    users: BTreeMap<i64, usize>,
}

impl UserRows {
    /// Notes the row of a user. A new user has one of the names of the plan.
    fn note(&mut self, row: i64, name: &str) -> usize {
        let known = || USERS.iter().position(|user| *user == name);
        let user = self.users.entry(row);
        *user.or_insert_with(|| known().expect("only these names are registered"))
    }

    fn of(&self, row: i64) -> usize {
        self.users[&row]
    }

    fn user(&self, row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
        Ok(self.of(row.get(column)?))
    }
}

impl CommittedState {
    /// Reads what another connection has committed since. Reads all messages only if some were removed. Returns the
    /// previous state if anything was committed.
    pub(crate) fn read(&mut self, db: &Connection) -> rusqlite::Result<Option<Self>> {
        let mut pragma = db.prepare_cached("PRAGMA data_version")?;
        let version = pragma.query_row([], |row| row.get(0))?;
        if version == self.data_version {
            return Ok(None);
        }
        self.data_version = version;
        let messages = std::mem::take(&mut self.messages);
        let mut now = tables(db, self.user_rows.clone())?;
        (now.version, now.data_version) = (self.version, version);
        let newest = messages.keys().next_back().copied().unwrap_or(0);
        let changed = rows(db, CHANGED, [newest.cast_signed()], |row| {
            stored(row, &now.user_rows)
        })?;
        let new = changed.iter().filter(|(id, _)| *id > newest).count();
        now.counted = counted(db)?;
        let all = if now.counted == self.counted + i64::try_from(new).expect("few") {
            let mut all = messages.clone();
            all.extend(changed);
            annotate(db, &mut all, &now.user_rows)?;
            all
        } else {
            all_messages(db, &now.user_rows)?
        };
        // The rows of a closed room are hidden at once and removed later.
        let is_open = now.open();
        let (open, closed): (BTreeMap<_, _>, BTreeMap<_, _>) = all
            .into_iter()
            .partition(|(_, message)| is_open.contains(&message.conversation));
        now.messages = open;
        now.first = std::mem::take(&mut self.first);
        now.transient_texts = std::mem::take(&mut self.transient_texts);
        for (id, message) in now.messages.iter().chain(&closed) {
            let first = now.first.entry(*id);
            first.or_insert_with(|| message.content.clone());
        }
        let mut former = std::mem::take(&mut self.former);
        let changed = messages
            .iter()
            .filter(|(id, message)| now.messages.get(id) != Some(message));
        let changed = changed.map(|(id, message)| (*id, message.clone()));
        // Tombstones too: a client that reads late is told of a deletion when the room is closed already.
        for (id, message) in changed.chain(closed) {
            let known = former.entry(id).or_default();
            if !known.contains(&message) {
                known.push(message);
            }
        }
        let mut before = std::mem::replace(self, now);
        before.messages = messages;
        before.first.clone_from(&self.first);
        before.transient_texts.clone_from(&self.transient_texts);
        (before.counted, before.data_version) = (self.counted, self.data_version);
        // A new login address, for example, changes nothing here.
        self.version += u64::from(before != *self);
        self.former = former;
        Ok(Some(before))
    }

    /// Whether the database still has this state. Reads all of it again.
    pub(crate) fn is_current(&self, db: &Connection) -> rusqlite::Result<bool> {
        let mut again = tables(db, self.user_rows.clone())?;
        let all = all_messages(db, &again.user_rows)?.into_iter();
        let is_open = again.open();
        again.messages = all
            .filter(|(_, message)| is_open.contains(&message.conversation))
            .collect();
        (again.version, again.counted, again.data_version) =
            (self.version, self.counted, self.data_version);
        again.former.clone_from(&self.former);
        again.first.clone_from(&self.first);
        again.transient_texts.clone_from(&self.transient_texts);
        Ok(again == *self)
    }

    /// The devices of users with the hashes of their secrets. They only affect replies to logins, so they are not part
    /// of the compared state.
    pub(crate) fn devices(&self, db: &Connection) -> rusqlite::Result<Vec<(usize, Vec<u8>)>> {
        rows(db, "SELECT user, secret FROM devices", [], |row| {
            Ok((self.user_rows.user(row, 0)?, row.get(1)?))
        })
    }

    /// The conversations of friends, former friends and open rooms.
    fn open(&self) -> BTreeSet<Conversation> {
        let rooms = self.rooms.values().map(|room| room.conversation);
        let private = self
            .friends
            .values()
            .chain(self.former_friends.values())
            .copied();
        rooms.chain(private).collect()
    }

    /// The row of a user.
    fn row(&self, user: usize) -> i64 {
        let mut rows = self.user_rows.users.iter();
        let found = rows.find(|(_, known)| **known == user);
        found.map_or(0, |(row, _)| *row)
    }

    /// The conversation that a user names, if the user may read it.
    pub(crate) fn conversation(&self, user: usize, target: Target) -> Option<Conversation> {
        match target {
            Target::User(other) => {
                let both = pair(user, other);
                let found = self.friends.get(&both).or(self.former_friends.get(&both));
                found.copied()
            }
            Target::Room(room) => {
                let conversation = self.rooms.get(&room)?.conversation;
                let participation = self.participations.get(&(user, conversation));
                participation.map(|_| conversation)
            }
        }
    }

    /// The name of a conversation for a user.
    pub(crate) fn target(&self, user: usize, conversation: Conversation) -> Option<Target> {
        if let Some((room, _)) = self.room_of(conversation) {
            return Some(Target::Room(room));
        }
        let mut all = self.friends.iter().chain(&self.former_friends);
        let (pair, _) = all.find(|(_, private)| **private == conversation)?;
        match *pair {
            (a, b) if a == user => Some(Target::User(b)),
            (a, b) if b == user => Some(Target::User(a)),
            _ => None,
        }
    }

    /// Whether a message of a user to a conversation is acknowledged again when it is sent to this target: the
    /// conversation, by a name that it has or had. A user outside of a room does not learn its names: any room will do.
    pub(crate) fn is_acknowledged_as(
        &self,
        user: usize,
        conversation: Conversation,
        of: Target,
    ) -> bool {
        let is_private = |private: &Conversation| *private == conversation;
        let is_room =
            !self.friends.values().any(is_private) && !self.former_friends.values().any(is_private);
        let is_member = self.room_of(conversation).is_some()
            && self.participations.contains_key(&(user, conversation));
        let had = |room| self.former_names.contains(&(conversation, room));
        match of {
            Target::Room(_) if is_room && !is_member => true,
            Target::Room(room) if had(room) => true,
            _ => self.target(user, conversation) == Some(of),
        }
    }

    /// The present and all former versions of a message.
    pub(crate) fn versions(&self, id: u64) -> impl Iterator<Item = &StoredMessage> {
        let now = self.messages.get(&id);
        now.into_iter()
            .chain(self.former.get(&id).into_iter().flatten())
    }

    /// The message that a user sent with a transaction id: a stored one, or one that was removed within 30 days.
    pub(crate) fn message_with_txn(
        &self,
        user: usize,
        txn: &str,
        now: i64,
    ) -> Option<(u64, &StoredMessage)> {
        let is_it =
            |message: &StoredMessage| message.sender == user && message.txn.as_deref() == Some(txn);
        let mut there = self.messages.iter();
        let there = there.find(|(_, message)| is_it(message));
        let is_known = |message: &&StoredMessage| is_it(message) && message.time >= now - TXN_KNOWN;
        let gone = || {
            let mut gone = self.former.iter();
            gone.find_map(|(id, all)| Some((id, all.iter().find(is_known)?)))
        };
        there.or_else(gone).map(|(id, message)| (*id, message))
    }

    /// The first text of a message.
    pub(crate) fn original_text(&self, id: u64) -> &str {
        self.first.get(&id).map_or("", |first| first)
    }

    /// Notes a text that a message may have within a tick.
    pub(crate) fn note_transient_text(&mut self, id: u64, content: String) {
        self.transient_texts.entry(id).or_default().insert(content);
    }

    /// Whether a message may have had this text within a tick.
    pub(crate) fn may_have_had_text(&self, id: u64, content: &str) -> bool {
        let transient_texts = self.transient_texts.get(&id);
        transient_texts.is_some_and(|transient_texts| transient_texts.contains(content))
    }

    /// A message, if a user sees it now.
    pub(crate) fn seen(&self, user: usize, id: u64, now: i64) -> Option<&StoredMessage> {
        let message = self.messages.get(&id)?;
        let participation = self.participations.get(&(user, message.conversation))?;
        (id > participation.after && !self.is_too_old(message, now)).then_some(message)
    }

    /// The mentions of a text. A mention stands at its beginning.
    pub(crate) fn names(
        &self,
        sender: usize,
        conversation: Conversation,
        text: &str,
    ) -> Vec<Mention> {
        let name = text
            .strip_prefix('@')
            .and_then(|rest| rest.split(' ').next());
        let Some(name) = name else {
            return Vec::new();
        };
        let is_room = self.room_of(conversation).is_some();
        if name == "all" {
            let is_operator = self.role_in(sender, conversation) >= Some(Role::Operator);
            return if is_room && is_operator {
                vec![Mention::All]
            } else {
                Vec::new()
            };
        }
        let user = self.users.iter().find(|user| self.name(**user) == name);
        let named = user.filter(|user| {
            let takes_part = self.participations.contains_key(&(**user, conversation));
            takes_part && (is_room || **user != sender)
        });
        named.map(|user| Mention::User(*user)).into_iter().collect()
    }

    /// Whether a message counts as a mention of a user.
    pub(crate) fn is_mention(&self, user: usize, message: &StoredMessage) -> bool {
        let mut named = message.mentions.iter();
        named.any(|named| *named == Mention::All || *named == Mention::User(user))
            && !self.is_hidden(message)
            && (self.room_of(message.conversation).is_none() || !self.blocks(user, message.sender))
    }

    /// Hidden or removed messages with a higher id.
    pub(crate) fn former_after(&self, id: u64) -> impl Iterator<Item = u64> {
        self.former.range(id + 1..).map(|(id, _)| *id)
    }

    /// Whether a user receives new messages of a conversation.
    pub(crate) fn takes_part(&self, user: usize, conversation: Conversation) -> bool {
        let has_participation = self.participations.contains_key(&(user, conversation));
        let ended = self
            .former_friends
            .values()
            .any(|former_friends| *former_friends == conversation);
        has_participation && !ended
    }

    /// Whether readers see no content: the message was deleted, or its sender's account erased.
    pub(crate) fn is_hidden(&self, message: &StoredMessage) -> bool {
        let sender = self.accounts.get(&message.sender);
        message.deleted || sender.is_some_and(|sender| sender.erased)
    }

    /// Whether a message is too old to be shown. A day has 86,400 seconds.
    pub(crate) fn is_too_old(&self, message: &StoredMessage, now: i64) -> bool {
        let room = self.room_of(message.conversation);
        let days = room.and_then(|(_, room)| room.keep_days);
        days.is_some_and(|days| message.time < now - days.cast_signed() * 86_400)
    }

    /// Whether the same messages are too old at both times.
    pub(crate) fn expires_alike(&self, one: i64, other: i64) -> bool {
        let mut messages = self.messages.values();
        messages.all(|message| self.is_too_old(message, one) == self.is_too_old(message, other))
    }

    /// The messages that a user sees, oldest first.
    pub(crate) fn visible(
        &self,
        user: usize,
        now: i64,
    ) -> impl DoubleEndedIterator<Item = (u64, &StoredMessage)> {
        self.messages
            .iter()
            .map(|(id, message)| (*id, message))
            .filter(move |(id, message)| {
                let participation = self.participations.get(&(user, message.conversation));
                participation.is_some_and(|participation| *id > participation.after)
                    && !self.is_too_old(message, now)
            })
    }

    /// Messages of others after a user's read marker that are not hidden, and how many of them are mentions. Both stop
    /// at [`UNREAD_MAX`], whatever else came after them.
    pub(crate) fn unread(&self, user: usize, conversation: Conversation, now: i64) -> (u64, u64) {
        let read = self
            .participations
            .get(&(user, conversation))
            .map_or(u64::MAX, |participation| participation.read);
        let unread = self
            .messages
            .range(read.saturating_add(1)..)
            .filter(|(_, message)| message.conversation == conversation && message.sender != user)
            .filter(|(_, message)| !self.is_hidden(message) && !self.is_too_old(message, now));
        let mentions = unread
            .clone()
            .filter(|(_, message)| self.is_mention(user, message));
        let bounded = |count: usize| UNREAD_MAX.min(count as u64);
        (bounded(unread.count()), bounded(mentions.count()))
    }
}

/// The largest unread count in a case.
pub(crate) const UNREAD_MAX: u64 = 3;

/// How long a transaction id is known at least, in seconds.
const TXN_KNOWN: i64 = 30 * 86_400;

const MESSAGES: &str =
    "SELECT id, conversation, sender, send_time, content, txn_id, deleted_at IS NOT NULL, reply_to, edited_at
     FROM messages WHERE id > ?1";

/// New messages, and those that were ever changed.
const CHANGED: &str =
    "SELECT id, conversation, sender, send_time, content, txn_id, deleted_at IS NOT NULL, reply_to, edited_at
     FROM messages WHERE id > ?1 OR edited_at IS NOT NULL OR deleted_at IS NOT NULL OR annotated";

fn stored(row: &Row<'_>, user_rows: &UserRows) -> rusqlite::Result<(u64, StoredMessage)> {
    let message = StoredMessage {
        conversation: row.get(1)?,
        sender: user_rows.user(row, 2)?,
        time: row.get(3)?,
        content: row.get(4)?,
        txn: row.get(5)?,
        deleted: row.get(6)?,
        reply: row.get::<_, Option<i64>>(7)?.map(i64::cast_unsigned),
        edited: row.get(8)?,
        mentions: Vec::new(),
        reactions: Vec::new(),
    };
    Ok((id(row, 0)?, message))
}

fn all_messages(
    db: &Connection,
    user_rows: &UserRows,
) -> rusqlite::Result<BTreeMap<u64, StoredMessage>> {
    let all = rows(db, MESSAGES, [0], |row| stored(row, user_rows))?;
    let mut all = all.into_iter().collect();
    annotate(db, &mut all, user_rows)?;
    Ok(all)
}

/// Reads all mentions and reactions.
fn annotate(
    db: &Connection,
    all: &mut BTreeMap<u64, StoredMessage>,
    user_rows: &UserRows,
) -> rusqlite::Result<()> {
    for message in all.values_mut() {
        (message.mentions, message.reactions) = (Vec::new(), Vec::new());
    }
    let sql = "SELECT message, user FROM mentions ORDER BY message, place";
    let mentions = rows(db, sql, [], |row| Ok((id(row, 0)?, row.get(1)?)))?;
    for (id, user) in mentions {
        let named = if user == 0 {
            Mention::All
        } else {
            Mention::User(user_rows.of(user))
        };
        if let Some(message) = all.get_mut(&id) {
            message.mentions.push(named);
        }
    }
    let sql = "SELECT message, emoji, users FROM reactions ORDER BY message, place";
    let reactions = rows(db, sql, [], |row| {
        Ok((id(row, 0)?, row.get(1)?, id(row, 2)?))
    })?;
    for (id, emoji, users) in reactions {
        if let Some(message) = all.get_mut(&id) {
            message.reactions.push((emoji, BTreeSet::new(), users));
        }
    }
    // A deleted message loses its reactions at once, but the list of users in portions.
    let sql = "SELECT message, emoji, user FROM reactors JOIN reactions USING (message, emoji)";
    let reactors = rows(db, sql, [], |row| {
        Ok((
            id(row, 0)?,
            row.get::<_, String>(1)?,
            user_rows.user(row, 2)?,
        ))
    })?;
    for (id, emoji, user) in reactors {
        let Some(message) = all.get_mut(&id) else {
            continue;
        };
        let mut reactions = message.reactions.iter_mut();
        match reactions.find(|(of, ..)| *of == emoji) {
            Some((_, users, _)) => drop(users.insert(user)),
            None => message.reactions.push((emoji, [user].into(), 0)),
        }
    }
    Ok(())
}

fn counted(db: &Connection) -> rusqlite::Result<i64> {
    let mut count = db.prepare_cached("SELECT count(*) FROM messages")?;
    count.query_row([], |row| row.get(0))
}

/// Everything but the messages.
fn tables(db: &Connection, mut user_rows: UserRows) -> rusqlite::Result<CommittedState> {
    let mut committed = CommittedState::default();
    people::read(db, &mut committed, &mut user_rows)?;
    rooms::read(db, &mut committed, &user_rows)?;
    committed.user_rows = user_rows;
    Ok(committed)
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    from: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, from)?.collect()
}

/// A column that is never negative.
fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}
