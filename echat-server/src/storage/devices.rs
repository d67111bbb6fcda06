//! Devices: clients that a user logged in from, as hashes of the secrets that they keep.

use rusqlite::params;

use crate::clock::DAY;

use super::{Batch, SecretHash, StoreError, UserId};

/// Devices of one user that are known. One more replaces the one that was not used for the longest time.
const DEVICES_PER_USER: i64 = 20;

/// How long an unused device is known, in seconds: 90 days.
pub(crate) const KNOWN_DEVICE: i64 = 90 * DAY;

/// Forgotten devices that one login deletes at most.
const PRUNED_AT_ONCE: i64 = 100;

impl Batch<'_> {
    /// Whether a user logged in from the device of this secret at or after `since`.
    pub(crate) fn knows_device(
        &self,
        user: UserId,
        secret: &SecretHash,
        since: i64,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM devices WHERE user = ?1 AND secret = ?2 AND used_at >= ?3";
        self.exists(sql, params![user, secret, since])
    }

    /// Adds a device. Deletes the user's devices above the limit, and some that are forgotten.
    pub(crate) fn add_device(
        &mut self,
        user: UserId,
        secret: &SecretHash,
        now: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO devices (user, secret, used_at) VALUES (?1, ?2, ?3)";
        self.write(sql, params![user, secret, now])?;
        self.write(
            "DELETE FROM devices WHERE user = ?1 AND secret IN
                 (SELECT secret FROM devices WHERE user = ?1
                  ORDER BY secret = ?2 DESC, used_at DESC, secret LIMIT -1 OFFSET ?3)",
            params![user, secret, DEVICES_PER_USER],
        )?;
        self.write(
            "DELETE FROM devices WHERE (user, secret) IN
                 (SELECT user, secret FROM devices WHERE used_at < ?1
                  ORDER BY used_at LIMIT ?2)",
            [now.saturating_sub(KNOWN_DEVICE), PRUNED_AT_ONCE],
        )
        .map(drop)
    }

    /// Records the use of a device. One that was forgotten stays forgotten.
    pub(crate) fn note_device(
        &mut self,
        user: UserId,
        secret: &SecretHash,
        now: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE devices SET used_at = ?3 WHERE user = ?1 AND secret = ?2";
        self.write(sql, params![user, secret, now]).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Store;
    use echat_proto::names::Username;

    #[test]
    fn the_devices_of_a_user_are_bounded_and_unused_ones_are_forgotten() {
        let mut store = Store::in_memory().expect("memory is there");
        let mut batch = store.batch();
        let name = Username::new("ann").expect("a name");
        let user = batch.create_user(&name, "x", 1).expect("memory");
        let user = user.expect("free");
        let knows = |batch: &Batch<'_>, number: u8, since| {
            let known = batch.knows_device(user, &[number; 32], since);
            known.expect("memory")
        };
        for number in 0..20 {
            let at = 1_000 + i64::from(number);
            batch.add_device(user, &[number; 32], at).expect("memory");
        }
        // The oldest is used again, so the second goes when there is one too many.
        batch.note_device(user, &[0; 32], 2_000).expect("memory");
        batch.add_device(user, &[20; 32], 900).expect("memory");
        assert!(knows(&batch, 0, 2_000) && !knows(&batch, 0, 2_001));
        assert!(!knows(&batch, 1, 0));
        assert!(knows(&batch, 2, 0) && knows(&batch, 20, 0));
        // A device that is gone does not come back by being used.
        batch.note_device(user, &[1; 32], 2_000).expect("memory");
        assert!(!knows(&batch, 1, 0));
        // Those of another user are others.
        let name = Username::new("bob").expect("a name");
        let bob = batch.create_user(&name, "x", 1).expect("memory");
        let bob = bob.expect("free");
        let is_mixed_up = batch.knows_device(bob, &[2; 32], 0).expect("memory");
        assert!(!is_mixed_up);
        let later = 2_001 + KNOWN_DEVICE;
        batch.add_device(bob, &[99; 32], later).expect("memory");
        for number in 0..=20 {
            assert!(!knows(&batch, number, 0), "{number}");
        }
    }
}
