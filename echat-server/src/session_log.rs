//! The log's lines about accounts, logins and logouts. Each login has exactly one logout, with its reason.
//!
//! An account gets at most [`LINES`] lines in [`WINDOW`]. What is left out is counted, and one line gives
//! both counts when the window is over, so that logins and logouts still balance.

use crate::conn::{ConnId, Departure};
use crate::storage::UserId;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

/// Lines of one account in a window.
const LINES: u32 = 10;
/// How long a window lasts. It begins with an account's first line.
const WINDOW: Duration = Duration::from_mins(1);

/// Writes the lines, and counts what it leaves out. Memory: one entry for each account that logged in
/// or out in the last minute.
#[derive(Debug, Default)]
pub(crate) struct SessionLog {
    accounts: HashMap<UserId, Recent>,
    /// When the window of each account is over.
    due: BTreeSet<(Duration, UserId)>,
    /// Accounts with lines that were left out.
    omitted: BTreeSet<(Duration, UserId)>,
    /// Accounts that were made since the last commit, and from where.
    made: Vec<(String, IpAddr)>,
    /// The last administrator, if the account was deleted since the last commit.
    last_administrator: Option<Rc<str>>,
}

/// One account's window.
#[derive(Debug)]
struct Recent {
    name: Rc<str>,
    ends: Duration,
    lines: u32,
    logins: u64,
    logouts: u64,
}

impl SessionLog {
    /// An account was made, if the database keeps it.
    pub(crate) fn registered(&mut self, name: &str, address: IpAddr) {
        self.made.push((name.to_owned(), address));
    }

    /// The last administrator deleted the account, if the database keeps that.
    pub(crate) fn last_administrator_deleted(&mut self, name: Rc<str>) {
        self.last_administrator = Some(name);
    }

    /// Writes which accounts were made and deleted: the database has it.
    pub(crate) fn commit(&mut self) {
        for (user, address) in self.made.drain(..) {
            tracing::info!(%user, %address, "registered");
        }
        if let Some(user) = self.last_administrator.take() {
            tracing::warn!(
                %user,
                "the last administrator deleted the account; `echat-server ctl make-admin NAME` makes another",
            );
        }
    }

    /// Forgets which accounts were made and deleted: the database did not take it.
    pub(crate) fn roll_back(&mut self) {
        self.made.clear();
        self.last_administrator = None;
    }

    /// A user logged in at a connection.
    pub(crate) fn logged_in(
        &mut self,
        (user, name): (UserId, &str),
        address: IpAddr,
        conn: ConnId,
        now: Duration,
    ) {
        if let Some(recent) = self.left_out(user, name, now) {
            recent.logins += 1;
        } else {
            tracing::info!(user = %name, %address, %conn, "logged in");
        }
    }

    /// The session of a user at a connection ended.
    pub(crate) fn logged_out(
        &mut self,
        (user, name): (UserId, &str),
        conn: ConnId,
        reason: Departure,
        now: Duration,
    ) {
        if let Some(recent) = self.left_out(user, name, now) {
            recent.logouts += 1;
        } else {
            tracing::info!(user = %name, %conn, %reason, "logged out");
        }
    }

    /// Where to count a line that is left out; `None`, and counted, if it may be written.
    fn left_out(&mut self, user: UserId, name: &str, now: Duration) -> Option<&mut Recent> {
        self.expire(now);
        let Self {
            accounts,
            due,
            omitted,
            ..
        } = self;
        let recent = accounts.entry(user).or_insert_with(|| {
            due.insert((now + WINDOW, user));
            Recent {
                name: name.into(),
                ends: now + WINDOW,
                lines: 0,
                logins: 0,
                logouts: 0,
            }
        });
        if recent.lines < LINES {
            recent.lines += 1;
            return None;
        }
        omitted.insert((recent.ends, user));
        Some(recent)
    }

    /// Ends the windows that are over.
    pub(crate) fn expire(&mut self, now: Duration) {
        while self.due.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, user)) = self.due.pop_first()
        {
            self.close(user);
        }
        if self.accounts.is_empty() && self.accounts.capacity() > 0 {
            self.accounts = HashMap::new();
        }
    }

    /// Ends all windows: the server stops.
    pub(crate) fn finish(&mut self) {
        while let Some((_, user)) = self.due.pop_first() {
            self.close(user);
        }
    }

    fn close(&mut self, user: UserId) {
        let Some(recent) = self.accounts.remove(&user) else {
            return;
        };
        self.omitted.remove(&(recent.ends, user));
        let Recent {
            name,
            logins,
            logouts,
            ..
        } = recent;
        if logins + logouts > 0 {
            tracing::info!(user = %name, logins, logouts, "left out of the log");
        }
    }

    /// When the first window is over of which something was left out.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.omitted.first().map(|(at, _)| *at)
    }
}
