//! What only tests ask of an engine: a server calls none of these. Tests beside the crate use them, so they are public.

use super::{Engine, NO_CONNECTION};
use crate::clock::Now;
use crate::conn::{ConnId, Departure};
use crate::handlers::Reject;
use crate::handlers::journal::Entry;
use crate::handlers::session_ends::SessionsEnd;
use crate::peer::Peer;
use crate::roster::Roster;
use crate::storage::StoreError;
use std::net::Ipv4Addr;
use std::time::Duration;

impl Engine {
    /// Ends all sessions of a user and of the user's bots at once, and revokes the secrets that
    /// resume one. The next tick tells them. Nothing if there is no such user.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn send_away(&mut self, name: &str, now: Now) -> Result<(), StoreError> {
        let mut batch = self.store.batch();
        let Some(user) = batch.find_user(name)? else {
            return Ok(());
        };
        let address = Ipv4Addr::UNSPECIFIED.into();
        let mut ctx = self.state.ctx(&mut batch, NO_CONNECTION, address, now);
        match SessionsEnd::of_user(&ctx, user, Departure::Kicked) {
            Ok(ends) => {
                for end in ends {
                    end.carry_out(&mut ctx);
                }
            }
            Err(Reject::Store(error)) => return Err(error),
            Err(Reject::Refused(_)) => {}
        }
        batch.commit().map(drop)
    }

    /// Changes the estimated cost of a turn after which it ends and its user or prefix cools down; a tick's
    /// budget is five turns. The default, a millisecond, is for databases larger than a test's.
    pub fn set_turn_cost(&mut self, cost: Duration) {
        self.connections.scheduler.set_turn_cost(cost);
    }

    /// Changes how many connections of a size class one round writes; 128 by default.
    pub fn set_portion(&mut self, connections: usize) {
        self.connections.set_portion(connections);
    }

    /// Whether nothing is kept of any connection that was ever there.
    pub fn is_blank(&self) -> bool {
        self.connections.is_blank() && self.presence.is_empty() && self.state.roster.is_empty()
    }

    /// Whether revocations are retried since the disk did not take them.
    pub fn retries_revocations(&self) -> bool {
        self.state.deferred_writes.retry_at().is_some()
    }

    /// Bytes that wait to be written to a connection.
    pub fn waiting(&self, conn: ConnId) -> usize {
        self.connections.peer(conn).map_or(0, Peer::waiting)
    }

    /// Keeps a journal of every write from now on, so that they can be repeated.
    pub fn keep_journal(&mut self) {
        self.state.journal.keep();
    }

    /// Takes what was written and committed since the last call, in order.
    pub fn take_journal(&mut self) -> Vec<Entry> {
        self.state.journal.take()
    }

    /// The users who stored most in the last 24 hours, in bytes of content, most first.
    ///
    /// # Errors
    /// The database's, which has their names.
    pub fn most_stored(
        &mut self,
        users: usize,
        now: Now,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let most = self.state.rates.stored.most(users, now.running);
        let batch = self.store.batch();
        let named = most.into_iter().map(|(user, bytes)| {
            let name = batch.user_name(user)?.unwrap_or_default();
            Ok((name, bytes))
        });
        named.collect()
    }

    /// The users who are online.
    pub fn roster(&self) -> &Roster {
        &self.state.roster
    }
}
