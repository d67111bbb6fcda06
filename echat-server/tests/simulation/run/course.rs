//! How a case goes on and ends: time, rest, restarts, and a last look at everything.

use super::{AUDITOR, LONG, PATIENCE, Run, Written};
use crate::client::Client;
use crate::disk;
use crate::fail;
use crate::invariants;
use crate::plan::{Action, OfSearch, PlannedRequest, ROOMS, SEATS, Seat, Term, USERS, Word};
use std::time::Duration;

impl Run {
    /// Lets time pass, and handles what is due in between.
    pub(super) fn wait(&mut self, time: Duration) -> Result<(), String> {
        let target = self.sim.now.running + time;
        let mut ticks = 0;
        while let Some(at) = self.sim.engine.deadline().filter(|at| *at <= target) {
            let moved = at > self.sim.now.running;
            ticks = if moved { 0 } else { ticks + 1 };
            if ticks > PATIENCE {
                return fail("what is due is never done");
            }
            self.sim.move_to(at.max(self.sim.now.running));
            for _ in 0..3 {
                self.tick()?;
            }
        }
        self.sim.move_to(target);
        self.tick().map(drop)
    }

    /// Moves until nothing moves any more.
    pub(super) fn rest(&mut self) -> Result<(), String> {
        for _ in 0..PATIENCE {
            if !self.tick()? {
                return Ok(());
            }
        }
        fail("the world finds no rest")
    }

    /// Requests while everything moves at once.
    pub(super) fn ask(&mut self, seat: Seat, planned: &[PlannedRequest]) -> Result<(), String> {
        self.sim.schedule = None;
        self.rest()?;
        for planned in planned {
            self.say(seat, planned);
        }
        self.rest()
    }

    /// What several say in one tick.
    pub(super) fn together(
        &mut self,
        planned: &[(Seat, Vec<PlannedRequest>)],
    ) -> Result<(), String> {
        self.sim.schedule = None;
        self.rest()?;
        for (seat, planned) in planned {
            for planned in planned {
                self.say(*seat, planned);
            }
        }
        self.tick().map(drop)
    }

    /// Everything is well for a while: every missing reply must arrive.
    pub(super) fn calm(&mut self) -> Result<(), String> {
        self.disk.mend(self.sim.engine.store());
        self.sim.schedule = None;
        self.sim.hold = false;
        for seat in 0..self.clients.len() {
            self.listen(seat, true, usize::MAX);
        }
        self.rest()?;
        self.take_time()?;
        self.facts.devices.hold(&self.disk.devices(&self.truth))?;
        invariants::at_rest(self)
    }

    /// An administrator suspends a user and sends the user away, on a disk without trouble.
    pub(super) fn suspend(&mut self, user: usize, seconds: Option<u32>) -> Result<(), String> {
        if self.disk.is_troubled() || !self.truth.is_there(user) {
            return Ok(());
        }
        let now = self.sim.now.unix;
        let until = seconds.map(|seconds| now.saturating_add(seconds.into()));
        disk::suspend(self.sim.engine.store(), user, until, now);
        self.written.push(Written::Suspension { user, until, now });
        self.facts.meet("a suspension".to_owned());
        self.facts.secrets.end_all(user);
        let given = self.facts.secrets.count();
        self.facts.secrets.void_all(user, given);
        self.facts.moved(user, self.ticks + 1);
        // A goodbye to a slow client may come too late.
        let online = self.online();
        let conns = online.get(&user).cloned().unwrap_or_default();
        for seat in 0..self.clients.len() {
            let conn = self.conn(seat);
            self.clients[seat].displaced |= conn.is_some_and(|conn| conns.contains(&conn));
        }
        let sent_away = self.sim.engine.send_away(USERS[user], self.sim.now);
        sent_away.map_err(|error| error.to_string())?;
        self.administered()
    }

    /// An administrator ends a suspension.
    pub(super) fn pardon(&mut self, user: usize) -> Result<(), String> {
        if self.disk.is_troubled() || !self.truth.is_there(user) {
            return Ok(());
        }
        disk::pardon(self.sim.engine.store(), user);
        self.written.push(Written::Pardon { user });
        self.administered()
    }

    /// What an administrator did shows in the next tick.
    fn administered(&mut self) -> Result<(), String> {
        self.facts.administer(self.ticks + 1);
        self.tick().map(drop)
    }

    /// The process ends at once; the next one finds everything that was acknowledged.
    pub(super) fn restart(&mut self) -> Result<(), String> {
        self.disk.mend(self.sim.engine.store());
        self.sim.restart(self.limits.clone(), self.disk.open());
        self.sim.engine.allow_sessions(self.sessions);
        self.sim.engine.set_turn_cost(self.turn_cost);
        self.sim.engine.set_portion(self.portion);
        self.sim.engine.keep_journal();
        self.sim.engine.configure(self.door.settings());
        let lobby = self.sim.engine.create_lobby(self.sim.now);
        lobby.map_err(|error| error.to_string())?;
        self.facts.restart();
        self.clients.iter_mut().for_each(Client::forget);
        self.keeps()
    }

    /// Everything is stored still, and so is everything that was acknowledged.
    pub(super) fn keeps(&self) -> Result<(), String> {
        let stored = |id: &u64| self.truth.messages.contains_key(id);
        if self.disk.keeps(&self.truth) && self.facts.acknowledged.iter().all(stored) {
            Ok(())
        } else {
            fail("the database is another one after the end of a process")
        }
    }

    /// The server is stopped, says goodbye to every client, and is started again.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        self.stopping = true;
        self.sim.engine.stop(self.sim.now);
        self.wait(Duration::from_secs(5))?;
        self.stopping = false;
        self.rest()?;
        if !self.disk.is_troubled() {
            // What a process looks for when it begins.
            self.take_time()?;
        }
        self.sim.engine.end_sessions(false, self.sim.now);
        invariants::all_gone(self)?;
        self.restart()
    }

    /// All clients leave. One logs in and reads everything that it may see. Then no state is left.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.calm()?;
        (0..SEATS).for_each(|seat| self.leave(seat, &Action::HangUp(seat)));
        self.wait(LONG)?;
        self.rest()?;
        invariants::all_gone(self)?;
        self.connect(AUDITOR);
        for user in self.truth.users.clone() {
            let outside = self.truth.is_suspended(user, self.sim.now.unix);
            if !outside && !self.truth.is_bot(user) {
                self.audit(user)?;
            }
        }
        self.leave(AUDITOR, &Action::Leave(AUDITOR));
        self.wait(LONG)?;
        self.rest()?;
        invariants::all_gone(self)?;
        self.facts.devices.hold(&self.disk.devices(&self.truth))?;
        self.keeps()?;
        for _ in &self.written {
            self.facts.meet("a write that was repeated".to_owned());
        }
        self.disk
            .repeats(&self.written, &self.limits, &self.door.settings())
    }

    pub(super) fn audit(&mut self, user: usize) -> Result<(), String> {
        self.clients[AUDITOR].known = 0;
        let login = PlannedRequest::Login {
            user,
            password: Word::Right,
        };
        let room = PlannedRequest::Members(user % ROOMS.len());
        self.learn(&[login, PlannedRequest::Rooms, room])?;
        self.clients[AUDITOR].known = 0;
        let newest = self
            .truth
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
            self.learn(std::slice::from_ref(&page))?;
            if self.clients[AUDITOR].known == known {
                return fail(&format!("{} does not see all there is", USERS[user]));
            }
        }
        self.learn(&[page])?;
        self.search_all(user, newest)?;
        self.learn(&[PlannedRequest::Logout])
    }

    /// One word after the other, and all pages: each must have exactly what the user sees.
    fn search_all(&mut self, user: usize, newest: u64) -> Result<(), String> {
        if newest == 0 {
            return Ok(());
        }
        let number = u8::try_from(user).expect("few users");
        let first = PlannedRequest::Search(OfSearch {
            terms: vec![Term::Word(number)],
            limit: 20,
            ..OfSearch::default()
        });
        self.learn(&[first])?;
        for _ in 0..=newest {
            if self.clients[AUDITOR].search.is_none() {
                return Ok(());
            }
            self.learn(&[PlannedRequest::SearchOn])?;
        }
        fail("a search has no end")
    }

    /// The auditor's requests, with the time that they take.
    fn learn(&mut self, planned: &[PlannedRequest]) -> Result<(), String> {
        self.ask(AUDITOR, planned)?;
        self.take_time()
    }

    /// Time for whatever waits for time: the busy database, who has asked for much and rests
    /// between its requests.
    fn take_time(&mut self) -> Result<(), String> {
        let soon = Duration::from_secs(1);
        loop {
            self.wait(soon)?;
            self.rest()?;
            let by = self.sim.now.running + soon;
            if self.sim.engine.deadline().is_none_or(|at| at > by) {
                return Ok(());
            }
        }
    }
}
