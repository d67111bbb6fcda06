//! The journal: every write of committed ticks, in order, as the request that caused it. A test that
//! repeats a journal on another database gets the same rows. It is off unless a test asks for it.

use super::administration::Operation;
use super::admission::Received;
use super::invitation_codes::NewAccount;
use super::{Caller, DeferredWrite};
use crate::secrets::{PasswordHash, SecretSeed};
use crate::storage::{AuditEntry, UserId};
use echat_proto::channel::Message;
use echat_proto::names::RoomName;

/// One write, with everything that decides its rows besides the database.
#[derive(Clone, Debug)]
pub struct Entry(pub(crate) EntryKind);

#[derive(Clone, Debug)]
pub(crate) enum EntryKind {
    /// An admitted request.
    Request {
        request: Message,
        caller: Caller,
        /// What its secret is made of, if it issues one.
        seed: Option<SecretSeed>,
        /// Unix seconds.
        now: i64,
    },
    /// The second step of REGISTER.
    Account(NewAccount),
    /// The second step of CHANGE_PASSWORD.
    Password { user: UserId, hash: PasswordHash },
    /// The second step of DELETE_ACCOUNT.
    Deletion {
        user: UserId,
        erase: bool,
        /// Unix seconds.
        now: i64,
    },
    /// The creation of the lobby at a start.
    Lobby {
        name: RoomName,
        /// Unix seconds.
        now: i64,
    },
    /// An operation of the administration.
    Administration(Operation),
    /// An audit entry alone: the operation was refused, or wrote no other row.
    Audit(AuditEntry),
    /// A write that no answer depends on.
    Deferred(DeferredWrite),
}

impl Entry {
    /// An admitted request of an authenticated user.
    pub(super) fn request(received: &Received<'_>, now: i64) -> Self {
        let caller = received.caller.clone();
        Self(EntryKind::Request {
            request: Message {
                command: received.kind.info().number,
                params: received.params.clone(),
            },
            seed: received.seed.clone(),
            caller: caller.expect("only an authenticated request writes at once"),
            now,
        })
    }

    /// The second step of REGISTER.
    pub(super) fn account(account: &NewAccount) -> Self {
        Self(EntryKind::Account(account.clone()))
    }
}

impl Entry {
    /// The second step of CHANGE_PASSWORD.
    pub(super) fn password(user: UserId, hash: &PasswordHash) -> Self {
        let hash = hash.clone();
        Self(EntryKind::Password { user, hash })
    }

    /// The creation of the lobby at a start.
    pub(crate) fn lobby(name: &RoomName, now: i64) -> Self {
        let name = name.clone();
        Self(EntryKind::Lobby { name, now })
    }

    /// An operation of the administration.
    pub(super) fn administration(operation: &Operation) -> Self {
        Self(EntryKind::Administration(operation.clone()))
    }

    /// An audit entry.
    pub(super) fn audit(line: AuditEntry) -> Self {
        Self(EntryKind::Audit(line))
    }

    /// The second step of DELETE_ACCOUNT.
    pub(super) fn deletion(user: UserId, erase: bool, now: i64) -> Self {
        Self(EntryKind::Deletion { user, erase, now })
    }
}

/// What was written since the journal was read last.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    is_kept: bool,
    committed: Vec<Entry>,
    /// Of the tick that goes on.
    pending: Vec<Entry>,
}

impl Journal {
    /// Keeps a journal from now on.
    pub(crate) fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Notes a write of this tick.
    pub(crate) fn record(&mut self, entry: impl FnOnce() -> Entry) {
        if self.is_kept {
            self.pending.push(entry());
        }
    }

    /// Keeps what this tick wrote: it is committed.
    pub(crate) fn commit(&mut self) {
        self.committed.append(&mut self.pending);
    }

    /// Notes writes that no answer depends on, when they are committed.
    pub(crate) fn deferred(&mut self, written: Vec<DeferredWrite>) {
        if self.is_kept {
            let entries = written
                .into_iter()
                .map(|write| Entry(EntryKind::Deferred(write)));
            self.committed.extend(entries);
        }
    }

    /// Drops what this tick wrote: it is rolled back.
    pub(crate) fn roll_back(&mut self) {
        self.pending.clear();
    }

    /// Takes the committed writes out, in order.
    pub(crate) fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.committed)
    }
}
