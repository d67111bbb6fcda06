//! Phases of a case other than single actions: waiting, settling, restarts, and the final audit.

use super::{AUDITOR, CommittedWrite, LONG, MAX_TICKS, Run};
use crate::client::Client;
use crate::disk;
use crate::fail;
use crate::invariants;
use crate::plan::{
    Action, CLIENTS, ClientIndex, PasswordChoice, PlannedRequest, ROOMS, SearchRequest, Term, USERS,
};
use std::time::Duration;

impl Run {
    /// Lets time pass, and handles each deadline on the way.
    pub(super) fn wait(&mut self, time: Duration) -> Result<(), String> {
        let target = self.sim.now.running + time;
        let mut ticks = 0;
        while let Some(at) = self.sim.engine.deadline().filter(|at| *at <= target) {
            let moved = at > self.sim.now.running;
            ticks = if moved { 0 } else { ticks + 1 };
            if ticks > MAX_TICKS {
                return fail("a deadline is never handled");
            }
            self.sim.move_to(at.max(self.sim.now.running));
            for _ in 0..3 {
                self.tick()?;
            }
        }
        self.sim.move_to(target);
        self.tick().map(drop)
    }

    /// Ticks until nothing moves.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        for _ in 0..MAX_TICKS {
            if !self.tick()? {
                return Ok(());
            }
        }
        fail("the simulation does not settle")
    }

    /// Sends requests without a schedule, with the simulation settled before and after.
    pub(super) fn round_trip(
        &mut self,
        index: ClientIndex,
        planned: &[PlannedRequest],
    ) -> Result<(), String> {
        self.sim.schedule = None;
        self.settle()?;
        for planned in planned {
            self.send(index, planned);
        }
        self.settle()
    }

    /// Sends the requests of several clients in one tick.
    pub(super) fn in_one_tick(
        &mut self,
        planned: &[(ClientIndex, Vec<PlannedRequest>)],
    ) -> Result<(), String> {
        self.sim.schedule = None;
        self.settle()?;
        for (index, planned) in planned {
            for planned in planned {
                self.send(*index, planned);
            }
        }
        self.tick().map(drop)
    }

    /// Ends all faults and delays. Then every missing reply must arrive.
    pub(super) fn quiesce(&mut self) -> Result<(), String> {
        self.disk.repair(self.sim.engine.store());
        self.sim.schedule = None;
        self.sim.hold = false;
        for index in 0..self.clients.len() {
            self.set_flow(index, true, usize::MAX);
        }
        self.settle()?;
        self.run_timers()?;
        self.observed
            .devices
            .check_stored(&self.disk.devices(&self.committed))?;
        invariants::when_quiescent(self)
    }

    /// An administrator suspends a user and closes the user's sessions. Skipped during a storage fault.
    pub(super) fn suspend(&mut self, user: usize, seconds: Option<u32>) -> Result<(), String> {
        if self.disk.has_fault() || !self.committed.is_active(user) {
            return Ok(());
        }
        let now = self.sim.now.unix;
        let until = seconds.map(|seconds| now.saturating_add(seconds.into()));
        disk::suspend(self.sim.engine.store(), user, until, now);
        self.writes
            .push(CommittedWrite::Suspension { user, until, now });
        self.observed.cover("a suspension".to_owned());
        self.observed.secrets.begin_void(user);
        let given = self.observed.secrets.count();
        self.observed.secrets.void_all(user, given);
        self.observed.note_sessions_changed(user, self.ticks + 1);
        // The event for a slow client may come too late.
        let online = self.online();
        let conns = online.get(&user).cloned().unwrap_or_default();
        for index in 0..self.clients.len() {
            let conn = self.conn(index);
            self.clients[index].displaced |= conn.is_some_and(|conn| conns.contains(&conn));
        }
        let sent_away = self.sim.engine.send_away(USERS[user], self.sim.now);
        sent_away.map_err(|error| error.to_string())?;
        self.administration_tick()
    }

    /// An administrator ends a suspension.
    pub(super) fn unsuspend(&mut self, user: usize) -> Result<(), String> {
        if self.disk.has_fault() || !self.committed.is_active(user) {
            return Ok(());
        }
        disk::unsuspend(self.sim.engine.store(), user);
        self.writes.push(CommittedWrite::Unsuspension { user });
        self.administration_tick()
    }

    /// The effect of an administrator's action appears in the next tick.
    fn administration_tick(&mut self) -> Result<(), String> {
        self.observed.note_administration(self.ticks + 1);
        self.tick().map(drop)
    }

    /// Kills the process. The next one finds everything that was acknowledged.
    pub(super) fn restart(&mut self) -> Result<(), String> {
        self.disk.repair(self.sim.engine.store());
        self.sim.restart(self.limits.clone(), self.disk.open());
        self.sim.engine.allow_sessions(self.sessions);
        self.sim.engine.set_turn_cost(self.turn_cost);
        self.sim.engine.set_portion(self.portion);
        self.sim.engine.keep_journal();
        self.sim.engine.configure(self.policy.settings());
        let lobby = self.sim.engine.create_lobby(self.sim.now);
        lobby.map_err(|error| error.to_string())?;
        self.observed.restart();
        self.clients.iter_mut().for_each(Client::forget);
        self.check_durability()
    }

    /// Checks that the database is unchanged, and that all acknowledged messages are stored.
    pub(super) fn check_durability(&self) -> Result<(), String> {
        let stored = |id: &u64| self.committed.messages.contains_key(id);
        if self.disk.is_current(&self.committed) && self.observed.acknowledged.iter().all(stored) {
            Ok(())
        } else {
            fail("the database changed by the end of a process")
        }
    }

    /// Stops the server, which sends CLOSE_NOTIFY to every client, and starts it again.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        self.stopping = true;
        self.sim.engine.stop(self.sim.now);
        self.wait(Duration::from_secs(5))?;
        self.stopping = false;
        self.settle()?;
        if !self.disk.has_fault() {
            // A process looks for this work when it starts.
            self.run_timers()?;
        }
        self.sim.engine.end_sessions(false, self.sim.now);
        invariants::no_state_left(self)?;
        self.restart()
    }

    /// Closes all connections. Then the auditor logs in as each user and reads everything. At the end no state is left.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        self.quiesce()?;
        (0..CLIENTS).for_each(|index| self.close(index, &Action::HalfClose(index)));
        self.wait(LONG)?;
        self.settle()?;
        invariants::no_state_left(self)?;
        self.connect(AUDITOR);
        for user in self.committed.users.clone() {
            let outside = self.committed.is_suspended(user, self.sim.now.unix);
            if !outside && !self.committed.is_bot(user) {
                self.audit(user)?;
            }
        }
        self.close(AUDITOR, &Action::CloseNotify(AUDITOR));
        self.wait(LONG)?;
        self.settle()?;
        invariants::no_state_left(self)?;
        self.observed
            .devices
            .check_stored(&self.disk.devices(&self.committed))?;
        self.check_durability()?;
        for _ in &self.writes {
            self.observed.cover("a write that was repeated".to_owned());
        }
        self.disk
            .check_replay(&self.writes, &self.limits, &self.policy.settings())
    }

    pub(super) fn audit(&mut self, user: usize) -> Result<(), String> {
        self.clients[AUDITOR].known = 0;
        let login = PlannedRequest::Login {
            user,
            password: PasswordChoice::Current,
        };
        let room = PlannedRequest::Members(user % ROOMS.len());
        self.audit_requests(&[login, PlannedRequest::Rooms, room])?;
        self.clients[AUDITOR].known = 0;
        let newest = self
            .committed
            .visible(user, self.sim.now.unix)
            .next_back()
            .map_or(0, |(id, _)| id);
        let page = PlannedRequest::History {
            of: None,
            from_known: true,
            limit: 50,
        };
        while self.clients[AUDITOR].known < newest {
            let known = self.clients[AUDITOR].known;
            self.audit_requests(std::slice::from_ref(&page))?;
            if self.clients[AUDITOR].known == known {
                return fail(&format!("{} does not see all messages", USERS[user]));
            }
        }
        self.audit_requests(&[page])?;
        self.search_all(user, newest)?;
        self.audit_requests(&[PlannedRequest::Logout])
    }

    /// Searches for one word and reads all pages. Each must have exactly the messages that the user sees.
    fn search_all(&mut self, user: usize, newest: u64) -> Result<(), String> {
        if newest == 0 {
            return Ok(());
        }
        let number = u8::try_from(user).expect("few users");
        let first = PlannedRequest::Search(SearchRequest {
            terms: vec![Term::Word(number)],
            limit: 20,
            ..SearchRequest::default()
        });
        self.audit_requests(&[first])?;
        for _ in 0..=newest {
            if self.clients[AUDITOR].search.is_none() {
                return Ok(());
            }
            self.audit_requests(&[PlannedRequest::SearchNextPage])?;
        }
        fail("a search has no end")
    }

    /// Requests of the auditor, with the time that they need.
    fn audit_requests(&mut self, planned: &[PlannedRequest]) -> Result<(), String> {
        self.round_trip(AUDITOR, planned)?;
        self.run_timers()
    }

    /// Lets time pass until no deadline is near: a busy database is retried, and cool-downs end.
    fn run_timers(&mut self) -> Result<(), String> {
        let soon = Duration::from_secs(1);
        loop {
            self.wait(soon)?;
            self.settle()?;
            let by = self.sim.now.running + soon;
            if self.sim.engine.deadline().is_none_or(|at| at > by) {
                return Ok(());
            }
        }
    }
}
