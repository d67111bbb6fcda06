//! Tells users that their lists of blocks and invitations have changed, a few after each tick.
//!
//! A room that is renamed or closed may have invited thousands of users, and each online user receives a whole list.
//! The list is read just before it is sent, so it is never older than one that was sent before. LOGIN_BUNDLE has it for
//! users that are offline.

use super::{MemoryState, NO_CONNECTION};
use crate::clock::Now;
use crate::storage::{ChangedLists, Store, StoreError, UserId};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Users that are told after one tick.
const TOLD: usize = 8;

/// The users that are still to be told; never more than there are users.
#[derive(Debug, Default)]
pub(super) struct UntoldLists {
    blocks: BTreeSet<UserId>,
    invitations: BTreeSet<UserId>,
}

impl UntoldLists {
    /// Adds users whose lists have changed.
    pub(super) fn add(&mut self, lists: ChangedLists) {
        self.blocks.extend(lists.blocks);
        self.invitations.extend(lists.invitations);
    }

    /// Whether all users are told.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.invitations.is_empty()
    }

    /// Tells some users, with the next tick.
    ///
    /// # Errors
    /// `Fatal`, which ends the process. After any other error these users are not told.
    pub(super) fn step(
        &mut self,
        store: &mut Store,
        state: &mut MemoryState,
        now: Now,
    ) -> Result<(), StoreError> {
        let take = |users: &mut BTreeSet<UserId>, most: usize| {
            let online = std::iter::from_fn(|| users.pop_first())
                .filter(|user| state.roster.is_online(*user));
            online.take(most).collect::<Vec<_>>()
        };
        let blocks = take(&mut self.blocks, TOLD);
        let invitations = take(&mut self.invitations, TOLD - blocks.len());
        if blocks.is_empty() && invitations.is_empty() {
            return Ok(());
        }
        let mut batch = store.batch_at(now.unix);
        let address = Ipv4Addr::UNSPECIFIED.into();
        let mut ctx = state.ctx(&mut batch, NO_CONNECTION, address, now);
        match ctx.tell_lists(&ChangedLists {
            blocks,
            invitations,
        }) {
            Err(fatal @ StoreError::Fatal(_)) => Err(fatal),
            Err(error) => {
                tracing::warn!(%error, "users were not told that their blocks or invitations have changed");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
