//! Revocations of secrets that the disk did not take: they hold in memory until they are written.

use super::DeferredWrite;
use crate::storage::{Chain, ChainChange, ChainId, ChainWrite, UserId};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Chains whose changes one transaction writes.
pub(crate) const PORTION: usize = 100;

/// A chain, or all chains of a user.
type RevocationKey = (UserId, Option<ChainId>);

/// Changes that revoke secrets and that the disk did not take, at most a few for each chain. A secret that is issued
/// while the revocation of all its user's secrets is unwritten is revoked with them.
#[derive(Debug, Default)]
pub(crate) struct UnwrittenRevocations {
    /// All chains of a user have no changes of their own.
    changes: BTreeMap<RevocationKey, Vec<ChainChange>>,
    /// The last key that [`take`](Self::take) gave: the next ones come before those that failed.
    last: Option<RevocationKey>,
}

impl UnwrittenRevocations {
    /// Keeps what a write that was not made revokes. Returns whether it revokes anything: notes are dropped.
    pub(crate) fn keep(&mut self, write: DeferredWrite) -> bool {
        match write.unwritten() {
            Some(DeferredWrite::Chain(ChainWrite {
                user,
                chain,
                change,
            })) => {
                let changes = self.changes.entry((user, Some(chain))).or_default();
                if matches!(change, ChainChange::Revoke) {
                    changes.clear();
                }
                if !matches!(changes[..], [ChainChange::Revoke]) {
                    changes.push(change);
                }
                true
            }
            Some(DeferredWrite::RevokeChains(user)) => {
                self.changes.retain(|(other, _), _| *other != user);
                self.changes.insert((user, None), Vec::new());
                true
            }
            _ => false,
        }
    }

    /// A stored chain with its unwritten changes.
    pub(crate) fn applied(
        &self,
        user: UserId,
        chain: &ChainId,
        row: Option<Chain>,
    ) -> Option<Chain> {
        if self.changes.is_empty() || self.changes.contains_key(&(user, None)) {
            return row.filter(|_| self.changes.is_empty());
        }
        let changes = self.changes.get(&(user, Some(*chain)));
        changes.into_iter().flatten().fold(row, |row, change| {
            let write = ChainWrite {
                user,
                chain: *chain,
                change: change.clone(),
            };
            write.applied((user, chain), row)
        })
    }

    /// Takes out the writes of a portion of chains, to be made. Those that fail are to be kept again.
    pub(crate) fn take(&mut self) -> Vec<DeferredWrite> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.changes.range((after, Bound::Unbounded));
        let before = self.changes.iter();
        let mut keys: Vec<RevocationKey> = next.map(|(key, _)| *key).take(PORTION).collect();
        let wrapped = before
            .map(|(key, _)| *key)
            .take_while(|key| keys.first() != Some(key));
        let wrapped: Vec<RevocationKey> = wrapped.take(PORTION - keys.len()).collect();
        keys.extend(wrapped);
        self.last = keys.last().copied();
        let mut writes = Vec::new();
        for (user, chain) in keys {
            let changes = self.changes.remove(&(user, chain)).unwrap_or_default();
            match chain {
                None => writes.push(DeferredWrite::RevokeChains(user)),
                Some(chain) => writes.extend(changes.into_iter().map(|change| {
                    DeferredWrite::Chain(ChainWrite {
                        user,
                        chain,
                        change,
                    })
                })),
            }
        }
        writes
    }

    /// Chains with unwritten changes; all chains of a user count as one.
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revocation(user: i64, chain: u8, change: ChainChange) -> DeferredWrite {
        DeferredWrite::Chain(ChainWrite {
            user: UserId(user),
            chain: [chain; 16],
            change,
        })
    }

    #[test]
    fn a_chain_is_kept_once_and_those_that_fail_come_last() {
        let mut kept = UnwrittenRevocations::default();
        for chain in 0..150 {
            assert!(kept.keep(revocation(1, chain, ChainChange::Confirm([chain; 32]))));
            assert!(kept.keep(revocation(1, chain, ChainChange::Revoke)));
            assert!(kept.keep(revocation(1, chain, ChainChange::Leave([chain; 32]))));
        }
        assert_eq!(kept.len(), 150);
        let first = kept.take();
        assert_eq!((first.len(), kept.len()), (100, 50));
        for write in first {
            kept.keep(write);
        }
        let second = kept.take();
        assert_eq!((second.len(), kept.len()), (100, 50));
        let is_first = |write: &DeferredWrite| matches!(write, DeferredWrite::Chain(write) if write.chain == [100; 16]);
        assert!(is_first(&second[0]), "{:?}", second[0]);
        // All chains of a user take the place of each.
        assert!(kept.keep(DeferredWrite::RevokeChains(UserId(1))));
        assert_eq!(kept.len(), 1);
        assert!(!kept.keep(DeferredWrite::PruneChains(1)));
    }
}
