//! Accounts, friendships, requests, blocks and bots, as the database has them.

use super::{Conversation, Reader, Truth, id, rows};
use crate::plan::{PASSWORDS, USERS};
use crate::sim::workers;
use echat_proto::names::Password;
use rusqlite::{Connection, Row};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// How long a declined request is made again in silence, and how long one that waits gives way to none, in
/// seconds.
const SILENCE: i64 = 7 * 86_400;
const DAY: i64 = 86_400;

/// The hashes of the passwords that users have.
static HASHES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let hash = |text: &&str| {
        let hash = workers::hashed(Password::presented(text).expect("short"));
        hash.as_str().to_owned()
    };
    PASSWORDS.iter().map(hash).collect()
});

/// An account, deleted ones included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Account {
    /// `USERS[user]`, or `deleted account N`.
    pub(crate) name: String,
    /// Which of [`PASSWORDS`] opens it.
    pub(crate) password: Option<usize>,
    pub(crate) away: Option<String>,
    pub(crate) hides_last_seen: bool,
    pub(crate) last_seen: Option<i64>,
    pub(crate) suspended: Option<Suspension>,
    pub(crate) deleted: bool,
    /// Whether nothing that the user wrote is shown.
    pub(crate) erased: bool,
    pub(crate) bot: Option<Bot>,
}

/// Since when an account opens no session, and until when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Suspension {
    pub(crate) until: Option<i64>,
}

impl Suspension {
    pub(crate) fn holds(self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What makes an account a bot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bot {
    pub(crate) owner: usize,
    /// What is stored of its token.
    pub(crate) token: Vec<u8>,
    pub(crate) created: i64,
    pub(crate) expires: Option<i64>,
}

/// A code to register with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Code {
    pub(crate) maker: usize,
    /// That are left.
    pub(crate) uses: u64,
    pub(crate) created: i64,
    pub(crate) expires: Option<i64>,
}

impl Code {
    pub(crate) fn is_good(&self, now: i64) -> bool {
        self.expires.is_none_or(|at| at > now)
    }
}

/// A declined request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Declined {
    pub(crate) at: i64,
    /// Whether it was made again since.
    pub(crate) again: bool,
}

impl Declined {
    /// Whether asking again tells the receiver nothing.
    pub(crate) fn is_silent(self, now: i64) -> bool {
        now < self.at.saturating_add(SILENCE)
    }
}

/// Two users, the lesser number first.
pub(crate) fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl Truth {
    /// Whether a user has an account that others can name. A bot is one too.
    pub(crate) fn is_there(&self, user: usize) -> bool {
        self.users.contains(&user)
    }

    pub(crate) fn is_bot(&self, user: usize) -> bool {
        self.bot(user).is_some()
    }

    /// What makes a living account a bot.
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

    /// A user's codes that have not expired, the newest first.
    pub(crate) fn codes_of(&self, maker: usize, now: i64) -> Vec<(&str, &Code)> {
        let codes = self.codes.iter().map(|(text, code)| (text.as_str(), code));
        let open = codes.filter(|(_, code)| code.maker == maker && code.is_good(now));
        let mut open: Vec<_> = open.collect();
        open.sort_by_key(|(text, code)| (std::cmp::Reverse(code.created), *text));
        open
    }

    /// What others call a user.
    pub(crate) fn name(&self, user: usize) -> &str {
        let account = self.accounts.get(&user);
        account.map_or(USERS[user], |account| &account.name)
    }

    /// The user of a name, deleted accounts included.
    pub(crate) fn named(&self, name: &str) -> usize {
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

    /// Whether a user has blocked another.
    pub(crate) fn blocks(&self, user: usize, other: usize) -> bool {
        self.blocked.contains(&(user, other))
    }

    pub(crate) fn blocked_by(&self, user: usize) -> BTreeSet<usize> {
        let mine = self.blocked.iter().filter(|(blocker, _)| *blocker == user);
        mine.map(|(_, blocked)| *blocked).collect()
    }

    /// The requests for friendship that a user sees, oldest first: those of blocked users are hidden.
    pub(crate) fn pending(&self, user: usize) -> impl Iterator<Item = usize> {
        let mine = self
            .asked
            .iter()
            .filter(move |(_, receiver)| *receiver == user);
        let shown = mine.filter(move |(sender, _)| !self.blocks(user, *sender));
        shown.map(|(sender, _)| *sender)
    }

    /// Whether asking back makes two friends.
    pub(crate) fn counts_as_asked(&self, sender: usize, receiver: usize) -> bool {
        let pair = (sender, receiver);
        let hidden = self.blocks(receiver, sender) || self.blocks(sender, receiver);
        let again = |found: &Declined| found.again;
        !hidden && (self.asked.contains(&pair) || self.declined.get(&pair).is_some_and(again))
    }

    /// A declined request that is made again in silence.
    pub(crate) fn silenced(&self, sender: usize, receiver: usize, now: i64) -> Option<Declined> {
        let found = self.declined.get(&(sender, receiver)).copied();
        found.filter(|found| found.is_silent(now))
    }

    /// Whether a request that waits would give way to a new one.
    pub(crate) fn is_old(&self, pair: (usize, usize), now: i64) -> bool {
        let at = self.asked_at.get(&pair);
        at.is_some_and(|at| *at < now.saturating_sub(DAY))
    }
}

/// Accounts first: everything else names them.
pub(super) fn read(
    db: &Connection,
    truth: &mut Truth,
    reader: &mut Reader,
) -> rusqlite::Result<()> {
    let accounts = rows(
        db,
        "SELECT u.id, u.name, u.password, u.away, u.hides_last_seen, u.last_seen, u.suspended_at,
                u.suspended_until, u.deleted_at, u.erased, b.owner, b.token, b.created_at, b.expires_at
         FROM users AS u LEFT JOIN bots AS b ON b.user = u.id ORDER BY u.id",
        [],
        |row| account(row, reader),
    )?;
    truth.accounts = accounts.into_iter().collect();
    let living = truth
        .accounts
        .iter()
        .filter(|(_, account)| !account.deleted);
    truth.users = living.map(|(user, _)| *user).collect();
    let friendships = rows(
        db,
        "SELECT low_user, high_user, conversation, ended_at FROM friendships",
        [],
        |row| {
            let both = pair(reader.user(row, 0)?, reader.user(row, 1)?);
            let (conversation, ended): (Conversation, Option<i64>) = (row.get(2)?, row.get(3)?);
            Ok((both, conversation, ended.is_some()))
        },
    )?;
    for (both, conversation, ended) in friendships {
        let kept = if ended {
            &mut truth.parted
        } else {
            &mut truth.friends
        };
        kept.insert(both, conversation);
    }
    let blocked = rows(db, "SELECT user, blocked FROM blocks", [], |row| {
        Ok((reader.user(row, 0)?, reader.user(row, 1)?))
    })?;
    truth.blocked = blocked.into_iter().collect();
    let sql = "SELECT code, maker, uses, created_at, expires_at FROM invitation_codes";
    let codes = rows(db, sql, [], |row| {
        let code = Code {
            maker: reader.user(row, 1)?,
            uses: id(row, 2)?,
            created: row.get(3)?,
            expires: row.get(4)?,
        };
        Ok((row.get(0)?, code))
    })?;
    truth.codes = codes.into_iter().collect();
    requests(db, truth, reader)
}

fn account(row: &Row<'_>, reader: &mut Reader) -> rusqlite::Result<(usize, Account)> {
    let (row_id, name, hash): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let user = reader.note(row_id, &name);
    let suspended_at: Option<i64> = row.get(6)?;
    let until = row.get(7)?;
    let bot = match row.get::<_, Option<i64>>(10)? {
        None => None,
        Some(owner) => Some(Bot {
            owner: reader.of(owner),
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

/// The requests for friendship, hidden ones included.
fn requests(db: &Connection, truth: &mut Truth, reader: &Reader) -> rusqlite::Result<()> {
    let requests = rows(
        db,
        "SELECT sender, receiver, created_at, declined_at, asked_again FROM friend_requests ORDER BY id",
        [],
        |row| {
            let declined: Option<i64> = row.get(3)?;
            let again = row.get(4)?;
            let both = (reader.user(row, 0)?, reader.user(row, 1)?);
            Ok((both, row.get(2)?, declined.map(|at| Declined { at, again })))
        },
    )?;
    for (both, at, declined) in requests {
        if let Some(declined) = declined {
            truth.declined.insert(both, declined);
        } else {
            truth.asked_at.insert(both, at);
            truth.asked.push(both);
        }
    }
    Ok(())
}
