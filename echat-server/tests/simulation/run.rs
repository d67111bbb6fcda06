//! A case carried out: deeds are done, the world moves, and after every tick everything is judged.

use crate::changes::{Changes, Dues};
use crate::client::Client;
use crate::disk::Disk;
use crate::facts::Facts;
use crate::fail;
use crate::invariants;
use crate::plan::{Case, Deed, ROOMS, SEATS, Said, Seat, Step, USERS};
use crate::replies::{Asked, Judge};
use crate::request;
use crate::truth::{Stored, Truth};
use crate::world::World;
use crate::world::weather::Weather;
use echat_proto::Value;
use echat_proto::channel::Incoming;
use echat_proto::commands::{CommandInfo, Event, channel};
use echat_server::config::Limits;
use echat_server::conn::ConnId;
use std::collections::BTreeMap;
use std::time::Duration;

/// Ticks in which everything must come to rest, and in which what is due at one moment must be done.
const PATIENCE: usize = 5_000;
/// What a message has besides its content, at most.
const ROUGHLY: usize = 300;
/// Longer than any wait for passwords, and than any silence.
const LONG: Duration = Duration::from_secs(1_000);
/// Looks at everything when the others are gone.
const AUDITOR: Seat = SEATS;

/// A world, what is known of it, and who is in it.
pub(crate) struct Run {
    pub(crate) limits: Limits,
    pub(crate) world: World,
    disk: Disk,
    pub(crate) truth: Truth,
    facts: Facts,
    pub(crate) clients: Vec<Client>,
    ticks: u64,
    stopping: bool,
    /// Whether steps and events are printed.
    loud: bool,
}

/// A case that held.
#[derive(Debug, PartialEq)]
pub(crate) struct Held {
    /// A digest of every byte that the server said, to whom and when.
    pub(crate) trace: u64,
    /// What was met, and how often.
    pub(crate) met: BTreeMap<String, u64>,
}

/// Carries a case out.
pub(crate) fn run(case: &Case, loud: bool) -> Result<Held, String> {
    let mut run = Run::new(case, loud);
    for step in &case.steps {
        run.step(step)
            .map_err(|what| format!("{what}\n    at {step:?}"))?;
    }
    run.end()
        .map_err(|what| format!("{what}\n    at the end"))?;
    Ok(Held {
        trace: run.world.trace(),
        met: run.facts.met,
    })
}

impl Run {
    fn new(case: &Case, loud: bool) -> Self {
        let (disk, store) = Disk::new(case.accounts, case.acquainted);
        let limits = case.climate.limits(case.acquainted);
        let mut truth = Truth::default();
        disk.read(&mut truth);
        let mut world = World::new(case.seed, limits.clone(), store);
        // Mostly helpers find none of the time that preparing takes.
        world.exponents = usize::from(case.seed % 32 == 0);
        Self {
            world,
            limits,
            disk,
            truth,
            facts: Facts::default(),
            clients: (0..=AUDITOR).map(|_| Client::default()).collect(),
            ticks: 1,
            stopping: false,
            loud,
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        self.tell(|| format!("{step:?}"));
        self.world.weather = Some(Weather::new(step.weather.into()));
        self.act(&step.deed)?;
        for _ in 0..step.ticks {
            self.tick()?;
        }
        Ok(())
    }

    fn act(&mut self, deed: &Deed) -> Result<(), String> {
        match deed {
            Deed::Connect(seat) => self.connect(*seat),
            Deed::Say(seat, said) => said.iter().for_each(|said| self.say(*seat, said)),
            Deed::Ask(seat, said) => return self.ask(*seat, std::slice::from_ref(said)),
            Deed::Resend(seat) => self.resend(*seat),
            Deed::Leave(seat) | Deed::HangUp(seat) | Deed::Reset(seat) => self.leave(*seat, deed),
            Deed::Stall(seat) => self.listen(*seat, false, usize::MAX),
            Deed::Mute(seat, bytes) => self.listen(*seat, true, *bytes),
            Deed::Wake(seat) => self.listen(*seat, true, usize::MAX),
            Deed::Hold(hold) => self.world.hold = *hold,
            Deed::Jump(seconds) => self.world.now.unix += seconds,
            Deed::Wait(millis) => return self.wait(Duration::from_millis(*millis)),
            Deed::Fill => self.disk.fill(self.world.engine.store()),
            Deed::Occupy => self.disk.occupy(),
            Deed::Break => self.disk.sabotage(),
            Deed::Mend => self.disk.mend(self.world.engine.store()),
            Deed::Crash => return self.restart(),
            Deed::Stop => return self.stop(),
            Deed::Calm => return self.calm(),
        }
        Ok(())
    }

    fn connect(&mut self, seat: Seat) {
        let client = &mut self.clients[seat];
        if client.connected {
            return;
        }
        client.forget();
        self.world
            .connect(name(seat), &format!("192.0.2.{}:1", 1 + seat / 2));
        client.connected = !self.world.end(name(seat)).is_closed();
        (client.guest_since, client.connected_at) =
            (self.world.now.running, self.world.now.running);
    }

    fn say(&mut self, seat: Seat, said: &Said) {
        if self.clients[seat].connected && !self.clients[seat].leaving {
            self.clients[seat].todo.push_back(said.clone());
            self.say_all(seat);
        }
    }

    /// Says what waits for the handshake; true if there was something.
    fn say_all(&mut self, seat: Seat) -> bool {
        let client = &mut self.clients[seat];
        if !client.connected || client.leaving || !self.world.end(name(seat)).is_open() {
            return false;
        }
        let any = !client.todo.is_empty();
        while let Some(said) = client.todo.pop_front() {
            let who = client.candidates();
            self.facts.say(&said, &who);
            match (&said, client.user) {
                (Said::Send { txn: true, .. }, Some(user)) => {
                    client.unacknowledged.push((user, said.clone()));
                }
                // The first of several is the one that holds.
                (Said::Logout, Some(_)) if !client.asked.iter().any(|a| a.said == said) => {
                    client.guest_since = self.world.now.running;
                }
                (Said::Nonsense, _) => client.nonsense += 1,
                _ => {}
            }
            let message = request::message(&said, client.known);
            self.world.say(name(seat), message.command, message.params);
            client.asked.push_back(Asked {
                said,
                who,
                known: client.known,
                version: self.truth.version,
                tick: self.ticks,
            });
        }
        any
    }

    fn resend(&mut self, seat: Seat) {
        let client = &self.clients[seat];
        let who = client.candidates();
        let mine = client
            .unacknowledged
            .iter()
            .filter(|(user, _)| who.contains(user));
        let again: Vec<Said> = mine.map(|(_, said)| said.clone()).collect();
        again.iter().for_each(|said| self.say(seat, said));
    }

    fn leave(&mut self, seat: Seat, deed: &Deed) {
        let Some(conn) = self.conn(seat) else { return };
        if std::mem::replace(&mut self.clients[seat].leaving, true) {
            return;
        }
        match deed {
            Deed::HangUp(_) => self.world.end(name(seat)).hang_up(),
            Deed::Leave(_) if self.world.end(name(seat)).is_open() => {
                self.world
                    .say(name(seat), channel::CLOSE_NOTIFY, Value::Int(0));
            }
            _ => self.world.engine.sever(conn),
        }
    }

    fn listen(&mut self, seat: Seat, reads: bool, budget: usize) {
        if self.conn(seat).is_some() {
            let end = self.world.end(name(seat));
            end.stalled = !reads;
            end.budget = budget;
            self.clients[seat].deaf |= !reads;
        }
    }

    /// One round of the world, judged. True if anything moved.
    fn tick(&mut self) -> Result<bool, String> {
        self.ticks += 1;
        if self.disk.is_troubled() {
            self.facts.trouble(self.ticks);
        }
        let online = self.online();
        let stepped = self.world.step();
        if let Some(before) = self.disk.read(&mut self.truth) {
            self.judge(&before, &online)?;
        }
        let heard = self.hear()?;
        self.note_lost()?;
        invariants::after_tick(self)?;
        match stepped {
            Ok(moved) => Ok(moved || heard),
            Err(_) if self.disk.is_broken() => {
                self.facts.meet("a commit that failed".to_owned());
                self.restart().map(|()| true)
            }
            Err(fatal) => fail(&format!("the database failed without a reason: {fatal}")),
        }
    }

    /// Judges what this tick committed, and notes who is to be told of it.
    fn judge(&mut self, before: &Truth, online: &BTreeMap<usize, ConnId>) -> Result<(), String> {
        let mut asked = Vec::new();
        for request in self.clients.iter().flat_map(|client| &client.asked) {
            if matches!(request.said, Said::Part(_) | Said::Resolve(_, false)) {
                self.facts.flap(self.ticks);
            }
            let nobody = matches!(request.said, Said::Register(_)).then_some(usize::MAX);
            let who = request.who.iter().copied().chain(nobody);
            asked.extend(who.map(|who| (who, request.said.clone())));
        }
        let changes = Changes {
            before,
            after: &self.truth,
            asked: &asked,
            limits: &self.limits,
            now: self.world.now,
        };
        let dues = changes.judge(&mut self.facts)?;
        self.expect(&dues, online);
        self.note_floods(before);
        Ok(())
    }

    /// Notes for whom a tick may have more than a queue may hold: new messages, and pages.
    fn note_floods(&mut self, before: &Truth) {
        let size = |message: &Stored| message.content.len() + ROUGHLY;
        let all: usize = self.truth.messages.values().map(size).sum();
        let old: usize = before.messages.values().map(size).sum();
        for client in &mut self.clients {
            let asks =
                |asked: &Asked| matches!(asked.said, Said::Login { .. } | Said::History { .. });
            let pages = if client.asked.iter().any(asks) {
                all
            } else {
                0
            };
            let most = client.waiting + all - old + pages;
            client.flooded |= most > self.limits.send_queue_hard;
        }
    }

    /// Surely told is who was online before and after; perhaps, who may have been meanwhile.
    fn expect(&mut self, dues: &Dues, before: &BTreeMap<usize, ConnId>) {
        let after = self.online();
        for (user, due, surely) in dues {
            for seat in 0..self.clients.len() {
                let conn = self.conn(seat);
                let stayed = before.get(user) == conn.as_ref() && after.get(user) == conn.as_ref();
                let client = &mut self.clients[seat];
                if *surely && stayed && conn.is_some() {
                    client.must.insert(*due);
                } else if client.candidates().contains(user) && !client.must.contains(due) {
                    client.may.insert(*due);
                }
            }
        }
    }

    /// Lets clients take what came. True if they have something to say to it.
    fn hear(&mut self) -> Result<bool, String> {
        let mut said = false;
        for seat in 0..self.clients.len() {
            while self.world.ends.contains_key(name(seat))
                && let Some((incoming, ended)) = self.world.end(name(seat)).next()
            {
                self.tell(|| format!("  {seat} < {incoming:?}"));
                said |= self
                    .take(seat, incoming, ended)
                    .map_err(|what| format!("client {seat}: {what}"))?;
            }
            said |= self.say_all(seat);
        }
        Ok(said)
    }

    fn take(
        &mut self,
        seat: Seat,
        incoming: Incoming,
        ended: Option<&'static CommandInfo>,
    ) -> Result<bool, String> {
        let client = &mut self.clients[seat];
        client.opened = true;
        match incoming {
            Incoming::Ping => {
                let open = self.world.end(name(seat)).is_open();
                if open && !client.leaving {
                    self.world.say(name(seat), channel::PONG, Value::Null);
                }
                return Ok(open);
            }
            Incoming::Pong => return fail("an answer to no question"),
            Incoming::Close(reason) => client.goodbye = Some(reason),
            Incoming::Message(message) => {
                let event = Event::from_message(&message).and_then(Result::ok);
                let event = event.ok_or("what came is in no table")?;
                if ended.is_none() {
                    self.facts.meet(format!("told {}", message.command));
                    client.event(&event, &self.truth)?;
                    return Ok(false);
                }
                let asked = client.asked.pop_front().ok_or("a reply to nothing")?;
                let mut judge = Judge {
                    truth: &self.truth,
                    limits: &self.limits,
                    facts: &mut self.facts,
                };
                let judged = judge.reply(client, &asked, &event);
                judged.map_err(|what| format!("{what}\n    {asked:?}"))?;
            }
        }
        Ok(false)
    }

    fn note_lost(&mut self) -> Result<(), String> {
        let now = self.world.now.running;
        for seat in 0..self.clients.len() {
            if !self.clients[seat].connected || self.conn(seat).is_some() {
                continue;
            }
            let heard_at = self.world.end(name(seat)).heard_at;
            if !self.stopping {
                let client = &self.clients[seat];
                let why = invariants::closed(client, heard_at, &self.limits, now)
                    .map_err(|what| format!("client {seat}: {what}"))?;
                self.facts.meet(format!("closed: {why}"));
            }
            self.clients[seat].forget();
        }
        Ok(())
    }

    /// Lets time pass, not missing what is due meanwhile.
    fn wait(&mut self, time: Duration) -> Result<(), String> {
        let target = self.world.now.running + time;
        let mut ticks = 0;
        while let Some(at) = self.world.engine.deadline().filter(|at| *at <= target) {
            let moved = at > self.world.now.running;
            ticks = if moved { 0 } else { ticks + 1 };
            if ticks > PATIENCE {
                return fail("what is due is never done");
            }
            self.world.move_to(at.max(self.world.now.running));
            for _ in 0..3 {
                self.tick()?;
            }
        }
        self.world.move_to(target);
        self.tick().map(drop)
    }

    /// Moves until nothing moves any more.
    fn rest(&mut self) -> Result<(), String> {
        for _ in 0..PATIENCE {
            if !self.tick()? {
                return Ok(());
            }
        }
        fail("the world finds no rest")
    }

    /// Requests while everything moves at once.
    fn ask(&mut self, seat: Seat, said: &[Said]) -> Result<(), String> {
        self.world.weather = None;
        self.rest()?;
        said.iter().for_each(|said| self.say(seat, said));
        self.rest()
    }

    /// Everything is well for a while: all that is owed must come.
    fn calm(&mut self) -> Result<(), String> {
        self.disk.mend(self.world.engine.store());
        self.world.weather = None;
        self.world.hold = false;
        for seat in 0..self.clients.len() {
            self.listen(seat, true, usize::MAX);
        }
        self.rest()?;
        self.wait(Duration::from_secs(1))?;
        self.rest()?;
        invariants::at_rest(self)
    }

    /// The process ends at once; the next one finds everything that was acknowledged.
    fn restart(&mut self) -> Result<(), String> {
        self.disk.mend(self.world.engine.store());
        self.world.restart(self.limits.clone(), self.disk.open());
        self.facts.restart();
        self.clients.iter_mut().for_each(Client::forget);
        self.keeps()
    }

    /// Everything is stored still, and so is everything that was acknowledged.
    fn keeps(&self) -> Result<(), String> {
        let stored = |id: &u64| self.truth.messages.contains_key(id);
        if self.disk.keeps(&self.truth) && self.facts.acknowledged.iter().all(stored) {
            Ok(())
        } else {
            fail("the database is another one after the end of a process")
        }
    }

    /// The server is told to stop; everybody is told so, and it is started again.
    fn stop(&mut self) -> Result<(), String> {
        self.stopping = true;
        self.world.engine.stop(self.world.now);
        self.wait(Duration::from_secs(5))?;
        self.stopping = false;
        invariants::all_gone(self)?;
        self.restart()
    }

    /// All go; one comes and looks at everything that anybody may see; then nothing is left.
    fn end(&mut self) -> Result<(), String> {
        self.calm()?;
        (0..SEATS).for_each(|seat| self.leave(seat, &Deed::HangUp(seat)));
        self.wait(LONG)?;
        invariants::all_gone(self)?;
        self.connect(AUDITOR);
        for user in self.truth.users.clone() {
            self.audit(user)?;
        }
        self.leave(AUDITOR, &Deed::Leave(AUDITOR));
        self.wait(LONG)?;
        invariants::all_gone(self)?;
        self.keeps()
    }

    fn audit(&mut self, user: usize) -> Result<(), String> {
        self.clients[AUDITOR].known = 0;
        let login = Said::Login { user, right: true };
        let room = Said::Members(user % ROOMS.len());
        self.ask(AUDITOR, &[login, Said::Rooms, room])?;
        self.clients[AUDITOR].known = 0;
        let newest = self.truth.visible(user).next_back().map_or(0, |(id, _)| id);
        let page = Said::History {
            of: None,
            from_known: true,
            limit: 50,
        };
        while self.clients[AUDITOR].known < newest {
            let known = self.clients[AUDITOR].known;
            self.ask(AUDITOR, std::slice::from_ref(&page))?;
            if self.clients[AUDITOR].known == known {
                return fail(&format!("{} does not see all there is", USERS[user]));
            }
        }
        self.ask(AUDITOR, &[page, Said::Logout])
    }

    /// Who is online, and where.
    pub(crate) fn online(&self) -> BTreeMap<usize, ConnId> {
        let sessions = self.world.engine.roster().sessions();
        sessions
            .map(|(conn, online)| (crate::client::user(&online.name), conn))
            .collect()
    }

    /// A client's connection, if the server has not closed it.
    pub(crate) fn conn(&self, seat: Seat) -> Option<ConnId> {
        let end = self.world.ends.get(name(seat))?;
        end.conn
            .filter(|_| self.clients[seat].connected && !end.is_closed())
    }

    /// Requests that a client's end has counted and that got no reply.
    pub(crate) fn owed(&mut self, seat: Seat) -> usize {
        self.world.end(name(seat)).owed()
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.loud {
            println!("{:>9.3} {}", self.world.now.running.as_secs_f64(), what());
        }
    }
}

/// What the world calls a client's end.
fn name(seat: Seat) -> &'static str {
    ["c0", "c1", "c2", "c3", "c4", "c5", "auditor"][seat]
}
