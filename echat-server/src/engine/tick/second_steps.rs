//! Second steps of REGISTER and LOGIN, when a helper is done.

use super::Tick;
use crate::conn::ConnId;
use crate::engine::net::Payer;
use crate::handlers::account::{self, Pending};
use crate::handlers::{Answer, gate};
use crate::jobs::{Done, Verdict};
use crate::store::{StoreError, UserId};

impl Tick<'_> {
    /// Finishes what helpers are done with, as much as a turn has time for. Logins go first: they read
    /// and do not write, so they never rest on what a full disk takes back.
    pub(super) fn finish_completed(&mut self) -> Result<(), StoreError> {
        let mut completed = std::mem::take(&mut self.net.completed);
        completed.sort_by_key(|(_, done)| matches!(done, Done::Hashed(_)));
        let mut completed = completed.into_iter();
        let mut finished = Ok(());
        let start = self.work();
        while finished.is_ok()
            && self.is_little(start)
            && let Some((conn, done)) = completed.next()
        {
            if self.is_held(conn, &done) {
                self.net.held.push((conn, done));
            } else {
                finished = self.finish_request(conn, done);
                self.net.settle(conn, &self.memory.limits);
            }
        }
        // What was not come to is done in the next tick.
        self.net.completed.extend(completed);
        finished
    }

    /// Whether a second step is to wait: for a busy database, or because its user comes and goes so
    /// often that telling everybody is much work. A wrong password waits for nobody's rest: who is
    /// there is not to be told by it.
    fn is_held(&mut self, conn: ConnId, done: &Done) -> bool {
        let Some(slot) = self.net.slot(conn) else {
            return false;
        };
        let is_blocked = slot.is_blocked();
        let user = slot.pending.as_ref().and_then(Pending::user);
        let comes = matches!(done, Done::Verified(Verdict::Right { .. }));
        let rests = |user| comes && self.net.rests(Payer::User(user));
        is_blocked || user.is_some_and(rests)
    }

    /// The second step of one request.
    fn finish_request(&mut self, conn: ConnId, done: Done) -> Result<(), StoreError> {
        let Some(slot) = self.net.slot(conn) else {
            return Ok(());
        };
        let Some(pending) = slot.pending.take() else {
            return Ok(());
        };
        // A goodbye was said meanwhile: no answer would leave, so nothing is done either.
        if slot.peer.is_closing() {
            return Ok(());
        }
        let before = self.work();
        let started = self.start(conn, pending.number());
        let result = match (&pending, &done) {
            (Pending::Register(name), Done::Hashed(hash)) => {
                account::registered(&mut self.ctx(conn), name, hash)
            }
            (Pending::Login(attempt), Done::Verified(verdict)) => {
                account::logged_in(&mut self.ctx(conn), attempt, verdict)
            }
            _ => unreachable!("a helper's result of another kind than its request"),
        };
        let concluded = self.conclude(conn, started, result.map(Answer::Reply))?;
        if let Ok(me) = gate::member(&self.ctx(conn)) {
            self.charge_user(me.id, before);
        }
        if !concluded {
            if let Some(slot) = self.net.slot(conn) {
                slot.pending = Some(pending);
            }
            self.net.held.push((conn, done));
        }
        Ok(())
    }

    /// Charges a user for what was done since, also by a rest if it was much.
    pub(super) fn charge_user(&mut self, user: UserId, before: u64) {
        let work = self.work() - before;
        self.net.charge(Payer::User(user), work, work, self.now);
    }
}
