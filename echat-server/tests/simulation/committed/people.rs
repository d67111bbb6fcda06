//! Accounts, friendships, friend requests, blocks and bots in the database.

use super::{CommittedState, Conversation, UserRows, id, rows};
use crate::plan::{PASSWORDS, USERS};
use crate::sim::workers;
use echat_proto::names::Password;
use rusqlite::{Connection, Row};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// How long a declined request stays silent, and how long an open one cannot be replaced, in seconds.
const SILENT_SECONDS: i64 = 7 * 86_400;
const DAY: i64 = 86_400;

/// The hashes of [`PASSWORDS`].
static HASHES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let hash = |text: &&str| {
        let hash = workers::hashed(Password::presented(text).expect("short"));
        hash.as_str().to_owned()
    };
    PASSWORDS.iter().map(hash).collect()
});

/// An account, possibly deleted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Account {
    /// `USERS[user]`, or `deleted account N`.
    pub(crate) name: String,
    /// The index of its password in [`PASSWORDS`].
    pub(crate) password: Option<usize>,
    pub(crate) away: Option<String>,
    pub(crate) hides_last_seen: bool,
    pub(crate) last_seen: Option<i64>,
    pub(crate) suspended: Option<Suspension>,
    pub(crate) deleted: bool,
    /// Whether the user's messages are hidden.
    pub(crate) erased: bool,
    pub(crate) bot: Option<Bot>,
}

/// A suspended account cannot log in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Suspension {
    pub(crate) until: Option<i64>,
}

impl Suspension {
    pub(crate) fn holds(self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The properties of a bot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bot {
    pub(crate) owner: usize,
    /// The hash of its token.
    pub(crate) token: Vec<u8>,
    pub(crate) created: i64,
    pub(crate) expires: Option<i64>,
}

/// An invitation code.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InvitationCode {
    pub(crate) maker: usize,
    /// Accounts that it is still valid for.
    pub(crate) uses: u64,
    pub(crate) created: i64,
    pub(crate) expires: Option<i64>,
}

impl InvitationCode {
    pub(crate) fn is_good(&self, now: i64) -> bool {
        self.expires.is_none_or(|at| at > now)
    }
}

/// A declined friend request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DeclinedRequest {
    pub(crate) at: i64,
    /// Whether it was repeated since.
    pub(crate) again: bool,
}

impl DeclinedRequest {
    /// Whether a repetition causes no event.
    pub(crate) fn is_silent(self, now: i64) -> bool {
        now < self.at.saturating_add(SILENT_SECONDS)
    }
}

/// Two users, lower index first.
pub(crate) fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl CommittedState {
    /// Whether a user has an account that is not deleted. It may be a bot.
    pub(crate) fn is_active(&self, user: usize) -> bool {
        self.users.contains(&user)
    }

    pub(crate) fn is_bot(&self, user: usize) -> bool {
        self.bot(user).is_some()
    }

    /// The bot of an account that is not deleted.
    pub(crate) fn bot(&self, user: usize) -> Option<&Bot> {
        let account = self.accounts.get(&user).filter(|account| !account.deleted);
        account.and_then(|account| account.bot.as_ref())
    }

    /// The bots of a user.
    pub(crate) fn bots_of(&self, owner: usize) -> impl Iterator<Item = (usize, &Bot)> {
        let users = self.users.iter();
        let bots = users.filter_map(|user| Some((*user, self.bot(*user)?)));
        bots.filter(move |(_, bot)| bot.owner == owner)
    }

    pub(crate) fn password(&self, user: usize) -> Option<usize> {
        let account = self.accounts.get(&user).filter(|account| !account.deleted);
        account.and_then(|account| account.password)
    }

    /// Whether a user is suspended at a time.
    pub(crate) fn is_suspended(&self, user: usize, now: i64) -> bool {
        let account = self.accounts.get(&user);
        let suspension = account.and_then(|account| account.suspended);
        suspension.is_some_and(|suspension| suspension.holds(now))
    }

    /// A user's codes that have not expired, newest first.
    pub(crate) fn codes_of(&self, maker: usize, now: i64) -> Vec<(&str, &InvitationCode)> {
        let codes = self.codes.iter().map(|(text, code)| (text.as_str(), code));
        let open = codes.filter(|(_, code)| code.maker == maker && code.is_good(now));
        let mut open: Vec<_> = open.collect();
        open.sort_by_key(|(text, code)| (std::cmp::Reverse(code.created), *text));
        open
    }

    /// The name of a user.
    pub(crate) fn name(&self, user: usize) -> &str {
        let account = self.accounts.get(&user);
        account.map_or(USERS[user], |account| &account.name)
    }

    /// The user with a name, which may be that of a deleted account.
    pub(crate) fn user_named(&self, name: &str) -> usize {
        let mut accounts = self.accounts.iter();
        let found = accounts.find(|(_, account)| account.name == name);
        let found = found.map(|(user, _)| *user);
        let found = found.or_else(|| USERS.iter().position(|user| *user == name));
        found.unwrap_or_else(|| panic!("no user is called {name:?}"))
    }

    pub(crate) fn are_friends(&self, a: usize, b: usize) -> bool {
        self.friends.contains_key(&pair(a, b))
    }

    pub(crate) fn friends_of(&self, user: usize) -> BTreeSet<usize> {
        let friend = |(a, b): &(usize, usize)| match user {
            _ if *a == user => Some(*b),
            _ if *b == user => Some(*a),
            _ => None,
        };
        self.friends.keys().filter_map(friend).collect()
    }

    /// Whether `user` blocks `other`.
    pub(crate) fn blocks(&self, user: usize, other: usize) -> bool {
        self.blocked.contains(&(user, other))
    }

    pub(crate) fn blocked_by(&self, user: usize) -> BTreeSet<usize> {
        let mine = self.blocked.iter().filter(|(blocker, _)| *blocker == user);
        mine.map(|(_, blocked)| *blocked).collect()
    }

    /// The friend requests that a user sees, oldest first. Those of blocked users are hidden.
    pub(crate) fn incoming_requests(&self, user: usize) -> impl Iterator<Item = usize> {
        let mine = self
            .friend_requests
            .iter()
            .filter(move |(_, receiver)| *receiver == user);
        let shown = mine.filter(move |(sender, _)| !self.blocks(user, *sender));
        shown.map(|(sender, _)| *sender)
    }

    /// Whether a request in the other direction makes the two users friends.
    pub(crate) fn counts_as_request(&self, sender: usize, receiver: usize) -> bool {
        let pair = (sender, receiver);
        let hidden = self.blocks(receiver, sender) || self.blocks(sender, receiver);
        let again = |found: &DeclinedRequest| found.again;
        !hidden
            && (self.friend_requests.contains(&pair) || self.declined.get(&pair).is_some_and(again))
    }

    /// A declined request, while a repetition causes no event.
    pub(crate) fn silenced(
        &self,
        sender: usize,
        receiver: usize,
        now: i64,
    ) -> Option<DeclinedRequest> {
        let found = self.declined.get(&(sender, receiver)).copied();
        found.filter(|found| found.is_silent(now))
    }

    /// Whether an open request is old enough to be replaced by a new one.
    pub(crate) fn is_replaceable(&self, pair: (usize, usize), now: i64) -> bool {
        let at = self.requested_at.get(&pair);
        at.is_some_and(|at| *at < now.saturating_sub(DAY))
    }
}

/// Reads the accounts first, since all other rows refer to them.
pub(super) fn read(
    db: &Connection,
    committed: &mut CommittedState,
    user_rows: &mut UserRows,
) -> rusqlite::Result<()> {
    let accounts = rows(
        db,
        "SELECT u.id, u.name, u.password, u.away, u.hides_last_seen, u.last_seen, u.suspended_at,
                u.suspended_until, u.deleted_at, u.erased, b.owner, b.token, b.created_at, b.expires_at
         FROM users AS u LEFT JOIN bots AS b ON b.user = u.id ORDER BY u.id",
        [],
        |row| account(row, user_rows),
    )?;
    committed.accounts = accounts.into_iter().collect();
    let living = committed
        .accounts
        .iter()
        .filter(|(_, account)| !account.deleted);
    committed.users = living.map(|(user, _)| *user).collect();
    let friendships = rows(
        db,
        "SELECT low_user, high_user, conversation, ended_at FROM friendships",
        [],
        |row| {
            let both = pair(user_rows.user(row, 0)?, user_rows.user(row, 1)?);
            let (conversation, ended): (Conversation, Option<i64>) = (row.get(2)?, row.get(3)?);
            Ok((both, conversation, ended.is_some()))
        },
    )?;
    for (both, conversation, ended) in friendships {
        let kept = if ended {
            &mut committed.former_friends
        } else {
            &mut committed.friends
        };
        kept.insert(both, conversation);
    }
    let blocked = rows(db, "SELECT user, blocked FROM blocks", [], |row| {
        Ok((user_rows.user(row, 0)?, user_rows.user(row, 1)?))
    })?;
    committed.blocked = blocked.into_iter().collect();
    let sql = "SELECT code, maker, uses, created_at, expires_at FROM invitation_codes";
    let codes = rows(db, sql, [], |row| {
        let code = InvitationCode {
            maker: user_rows.user(row, 1)?,
            uses: id(row, 2)?,
            created: row.get(3)?,
            expires: row.get(4)?,
        };
        Ok((row.get(0)?, code))
    })?;
    committed.codes = codes.into_iter().collect();
    requests(db, committed, user_rows)
}

fn account(row: &Row<'_>, user_rows: &mut UserRows) -> rusqlite::Result<(usize, Account)> {
    let (row_id, name, hash): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let user = user_rows.note(row_id, &name);
    let suspended_at: Option<i64> = row.get(6)?;
    let until = row.get(7)?;
    let bot = match row.get::<_, Option<i64>>(10)? {
        None => None,
        Some(owner) => Some(Bot {
            owner: user_rows.of(owner),
            token: row.get(11)?,
            created: row.get(12)?,
            expires: row.get(13)?,
        }),
    };
    let account = Account {
        name,
        password: HASHES.iter().position(|known| *known == hash),
        away: row.get(3)?,
        hides_last_seen: row.get(4)?,
        last_seen: row.get(5)?,
        suspended: suspended_at.map(|_| Suspension { until }),
        deleted: row.get::<_, Option<i64>>(8)?.is_some(),
        erased: row.get(9)?,
        bot,
    };
    Ok((user, account))
}

/// Friend requests, including hidden ones.
fn requests(
    db: &Connection,
    committed: &mut CommittedState,
    user_rows: &UserRows,
) -> rusqlite::Result<()> {
    let requests = rows(
        db,
        "SELECT sender, receiver, created_at, declined_at, asked_again FROM friend_requests ORDER BY id",
        [],
        |row| {
            let declined: Option<i64> = row.get(3)?;
            let again = row.get(4)?;
            let both = (user_rows.user(row, 0)?, user_rows.user(row, 1)?);
            Ok((
                both,
                row.get(2)?,
                declined.map(|at| DeclinedRequest { at, again }),
            ))
        },
    )?;
    for (both, at, declined) in requests {
        if let Some(declined) = declined {
            committed.declined.insert(both, declined);
        } else {
            committed.requested_at.insert(both, at);
            committed.friend_requests.push(both);
        }
    }
    Ok(())
}
