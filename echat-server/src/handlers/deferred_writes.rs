//! Deferred writes: small writes that no request waits for.

use super::unwritten_revocations::UnwrittenRevocations;
use crate::secrets::PasswordHash;
use crate::storage::{
    Batch, Chain, ChainChange, ChainId, ChainWrite, Removal, Retention, SecretHash, StoreError,
    UserId,
};
use std::net::IpAddr;
use std::time::Duration;

/// A small write that no request waits for. Notes and revocations are made after the tick in a batch of their own,
/// before the replies leave: a note is dropped if the disk is full, a revocation is retried. A portion of a removal or
/// of the search index is made at once; it is here for the journal.
#[derive(Clone, Debug)]
pub(crate) enum DeferredWrite {
    /// The account was logged in to from this rate-limit prefix.
    NoteLogin(UserId, IpAddr, i64),
    /// The password's hash was made with today's parameters, in place of this one.
    UpgradeHash {
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    },
    /// A secret that resumes a session was issued, used or revoked.
    Chain(ChainWrite),
    /// All secrets of a user are revoked.
    RevokeChains(UserId),
    /// The last session of the user ended at this time.
    NoteSeen(UserId, i64),
    /// Chains whose secrets were issued before this time have expired: a hundred are deleted. In Unix seconds.
    PruneChains(i64),
    /// The user has logged in from a device that was not known. The secret that names it was issued.
    NewDevice(UserId, SecretHash, i64),
    /// The user has logged in from a device that is known.
    NoteDevice(UserId, SecretHash, i64),
    /// A portion of what is hidden already is removed.
    Remove(Removal, Retention),
    /// A portion of the search index is brought up to date.
    IndexMessages,
}

impl DeferredWrite {
    /// Makes it.
    pub(crate) fn make(&self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        match self {
            Self::NoteLogin(user, address, at) => batch.note_login(*user, *address, *at),
            Self::UpgradeHash { user, old, new } => {
                batch.upgrade_hash(*user, old.as_str(), new.as_str())
            }
            Self::Chain(write) => batch.write_chain(write),
            Self::RevokeChains(user) => batch.revoke_chains(*user),
            Self::NoteSeen(user, at) => batch.note_seen(*user, *at),
            Self::PruneChains(before) => batch.prune_chains(*before),
            Self::NewDevice(user, secret, at) => batch.add_device(*user, secret, *at),
            Self::NoteDevice(user, secret, at) => batch.note_device(*user, secret, *at),
            Self::Remove(removal, retention) => batch.remove(removal, *retention).map(drop),
            Self::IndexMessages => batch.index_messages().map(drop),
        }
    }

    /// The user whose login it notes, and whether it notes the device.
    pub(crate) fn notes_login_of(&self) -> Option<(UserId, bool)> {
        match self {
            Self::NewDevice(user, ..) | Self::NoteDevice(user, ..) => Some((*user, true)),
            Self::NoteLogin(user, ..) => Some((*user, false)),
            Self::NoteSeen(..)
            | Self::UpgradeHash { .. }
            | Self::Chain(_)
            | Self::RevokeChains(_)
            | Self::PruneChains(_)
            | Self::Remove(..)
            | Self::IndexMessages => None,
        }
    }

    /// Whether it stores a new secret, which is given out only if it is stored.
    pub(crate) fn issues(&self) -> bool {
        matches!(self, Self::NewDevice(..)) || self.issues_chain().is_some()
    }

    /// The chain of the secret that it stores, if it is a new one that resumes a session.
    pub(crate) fn issues_chain(&self) -> Option<(UserId, ChainId)> {
        match self {
            Self::Chain(write) => match write.change {
                ChainChange::Begin { .. } | ChainChange::Renew { .. } => {
                    Some((write.user, write.chain))
                }
                ChainChange::Confirm(_) | ChainChange::Leave(_) | ChainChange::Revoke => None,
            },
            Self::NoteLogin(..)
            | Self::NoteSeen(..)
            | Self::UpgradeHash { .. }
            | Self::RevokeChains(_)
            | Self::PruneChains(_)
            | Self::NewDevice(..)
            | Self::NoteDevice(..)
            | Self::Remove(..)
            | Self::IndexMessages => None,
        }
    }

    /// What is left to do after the disk did not take it.
    pub(crate) fn unwritten(self) -> Option<Self> {
        match self {
            Self::NoteLogin(..)
            | Self::NoteSeen(..)
            | Self::UpgradeHash { .. }
            | Self::PruneChains(_)
            | Self::NewDevice(..)
            | Self::NoteDevice(..)
            | Self::Remove(..)
            | Self::IndexMessages => None,
            Self::Chain(write) => write.unwritten().map(Self::Chain),
            Self::RevokeChains(_) => Some(self),
        }
    }
}

/// The writes that the database does not have yet: those of this tick, and revocations that the disk did not take.
#[derive(Debug, Default)]
pub(crate) struct DeferredWrites {
    of_tick: Vec<DeferredWrite>,
    revocations: UnwrittenRevocations,
    /// When the revocations are retried, by [`Now::running`](crate::clock::Now::running); `None` if there are none.
    retry_at: Option<Duration>,
}

impl DeferredWrites {
    /// Adds a write of this tick.
    pub(crate) fn push(&mut self, write: DeferredWrite) {
        self.of_tick.push(write);
    }

    /// Drops the writes of this tick that are not to be kept.
    pub(crate) fn retain(&mut self, is_kept: impl FnMut(&DeferredWrite) -> bool) {
        self.of_tick.retain(is_kept);
    }

    /// Takes the writes of this tick, to be made.
    pub(crate) fn take(&mut self) -> Vec<DeferredWrite> {
        std::mem::take(&mut self.of_tick)
    }

    /// A stored chain with the changes of it that the database does not have yet.
    pub(crate) fn applied(
        &self,
        user: UserId,
        chain: &ChainId,
        stored: Option<Chain>,
    ) -> Option<Chain> {
        let stored = self.revocations.applied(user, chain, stored);
        self.of_tick.iter().fold(stored, |row, write| match write {
            DeferredWrite::Chain(write) => write.applied((user, chain), row),
            DeferredWrite::RevokeChains(of) if *of == user => None,
            _ => row,
        })
    }

    /// Keeps what a write revokes that the disk did not take; false if it revokes nothing and is dropped.
    pub(crate) fn keep(&mut self, write: DeferredWrite) -> bool {
        self.revocations.keep(write)
    }

    /// The chains with revocations that the disk did not take; all chains of a user count as one.
    pub(crate) fn unwritten(&self) -> usize {
        self.revocations.len()
    }

    /// Takes a portion of the revocations, to be made. Those that fail are to be kept again.
    pub(crate) fn take_revocations(&mut self) -> Vec<DeferredWrite> {
        self.revocations.take()
    }

    /// When the revocations are retried, if there are any.
    pub(crate) fn retry_at(&self) -> Option<Duration> {
        self.retry_at
    }

    /// Changes when the revocations are retried, if there are any.
    pub(crate) fn plan_retry(&mut self, at: Duration) {
        self.retry_at = (!self.revocations.is_empty()).then_some(at);
    }
}
