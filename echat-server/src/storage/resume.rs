//! Secrets with which sessions are resumed, as hashes. Which secret is good, [`handlers`](crate::handlers) decides.

use rusqlite::params;

use super::{Batch, StoreError, UserId};

/// The start of the SHA-256 of what all secrets of a chain share.
pub(crate) type ChainId = [u8; 16];
/// The SHA-256 of a secret.
pub type SecretHash = [u8; 32];

/// Chains that one user can have: as many as sessions by the largest `sessions_per_user`. One more replaces the oldest.
pub(crate) const CHAINS_PER_USER: i64 = 64;
/// Expired chains that one login deletes at most.
const PRUNED_AT_ONCE: i64 = 100;

/// A chain of sessions, of which each was opened with the secret of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The secret that is good.
    pub(crate) current: IssuedSecret,
    /// The secret that opened the newest session, until that session sends a request.
    pub(crate) previous: Option<IssuedSecret>,
}

/// A secret, and when it was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IssuedSecret {
    /// The secret.
    pub(crate) hash: SecretHash,
    /// Unix seconds.
    pub(crate) issued_at: i64,
}

/// One change of a chain.
#[derive(Clone, Debug)]
pub(crate) struct ChainWrite {
    /// The user.
    pub(crate) user: UserId,
    /// The chain.
    pub(crate) chain: ChainId,
    /// What becomes of it.
    pub(crate) change: ChainChange,
}

/// What becomes of a chain.
#[derive(Clone, Debug)]
pub(crate) enum ChainChange {
    /// It begins with this secret. Chains whose secrets were issued before `expired` are deleted, a hundred at most.
    Begin {
        /// The secret that is good.
        current: IssuedSecret,
        /// Unix seconds.
        expired: i64,
    },
    /// Its secret was used: `next` is good, and `used` until the session sends a request. A chain that others of the
    /// user have replaced in the same transaction is stored again: its secret was good when it was used.
    Renew {
        /// The secret that opened the session.
        used: IssuedSecret,
        /// The secret that is good.
        next: IssuedSecret,
    },
    /// The session with this secret has sent a request: the secret that opened it is revoked.
    Confirm(SecretHash),
    /// The session with this secret has ended by LOGOUT: its secret is revoked.
    Leave(SecretHash),
    /// The chain is revoked.
    Revoke,
}

impl ChainWrite {
    /// The chain after this change, if this is the chain of `user` and `chain`.
    pub(crate) fn applied(
        &self,
        (user, chain): (UserId, &ChainId),
        row: Option<Chain>,
    ) -> Option<Chain> {
        if self.user != user || self.chain != *chain {
            return row;
        }
        match &self.change {
            ChainChange::Begin { current, .. } => Some(Chain {
                current: *current,
                previous: None,
            }),
            ChainChange::Renew { used, next } => Some(Chain {
                current: *next,
                previous: Some(*used),
            }),
            ChainChange::Confirm(issued) => row.map(|row| Chain {
                previous: row.previous.filter(|_| row.current.hash != *issued),
                ..row
            }),
            ChainChange::Leave(issued) => {
                let row = row.filter(|row| row.current.hash != *issued);
                row.map(|row| Chain {
                    previous: row.previous.filter(|used| used.hash != *issued),
                    ..row
                })
            }
            ChainChange::Revoke => None,
        }
    }

    /// What is left to do of a change that could not be written; `None` if nothing is. A secret that was not stored is
    /// not given out, so its chain must not go on.
    pub(crate) fn unwritten(self) -> Option<Self> {
        let change = match self.change {
            ChainChange::Begin { .. } => return None,
            ChainChange::Renew { .. } => ChainChange::Revoke,
            change => change,
        };
        Some(Self { change, ..self })
    }
}

impl Batch<'_> {
    /// A chain of a user.
    pub(crate) fn chain(&self, user: UserId, chain: &ChainId) -> Result<Option<Chain>, StoreError> {
        let sql = "SELECT current, issued_at, previous, previous_issued_at
                   FROM resume_secrets WHERE user = ?1 AND chain = ?2";
        self.first(sql, params![user, chain], |row| {
            let previous: Option<SecretHash> = row.get(2)?;
            let issued_at: Option<i64> = row.get(3)?;
            Ok(Chain {
                current: IssuedSecret {
                    hash: row.get(0)?,
                    issued_at: row.get(1)?,
                },
                previous: previous
                    .zip(issued_at)
                    .map(|(hash, issued_at)| IssuedSecret { hash, issued_at }),
            })
        })
    }

    /// The number of a user's chains, for tests.
    pub fn chains(&self, user: UserId) -> Result<u64, StoreError> {
        self.count(
            "SELECT count(*) FROM resume_secrets WHERE user = ?1",
            [user],
        )
    }

    /// Changes a chain.
    pub(crate) fn write_chain(&mut self, write: &ChainWrite) -> Result<(), StoreError> {
        let ChainWrite {
            user,
            chain,
            change,
        } = write;
        match change {
            ChainChange::Begin { current, expired } => {
                self.begin_chain(*user, chain, *current)?;
                self.prune_chains(*expired)?;
            }
            ChainChange::Renew { used, next } => {
                if !self.renew_chain((*user, chain), used, next)? {
                    self.begin_chain(*user, chain, *next)?;
                    self.renew_chain((*user, chain), used, next)?;
                }
            }
            ChainChange::Confirm(issued) => {
                self.write(
                    "UPDATE resume_secrets SET previous = NULL, previous_issued_at = NULL
                     WHERE user = ?1 AND chain = ?2 AND current = ?3",
                    params![user, chain, issued],
                )?;
            }
            ChainChange::Leave(issued) => {
                self.write(
                    "DELETE FROM resume_secrets WHERE user = ?1 AND chain = ?2 AND current = ?3",
                    params![user, chain, issued],
                )?;
                self.write(
                    "UPDATE resume_secrets SET previous = NULL, previous_issued_at = NULL
                     WHERE user = ?1 AND chain = ?2 AND previous = ?3",
                    params![user, chain, issued],
                )?;
            }
            ChainChange::Revoke => {
                let sql = "DELETE FROM resume_secrets WHERE user = ?1 AND chain = ?2";
                self.write(sql, params![user, chain])?;
            }
        }
        Ok(())
    }

    /// Deletes all chains of a user.
    pub(crate) fn revoke_chains(&mut self, user: UserId) -> Result<(), StoreError> {
        let sql = "DELETE FROM resume_secrets WHERE user = ?1";
        self.write(sql, [user]).map(drop)
    }

    /// Changes the secrets of a chain; false if it is not stored.
    fn renew_chain(
        &mut self,
        (user, chain): (UserId, &ChainId),
        previous: &IssuedSecret,
        next: &IssuedSecret,
    ) -> Result<bool, StoreError> {
        let changed = self.write(
            "UPDATE resume_secrets SET current = ?3, issued_at = ?4,
                 previous = ?5, previous_issued_at = ?6
             WHERE user = ?1 AND chain = ?2",
            params![
                user,
                chain,
                next.hash,
                next.issued_at,
                previous.hash,
                previous.issued_at
            ],
        )?;
        Ok(changed > 0)
    }

    fn begin_chain(
        &mut self,
        user: UserId,
        chain: &ChainId,
        current: IssuedSecret,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO resume_secrets (user, chain, current, issued_at) VALUES (?1, ?2, ?3, ?4)",
            params![user, chain, current.hash, current.issued_at],
        )?;
        self.write(
            "DELETE FROM resume_secrets WHERE user = ?1 AND chain IN
                 (SELECT chain FROM resume_secrets WHERE user = ?1
                  ORDER BY chain = ?2 DESC, issued_at DESC, chain LIMIT -1 OFFSET ?3)",
            params![user, chain, CHAINS_PER_USER],
        )
        .map(drop)
    }

    /// Deletes chains whose secrets were issued before a time, the oldest first.
    pub(crate) fn prune_chains(&mut self, before: i64) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM resume_secrets WHERE (user, chain) IN
                 (SELECT user, chain FROM resume_secrets WHERE issued_at < ?1
                  ORDER BY issued_at LIMIT ?2)",
            [before, PRUNED_AT_ONCE],
        )
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Store;
    use echat_proto::names::Username;

    const CHAIN: ChainId = [1; 16];

    fn issued(number: u8) -> IssuedSecret {
        IssuedSecret {
            hash: [number; 32],
            issued_at: 1_000 + i64::from(number),
        }
    }

    /// The same changes in the database and in memory give the same chain.
    #[test]
    fn changes_in_memory_are_those_of_the_database() {
        let mut store = Store::in_memory().expect("memory is there");
        let mut batch = store.batch();
        let name = Username::new("ann").expect("a name");
        let user = batch.create_user(&name, "x", 1).expect("memory");
        let user = user.expect("free");
        let begin = |number, expired| ChainChange::Begin {
            current: issued(number),
            expired,
        };
        let renew = |used, next| ChainChange::Renew {
            used: issued(used),
            next: issued(next),
        };
        let changes = [
            renew(8, 9),
            ChainChange::Revoke,
            begin(1, 0),
            renew(1, 2),
            ChainChange::Confirm([9; 32]),
            renew(1, 3),
            ChainChange::Confirm([3; 32]),
            renew(3, 4),
            ChainChange::Leave([3; 32]),
            renew(4, 5),
            ChainChange::Leave([5; 32]),
            begin(6, 0),
            ChainChange::Revoke,
        ];
        let mut expected = None;
        for change in changes {
            let write = ChainWrite {
                user,
                chain: CHAIN,
                change,
            };
            expected = write.applied((user, &CHAIN), expected);
            batch.write_chain(&write).expect("memory");
            let found = batch.chain(user, &CHAIN).expect("memory");
            assert_eq!(found, expected, "{write:?}");
        }
        assert_eq!(batch.chain(user, &CHAIN).expect("memory"), None);
    }

    /// Not only by a later write, which a kill or a full disk may prevent.
    #[test]
    fn a_new_password_and_a_suspension_end_the_chains_in_their_own_batch() {
        for end in [
            |batch: &mut Batch<'_>, user| batch.change_password(user, "y"),
            |batch: &mut Batch<'_>, user| batch.reset_password(user, "y"),
            |batch: &mut Batch<'_>, user| batch.suspend(user, None, None, 2),
        ] {
            let mut store = Store::in_memory().expect("memory is there");
            let mut batch = store.batch();
            let name = Username::new("ann").expect("a name");
            let user = batch.create_user(&name, "x", 1).expect("memory");
            let user = user.expect("free");
            let change = ChainChange::Begin {
                current: issued(1),
                expired: 0,
            };
            let write = ChainWrite {
                user,
                chain: CHAIN,
                change,
            };
            batch.write_chain(&write).expect("memory");
            end(&mut batch, user).expect("memory");
            assert_eq!(batch.chain(user, &CHAIN).expect("memory"), None);
        }
    }

    #[test]
    fn the_chains_of_a_user_are_bounded_and_old_ones_are_deleted() {
        let mut store = Store::in_memory().expect("memory is there");
        let mut batch = store.batch();
        let name = Username::new("ann").expect("a name");
        let user = batch.create_user(&name, "x", 1).expect("memory");
        let user = user.expect("free");
        let chain = |number: u8| [number; 16];
        let begin = |batch: &mut Batch<'_>, number: u8, expired| {
            let change = ChainChange::Begin {
                current: issued(number),
                expired,
            };
            let write = ChainWrite {
                user,
                chain: chain(number),
                change,
            };
            batch.write_chain(&write).expect("memory");
        };
        for number in 0..200 {
            begin(&mut batch, number, 0);
        }
        assert_eq!(batch.chains(user).expect("memory"), 64);
        // A secret whose chain was replaced while it was used: the next one is stored all the same.
        let renewed = ChainWrite {
            user,
            chain: chain(100),
            change: ChainChange::Renew {
                used: issued(100),
                next: issued(198),
            },
        };
        batch.write_chain(&renewed).expect("memory");
        let found = batch.chain(user, &chain(100)).expect("memory");
        assert_eq!(found, renewed.applied((user, &chain(100)), None));
        assert_eq!(batch.chains(user).expect("memory"), 64);
        let ended = ChainChange::Revoke;
        batch
            .write_chain(&ChainWrite {
                change: ended,
                ..renewed
            })
            .expect("memory");
        assert_eq!(batch.chain(user, &chain(135)).expect("memory"), None);
        assert_eq!(batch.chain(user, &chain(136)).expect("memory"), None);
        assert!(batch.chain(user, &chain(137)).expect("memory").is_some());
        begin(&mut batch, 200, issued(199).issued_at);
        assert_eq!(batch.chains(user).expect("memory"), 2);
        batch.revoke_chains(user).expect("memory");
        assert_eq!(batch.chains(user).expect("memory"), 0);
    }
}
