//! Second steps of REGISTER and LOGIN, when a worker is done.

use super::Tick;
use crate::conn::ConnId;
use crate::engine::net::Payer;
use crate::handlers::account::{self, Pending};
use crate::handlers::{Answer, gate};
use crate::store::{StoreError, UserId};
use crate::workers::jobs::{JobResult, Verdict};

impl Tick<'_> {
    /// Finishes what workers are done with, as much as a turn has time for. Logins go first: they read
    /// and do not write, so they never rest on what a full disk takes back.
    pub(super) fn finish_completed(&mut self) -> Result<(), StoreError> {
        let mut completed = std::mem::take(&mut self.net.completed);
        completed.sort_by_key(|(_, done)| matches!(done, JobResult::Hashed(_)));
        let mut completed = completed.into_iter();
        let mut finished = Ok(());
        let mut later = Vec::new();
        let start = self.work();
        while finished.is_ok()
            && self.is_little(start)
            && !self.is_over()
            && let Some((conn, done)) = completed.next()
        {
            if self.is_held(conn, &done) {
                self.net.held.push((conn, done));
            } else if self
                .comes(conn, &done)
                .is_some_and(|user| self.news.tell_of(user))
            {
                later.push((conn, done));
            } else {
                finished = self.finish_request(conn, done);
                self.net.settle(conn, &self.memory.limits);
            }
        }
        // What was not come to is done in the next tick.
        self.net.completed.extend(later);
        self.net.completed.extend(completed);
        finished
    }

    /// Whether a second step is to wait: for a busy database, or because its user comes and goes so
    /// often that telling everybody is much work. A wrong password waits for nobody's rest: who is
    /// there is not to be told by it.
    fn is_held(&mut self, conn: ConnId, done: &JobResult) -> bool {
        let user = self.comes(conn, done);
        let is_blocked = self.net.slot(conn).is_some_and(|slot| slot.is_blocked());
        is_blocked || user.is_some_and(|user| self.net.rests(Payer::User(user)))
    }

    /// Who is about to be logged in, if the password was right.
    fn comes(&mut self, conn: ConnId, done: &JobResult) -> Option<UserId> {
        let pending = self.net.slot(conn)?.pending.as_ref()?;
        let right = matches!(done, JobResult::Verified(Verdict::Right { .. }));
        pending.user().filter(|_| right)
    }

    /// The second step of one request.
    fn finish_request(&mut self, conn: ConnId, done: JobResult) -> Result<(), StoreError> {
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
            (Pending::Register(name), JobResult::Hashed(hash)) => {
                account::registered(&mut self.ctx(conn), name, hash)
            }
            (Pending::Login(attempt), JobResult::Verified(verdict)) => {
                account::logged_in(&mut self.ctx(conn), attempt, verdict)
            }
            _ => unreachable!("a worker's result of another kind than its request"),
        };
        let concluded = self.conclude(conn, started, result.map(Answer::Reply))?;
        if let Ok(me) = gate::member(&self.ctx(conn)) {
            // What follows a login on the connection is paid for by its user.
            self.net.bill(conn, Some(me.id));
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
